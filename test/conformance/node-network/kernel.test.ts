/** What only a real kernel and real processes show: that neighbours believe us, and that tools which end come back. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue, Result, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { type Address, parse } from "../../../src/domain/Address.ts"
import { namespaces, type Namespaces, runIn, whyNot, worldIn } from "./LiveWorld.ts"
import type { World } from "./World.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))
const staleMac = "02:00:00:00:00:99"

interface Site {
  readonly names: Namespaces
  readonly world: World
}

const check = (sentence: string, body: (site: Site) => Effect.Effect<void, unknown>) =>
  it.live(sentence, () =>
    Effect.scoped(
      Effect.gen(function* () {
        const names = yield* namespaces
        yield* body({ names, world: yield* worldIn(names) })
      })
    )
  )

/** Looks again until it is so; each look is a process of some milliseconds, so that nothing spins. */
const eventually = (what: string, look: () => boolean) =>
  Effect.sync(look).pipe(
    Effect.repeat({ until: (isSo) => isSo }),
    Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die(new Error(`never came: ${what}`)) })
  )

/** Processes of ours in the namespace, by what their command line begins with. */
const processesIn = ({ node }: Namespaces, command: string): ReadonlyArray<number> =>
  execFileSync("ip", ["netns", "pids", node], { encoding: "utf8" })
    .split("\n")
    .filter((pid) => pid !== "" && readdirSync("/proc").includes(pid))
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").startsWith(command))
    .map(Number)

const lladdrOf = ({ peer }: Namespaces, address: string): string | undefined =>
  /lladdr (\S+)/.exec(runIn(peer, ["ip", "neigh", "show", "to", address]))?.[1]

describe.skipIf(whyNot() !== undefined)("LinuxNodeNetwork in a network namespace", () => {
  for (const address of ["198.51.100.10", "2001:db8:ffff::10"]) {
    check(`a neighbour that knew ${address} at another node sends to us from now on`, ({ names, world }) =>
      Effect.gen(function* () {
        runIn(names.peer, ["ip", "address", "add", "198.51.100.3/24", "dev", "peer-up0"])
        runIn(names.peer, ["ip", "neigh", "add", address, "lladdr", staleMac, "dev", "peer-up0", "nud", "reachable"])
        assert.strictEqual(lladdrOf(names, address), staleMac)
        yield* world.network.announce([a(address)], "up0")
        const { interfaces } = yield* world.network.state
        const mac = interfaces.find(({ name }) => name === "up0")?.mac
        yield* eventually("the new hardware address", () => lladdrOf(names, address) === mac)
      })
    )
  }

  check(
    "the kernel does not choose an IPv6 address of ours as source of the node's own connections",
    ({ names, world }) =>
      Effect.gen(function* () {
        yield* world.network.addAddress({ address: a("2001:db8:ffff::10"), interfaceName: "up0" })
        const route = runIn(names.node, ["ip", "-6", "route", "get", "2001:db8:ffff::11"])
        assert.include(route, "src 2001:db8:ffff::2 ")
      })
  )

  check("nor an IPv4 address", ({ names, world }) =>
    Effect.gen(function* () {
      yield* world.network.addAddress({ address: a("198.51.100.10"), interfaceName: "up0" })
      assert.include(runIn(names.node, ["ip", "route", "get", "198.51.100.11"]), "src 198.51.100.2 ")
    })
  )

  check("an IPv4 address on the empty bridge answers ARP on the uplink", ({ names, world }) =>
    Effect.gen(function* () {
      yield* world.network.addAddress({ address: a("198.51.100.10"), interfaceName: "pl0" })
      runIn(names.peer, ["ip", "address", "add", "198.51.100.3/24", "dev", "peer-up0"])
      runIn(names.peer, ["sh", "-c", "echo x | socat -u STDIN UDP-SENDTO:198.51.100.10:9"])
      const { interfaces } = yield* world.network.state
      const mac = interfaces.find(({ name }) => name === "up0")?.mac
      yield* eventually("an answer", () => lladdrOf(names, "198.51.100.10") === mac)
    })
  )

  check("sends again after its sender was killed, and keeps no more than one", ({ names, world }) =>
    Effect.gen(function* () {
      const listener = yield* world.listen("up0")
      yield* world.network.announce([a("192.0.2.10")], "up0")
      const [pid = 0] = processesIn(names, "socat")
      process.kill(pid, "SIGKILL")
      yield* world.network.announce([a("192.0.2.11")], "up0")
      assert.deepStrictEqual(
        (yield* listener.take(2)).map(({ address }) => address),
        ["192.0.2.10", "192.0.2.11"]
      )
      const senders = processesIn(names, "socat")
      assert.strictEqual(senders.length, 1)
      assert.notStrictEqual(senders[0], pid)
    }).pipe(Effect.scoped)
  )

  check("gives up on a sender that is stopped, says so, and takes another one", ({ names, world }) =>
    Effect.gen(function* () {
      yield* world.network.announce([a("192.0.2.10")], "up0")
      const [pid = 0] = processesIn(names, "socat")
      process.kill(pid, "SIGSTOP")
      const listener = yield* world.listen("up0")
      yield* world.network.announce([a("192.0.2.11")], "up0")
      assert.deepStrictEqual(
        (yield* listener.take(1)).map(({ address }) => address),
        ["192.0.2.11"]
      )
    }).pipe(Effect.scoped)
  )

  check("wakes when its monitor was killed, and then for each change again", ({ names, world }) =>
    Effect.gen(function* () {
      const wakings = yield* Queue.unbounded<void>()
      yield* Effect.forkScoped(Stream.runForEach(world.network.changes, () => Queue.offer(wakings, undefined)))
      yield* Queue.take(wakings)
      const [pid = 0] = processesIn(names, "ip -o monitor")
      process.kill(pid, "SIGKILL")
      yield* Queue.take(wakings)
      yield* world.network.addAddress({ address: a("192.0.2.10"), interfaceName: "pl0" })
      yield* Queue.take(wakings)
    }).pipe(Effect.scoped)
  )

  it.live("leaves no process behind when its scope ends", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const names = yield* namespaces
        yield* Effect.scoped(
          Effect.gen(function* () {
            const world = yield* worldIn(names)
            yield* world.network.announce([a("192.0.2.10"), a("2001:db8::10")], "up0")
            yield* Stream.runDrain(Stream.take(world.network.changes, 1))
            assert.strictEqual(processesIn(names, "socat").length, 2)
          })
        )
        yield* eventually("the end of all processes", () => processesIn(names, "").length === 0)
      })
    )
  )
})
