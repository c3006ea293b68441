/** Whether the fence stands where packets go, as far as the port can tell: on the twin and on a real network namespace. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { NodeNetworkError } from "../../../src/ports/NodeNetwork.ts"
import type { MakeWorld, World } from "./World.ts"

const uplinks = ["up0", "up1"]

export const packetPathSuite = (name: string, makeWorld: MakeWorld, unavailable?: string): void => {
  const check = (sentence: string, body: (world: World) => Effect.Effect<void, NodeNetworkError>) =>
    it.live(sentence, () => Effect.scoped(Effect.flatMap(makeWorld, body)))

  describe.skipIf(unavailable !== undefined)(`packetPath on ${name}${unavailable ?? ""}`, () => {
    check("misses kube-proxy where nothing of it is in netfilter, and sees no program", (world) =>
      Effect.gen(function* () {
        const { kubeProxy, programs } = yield* world.network.packetPath(uplinks)
        assert.deepStrictEqual({ kubeProxy, programs }, { kubeProxy: "missing", programs: [] })
      })
    )
    check("does not take the fence for kube-proxy", (world) =>
      Effect.gen(function* () {
        yield* world.network.fence.claim("0000000a")
        assert.strictEqual((yield* world.network.packetPath(uplinks)).kubeProxy, "missing")
      })
    )
    for (const mode of ["iptables", "nftables"] as const) {
      check(`finds kube-proxy in ${mode} mode`, (world) =>
        Effect.gen(function* () {
          yield* world.kubeProxyRuns(mode)
          assert.strictEqual((yield* world.network.packetPath(uplinks)).kubeProxy, "found")
        })
      )
    }
    check("does not look again for the chains of kube-proxy that it has found a moment ago", (world) =>
      Effect.gen(function* () {
        yield* world.kubeProxyRuns("nftables")
        yield* world.network.packetPath(uplinks)
        yield* world.flushRuleset
        assert.strictEqual((yield* world.network.packetPath(uplinks)).kubeProxy, "found")
      })
    )
    check("finds kube-proxy in IPVS mode by its interface", (world) =>
      Effect.gen(function* () {
        yield* world.createBridge("kube-ipvs0")
        assert.strictEqual((yield* world.network.packetPath(uplinks)).kubeProxy, "found")
      })
    )
    check("sees a tc program of an uplink that is asked for, and of no other", (world) =>
      Effect.gen(function* () {
        yield* world.attachTcProgram("up1")
        const programs = (names: ReadonlyArray<string>) =>
          Effect.map(world.network.packetPath(names), (path) => path.programs)
        assert.deepStrictEqual(yield* programs(uplinks), [{ interfaceName: "up1", hook: "tc" }])
        assert.deepStrictEqual(yield* programs(["up0"]), [])
      })
    )
    check("says of an interface that is not there that it has no program", (world) =>
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* world.network.packetPath(["up9"])).programs, [])
      })
    )
    check(
      "names an uplink that drops who is not in its network: rp_filter 1, and the default route elsewhere",
      (world) =>
        Effect.gen(function* () {
          const strict = Effect.map(world.network.packetPath(uplinks), (path) => path.strictUplinks)
          for (const each of ["all", ...uplinks]) yield* world.setRpFilter(each, 0)
          yield* world.setRpFilter("up1", 1)
          assert.deepStrictEqual(yield* strict, [], "without a default route nobody is dropped for its sake")
          yield* world.addDefaultRoute("up0", "IPv4", 100)
          assert.deepStrictEqual(yield* strict, ["up1"])
          yield* world.setRpFilter("all", 2)
          assert.deepStrictEqual(yield* strict, [], "the larger of the two counts")
          yield* world.setRpFilter("all", 1)
          yield* world.setRpFilter("up1", 0)
          assert.deepStrictEqual(yield* strict, ["up1"])
        })
    )
    check("without NET_ADMIN is not permitted", (world) =>
      Effect.gen(function* () {
        const network = yield* world.unprivileged
        const { method, reason } = yield* Effect.orDie(Effect.flip(network.packetPath(uplinks)))
        assert.deepStrictEqual([method, reason._tag], ["packetPath", "NotPermitted"])
      })
    )
    check("without tools fails as transient", (world) =>
      Effect.gen(function* () {
        const network = yield* world.toolless
        const { category, reason } = yield* Effect.orDie(Effect.flip(network.packetPath(uplinks)))
        assert.deepStrictEqual([reason._tag, category], ["ToolFailed", "transient"])
      })
    )
  })
}
