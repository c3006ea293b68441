/** What is written again and again: somebody undoes it as fast as it is told, as two leaders do that see things differently, or forbids it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { nodeLeaseName } from "../../../src/api/Names.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { Denied, type KubernetesError, Unavailable } from "../../../src/ports/Kubernetes.ts"
import { allocation, carriers, createPool, createService, run, shown, start, startServed } from "./Acting.ts"

const web = { namespace: "shop", name: "web" }
const noRoute = Effect.succeed({ refuse: new Unavailable({ message: "no route" }) })
const edited = { status: { state: "error", message: "edited" } }

describe("what users are told", () => {
  it("is put right a few times at once, then every five seconds, for as long as somebody undoes it", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startServed
        assert.strictEqual(allocation(cluster, "web")?.status?.state, "success")
        let count = 0
        const undone = Effect.gen(function* () {
          if (allocation(cluster, "web")?.status?.state !== "success") return
          count += 1
          yield* cluster.api.patch(ipAllocations, web, edited, { subresource: "status" })
        })
        const others = Effect.forever(Effect.andThen(undone, Effect.sleep("10 millis")))
        yield* Effect.timeoutOption(others, "1 minute")
        assert.isAtLeast(count, 10)
        assert.isAtMost(count, 6 + 60 / 5 + 1)
        assert.lengthOf(shown(cluster, "web"), 1)
        yield* Effect.sleep("6 seconds")
        assert.strictEqual(allocation(cluster, "web")?.status?.state, "success")
      })
    )
  })

  it("is not for a moment that an address is away which moves to another node, however many do", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startServed
        const [holder = ""] = carriers(cluster, shown(cluster, "web")[0] ?? "")
        const told = () => cluster.memory.requests().get("controller-a apply ipallocations/status") ?? 0
        const before = told()
        assert.isAbove(before, 0)
        // Who takes over is slow to say so, as when it does for many.
        cluster.memory.faults.setPolicy(({ method, user }) => {
          if (user === `operator-${holder}`) return noRoute
          return Effect.succeed(method === "apply" && user.startsWith("operator-") ? { delayMillis: 900 } : {})
        })
        yield* Effect.sleep("20 seconds")
        const entry = allocation(cluster, "web")?.spec.allocations[0]
        const said = allocation(cluster, "web")?.status?.addresses?.find(({ node }) => node === entry?.nodeName)
        assert.notStrictEqual(entry?.nodeName, holder)
        assert.deepStrictEqual([said?.phase, said?.epoch], ["Serving", entry?.epoch])
        assert.strictEqual(told(), before)
      })
    )
  })
})

/** By somebody who looks every 10 ms for a minute; answers how often. */
const undoing = Effect.fnUntraced(function* (undo: Effect.Effect<boolean, KubernetesError>) {
  let count = 0
  const look = Effect.map(undo, (isUndone) => void (count += isUndone ? 1 : 0))
  yield* Effect.timeoutOption(Effect.forever(Effect.andThen(look, Effect.sleep("10 millis"))), "1 minute")
  return count
})

const isPaced = (count: number) => {
  assert.isAtLeast(count, 20)
  assert.isAtMost(count, 20 + 60 / 5 + 1)
}

describe("what is written for a Service", () => {
  it("is put right at a pace for as long as another controller writes its own addresses there, and nothing else waits", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startServed
        const before = shown(cluster, "web")
        const theirs = { status: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } } }
        const undo = Effect.gen(function* () {
          if (shown(cluster, "web").includes("203.0.113.1")) return false
          yield* cluster.api.patch(services, web, theirs, { subresource: "status" })
          return true
        })
        isPaced(yield* undoing(undo))
        yield* cluster.api.patch(services, web, { spec: { externalIPs: ["192.0.2.12"] } })
        yield* Effect.sleep("1 second")
        assert.notDeepEqual(before, ["192.0.2.12"])
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.12"])
      })
    )
  })

  it("is put right at a pace for as long as something takes labels off its IPAllocation", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startServed
        const undo = Effect.gen(function* () {
          const labels = Object.keys(allocation(cluster, "web")?.metadata.labels ?? {})
          if (labels.length === 0) return false
          const none = Object.fromEntries(labels.map((label) => [label, null]))
          yield* cluster.api.patch(ipAllocations, web, { metadata: { labels: none } })
          return true
        })
        isPaced(yield* undoing(undo))
        yield* Effect.sleep("6 seconds")
        assert.isNotEmpty(allocation(cluster, "web")?.metadata.labels)
      })
    )
  })
})

describe("the status of a pool", () => {
  it("is put right at a pace for as long as somebody writes their own, and what changes beside that does not wait", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* Effect.sleep("10 seconds")
        const status = () => cluster.memory.truth.get(persistentIPPools, { name: "rack-1" })?.status
        const undo = Effect.gen(function* () {
          if (status()?.addressesTotal !== 3) return false
          const theirs = { status: { addressesTotal: 0 } }
          yield* cluster.api.patch(persistentIPPools, { name: "rack-1" }, theirs, { subresource: "status" })
          return true
        })
        isPaced(yield* undoing(undo))
        yield* createService(cluster, "web")
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual([status()?.addressesTotal, status()?.addressesInUse], [3, 1])
      })
    )
  })

  it("leaves a finalizer that something takes off again and again to a pace, too", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* Effect.sleep("10 seconds")
        const pool = () => cluster.memory.truth.get(persistentIPPools, { name: "rack-1" })
        const finalizers = () => pool()?.metadata.finalizers ?? []
        const undo = Effect.gen(function* () {
          if (finalizers().length === 0) return false
          yield* cluster.api.patch(persistentIPPools, { name: "rack-1" }, { metadata: { finalizers: [] } })
          return true
        })
        isPaced(yield* undoing(undo))
        yield* Effect.sleep("6 seconds")
        assert.isNotEmpty(finalizers())
      })
    )
  })
})

describe("a fence that a policy forbids", () => {
  it("is tried once a second, and made once it is allowed", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startServed
        const [address = ""] = shown(cluster, "web")
        const [holder = ""] = carriers(cluster, address)
        let isForbidden = true
        let tries = 0
        cluster.memory.faults.setPolicy(({ method, name, user }) => {
          if (user === `operator-${holder}`) return noRoute
          if (!isForbidden || method !== "replace" || name !== nodeLeaseName(holder)) return Effect.succeed({})
          tries += 1
          return Effect.succeed({ refuse: new Denied({ status: 403, message: "by policy" }) })
        })
        yield* Effect.sleep("70 seconds")
        assert.isAtLeast(tries, 55)
        assert.isAtMost(tries, 70)
        const holderOf = () => allocation(cluster, "web")?.spec.allocations[0]?.nodeName
        assert.strictEqual(holderOf(), holder)
        isForbidden = false
        yield* Effect.sleep("2 seconds")
        assert.notStrictEqual(holderOf(), holder)
      })
    )
  })
})
