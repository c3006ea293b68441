/**
 * The commands of scenarios. NODE is a name or `holder of shop/web`; PROCESS is `leader`, `controller-2` or `operator on
 * NODE`; ADDRESSES are as a pool lists them, apart by commas.
 */
import { Effect } from "effect"
import type { World } from "../world/World.ts"
import { clouds } from "./CloudCommands.ts"
import { type Command, refOf, serviceOf } from "./Command.ts"
import { faults } from "./FaultCommands.ts"
import { allocationOf, isGone, isReady, isServed, waitUntil } from "./Stage.ts"
import { users } from "./UserCommands.ts"
import * as V04 from "./V04.ts"

const stepMax = 5

const waits: ReadonlyArray<Command> = [
  {
    form: /^wait ready$/,
    isFault: false,
    act: (world) => waitUntil("a controller leads and every node is registered", () => isReady(world))
  },
  { form: /^advance (\d+)s$/, isFault: false, act: (_, [seconds = "0"]) => Effect.sleep(Number(seconds) * 1000) },
  {
    form: /^wait served (\S+)$/,
    isFault: false,
    act: (world, [key = ""]) => waitUntil(`${key} is served`, () => isServed(world, key))
  },
  {
    form: /^wait gone (\S+)$/,
    isFault: false,
    act: (world, [key = ""]) => waitUntil(`${key} is gone`, () => isGone(world, key))
  },
  {
    form: /^wait told (\S+) (\S+)$/,
    isFault: false,
    act: (world, [key = "", state = ""]) =>
      waitUntil(`${key} is told ${state}`, () => allocationOf(world, key)?.status?.state === state)
  },
  {
    form: /^wait step (\d) of (\S+)$/,
    isFault: false,
    // 1 granted, 2 on a node, 3 reported, 4 shown, 5 told: points at which something may be made to fail.
    act: (world, [step = "", key = ""]) =>
      waitUntil(`step ${step} of ${key}`, () => stepOf(world, key) >= Math.min(Number(step), stepMax))
  }
]

/** How far a Service has come on its way to being served. */
const stepOf = (world: World, key: string): number => {
  const allocation = allocationOf(world, key)
  const [first] = allocation?.spec.allocations ?? []
  if (allocation === undefined || first === undefined) return 0
  if (allocation.status?.state === "success") return 5
  if (isServed(world, key)) return 4
  if ((allocation.status?.addresses ?? []).some(({ phase }) => phase === "Serving")) return 3
  return (world.truth.holders.get(first.address)?.size ?? 0) > 0 ? 2 : 1
}

const upgrade: ReadonlyArray<Command> = [
  {
    form: /^v0\.4 left (\S+) with (\S+) of (\S+) on (\S+)$/,
    isFault: false,
    act: (world, [key = "", address = "", pool = "", node = ""]) =>
      V04.leave(world, { ...refOf(key), address, pool, node }, serviceOf(key, address))
  }
]

export const commands: ReadonlyArray<Command> = [...users, ...clouds, ...waits, ...faults, ...upgrade]
