/** What only a real kernel and real processes show: that neighbours believe us, and that tools which end come back. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue, Result, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Address, parse } from "../../../src/domain/Address.ts"
import { isListening, readSockets } from "../../../src/live/linux/ChangeMonitor.ts"
import { make } from "../../../src/live/linux/LinuxNodeNetwork.ts"
import type { NodeNetwork } from "../../../src/ports/NodeNetwork.ts"
import { namespaces, whyNot, worldIn } from "./LiveWorld.ts"
import { type Namespaces, runIn } from "./Namespaces.ts"
import type { World } from "./World.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))
const somewhere = { address: a("192.0.2.10"), interfaceName: "pl0" }
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

/** Those that speak to nf_tables. */
const speakingIn = (names: Namespaces) => processesIn(names, "socat -b 32768 STDIO SOCKET-DATAGRAM:16:")

const lladdrOf = ({ peer }: Namespaces, address: string): string | undefined =>
  /lladdr (\S+)/.exec(runIn(peer, ["ip", "neigh", "show", "to", address]))?.[1]

const knownTo = ({ peer }: Namespaces): string => runIn(peer, ["ip", "neigh", "show", "dev", "peer-up0"])

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

  check("starts one sender for callers that come at the same time", ({ names, world }) =>
    Effect.gen(function* () {
      const calls = ["192.0.2.10", "192.0.2.11", "192.0.2.12"].map((each) => world.network.announce([a(each)], "up0"))
      yield* Effect.all(calls, { concurrency: "unbounded" })
      assert.strictEqual(processesIn(names, "socat").length, 1)
    })
  )

  check("a neighbour that is asked for an address learns nothing of it", ({ names, world }) =>
    Effect.gen(function* () {
      yield* world.foreignHost("up0", a("198.51.100.10"))
      yield* world.foreignHost("up0", a("2001:db8:ffff::10"))
      const before = knownTo(names)
      yield* world.network.probe([a("198.51.100.10"), a("198.51.100.11"), a("2001:db8:ffff::10")], "up0")
      assert.strictEqual(knownTo(names), before)
    })
  )

  check("an answer ends the wait, and no reader stays behind", ({ names, world }) =>
    Effect.gen(function* () {
      yield* world.foreignHost("up0", a("198.51.100.10"))
      yield* world.network.probe([a("198.51.100.10")], "up0")
      // The sender of the frames stays for the next ones.
      yield* eventually("the end of the reader", () => processesIn(names, "socat").length === 1)
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

  check("the first waking says that every later change will wake", ({ names, world }) =>
    Stream.runForEach(Stream.take(world.network.changes, 1), () =>
      Effect.promise(async () => {
        const [pid = 0] = processesIn(names, "ip -o monitor")
        assert.isTrue(isListening(await readSockets(`/proc/${pid}`)))
      })
    )
  )

  it.live("wakes for a change that comes before a slow monitor listens", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const names = yield* namespaces
        const gate = mkdtempSync(join(tmpdir(), "plenuslb-gate-"))
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(gate, { recursive: true })))
        execFileSync("mkfifo", [join(gate, "open")])
        // Becomes `ip` when somebody opens the gate.
        const commandPrefix = ["sh", "-c", `: < ${gate}/open; exec nsenter --net=/run/netns/${names.node} "$@"`, "gate"]
        const { changes } = yield* make({ commandPrefix })
        const wakings = yield* Queue.unbounded<void>()
        yield* Effect.forkScoped(Stream.runForEach(changes, () => Queue.offer(wakings, undefined)))
        yield* Queue.take(wakings)
        runIn(names.node, ["ip", "address", "add", "192.0.2.10/32", "dev", "pl0"])
        writeFileSync(join(gate, "open"), "")
        yield* Queue.clear(wakings)
        yield* Queue.take(wakings)
      })
    )
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

  const renew = Effect.fnUntraced(function* ({ fence }: NodeNetwork["Service"], ticket: string) {
    yield* fence.putTicket(ticket, 60_000)
    yield* fence.renew({ ticket, owner: "0000a11c", leaseMillis: 60_000 })
  })

  check("renews the lease when what speaks to the kernel for it was killed", ({ names, world: { network } }) =>
    Effect.gen(function* () {
      yield* network.fence.claim("0000a11c")
      yield* renew(network, "00000001")
      const [pid = 0] = speakingIn(names)
      process.kill(pid, "SIGKILL")
      // Once it is gone from here, and no zombie, the adapter knows of its end.
      yield* eventually("its end", () => !existsSync(`/proc/${pid}`))
      yield* renew(network, "00000002")
      assert.strictEqual(speakingIn(names).length, 1)
    })
  )

  check("says so when it may not change the fence", ({ names }) =>
    Effect.gen(function* () {
      const noRight = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
      const { fence } = yield* make({ commandPrefix: ["nsenter", `--net=/run/netns/${names.node}`, ...noRight] })
      const { reason } = yield* Effect.flip(fence.putTicket("00000001", 60_000))
      assert.strictEqual(reason._tag, "NotPermitted")
    }).pipe(Effect.scoped)
  )

  const strange: ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp]> = [
    ["a namespace that is gone", ["nsenter", "--net=/run/netns/pllnn-gone"], /cannot open .*pllnn-gone/],
    ["tools that hang", ["sh", "-c", "exec sleep 60"], /did not finish within 5000 ms/],
    ["tools that print something else", ["echo"], /printed what is not understood/]
  ]
  for (const [sentence, commandPrefix, message] of strange) {
    it.live(`fails, and does not take it for an empty node, with ${sentence}`, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const network = yield* make({ commandPrefix })
          const calls = [network.state, ...(sentence.includes("print") ? [] : [network.addAddress(somewhere)])]
          for (const error of yield* Effect.forEach(calls, Effect.flip, { concurrency: "unbounded" })) {
            assert.strictEqual(error.reason._tag, "ToolFailed")
            assert.match(error.message, message)
          }
        })
      )
    )
  }

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
