/** What breaks in the cluster, and is mended. */
import { Effect, Result } from "effect"
import * as Address from "../../domain/Address.ts"
import type { World } from "../world/World.ts"
import type { Command } from "./Command.ts"
import { hostNamed, postNamed } from "./Stage.ts"
import * as V04 from "./V04.ts"

const apiCut = "cut from the API server"

const setCut = (world: World, client: string, isCut: boolean): void => {
  const host = world.operators.find((post) => post.client === client)?.host
  if (isCut) world.links.sever(client)
  else world.links.heal(client)
  if (host === undefined) return
  if (isCut) world.truth.impair(host.name, apiCut)
  else world.truth.relieve(host.name, apiCut)
}

export const faults: ReadonlyArray<Command> = [
  {
    form: /^power-off (.+)$/,
    isFault: true,
    act: (world, [operand = ""]) => Effect.map(hostNamed(world, operand), (host) => world.powerOff(host))
  },
  {
    form: /^power-on all$/,
    isFault: true,
    act: (world) =>
      Effect.sync(() => {
        for (const host of world.hosts) world.powerOn(host)
      })
  },
  {
    form: /^kill (.+)$/,
    isFault: true,
    act: (world, [operand = ""]) => Effect.map(postNamed(world, operand), (post) => post.kill())
  },
  {
    form: /^stop (.+)$/,
    isFault: true,
    act: (world, [operand = ""]) =>
      Effect.map(postNamed(world, operand), (post) => {
        post.mayRun = false
        post.kill()
      })
  },
  {
    form: /^start all$/,
    isFault: true,
    act: (world) =>
      Effect.sync(() => {
        for (const post of [...world.controllers, ...world.operators]) post.mayRun = true
      })
  },
  {
    form: /^pause (.+) for (\d+)s$/,
    isFault: true,
    act: (world, [operand = "", seconds = "0"]) =>
      Effect.flatMap(postNamed(world, operand), ({ process }) =>
        Effect.sync(() => process?.pause()).pipe(
          Effect.andThen(Effect.sleep(Number(seconds) * 1000)),
          Effect.andThen(Effect.sync(() => process?.resume()))
        )
      )
  },
  {
    form: /^cut everybody from the api$/,
    isFault: true,
    act: (world) =>
      Effect.sync(() => {
        for (const { client } of [...world.controllers, ...world.operators]) setCut(world, client, true)
      })
  },
  {
    form: /^cut (?!everybody)(.+) from the api$/,
    isFault: true,
    act: (world, [operand = ""]) => Effect.map(postNamed(world, operand), ({ client }) => setCut(world, client, true))
  },
  {
    form: /^heal all$/,
    isFault: true,
    act: (world) =>
      Effect.sync(() => {
        for (const { client } of [...world.controllers, ...world.operators])
          if (world.links.isCut(client)) setCut(world, client, false)
      })
  },
  {
    form: /^by hand remove (\S+) from (.+)$/,
    isFault: true,
    act: (world, [address = "", operand = ""]) =>
      Effect.map(hostNamed(world, operand), (host) => V04.removeByHand(host, address))
  },
  {
    form: /^a foreign machine takes (\S+)$/,
    isFault: true,
    act: ({ kernel, segment }, [text = ""]) =>
      Effect.sync(() => segment.foreign.set(addressOf(text), { mac: foreignMac, sinceMillis: kernel.nowMillis }))
  },
  {
    form: /^the foreign machine leaves (\S+)$/,
    isFault: true,
    act: ({ segment }, [text = ""]) => Effect.sync(() => segment.foreign.delete(addressOf(text)))
  }
]

const foreignMac = "02:00:00:02:00:10"
const addressOf = (text: string): Address.Address => Result.getOrThrow(Address.parse(text))
