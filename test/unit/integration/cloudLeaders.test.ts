/** What a leader keeps of its cloud when another leads for a while, and what it tells users before it knows better. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { serviceConditionType } from "../../../src/api/Names.ts"
import { services } from "../../../src/api/Service.ts"
import {
  allocation,
  conditionOf,
  createService,
  deleteService,
  floatingIps,
  messageOf,
  run,
  shown,
  startServed
} from "./CloudCluster.ts"
import type * as TestCluster from "./TestCluster.ts"

const servedOf = (cluster: TestCluster.TestCluster, name: string) =>
  cluster.memory.truth
    .get(services, { namespace: "shop", name })
    ?.status?.conditions?.find(({ type }) => type === serviceConditionType)?.status

/** The pool may buy one address, which `web` has: `blog` has none. */
const startFull = Effect.fnUntraced(function* () {
  const { cluster } = yield* startServed({ maxAddresses: 1 })
  yield* createService(cluster, "blog")
  yield* Effect.sleep("20 seconds")
  assert.include(messageOf(cluster, "blog"), "spec.maxAddresses")
  return cluster
})

describe("a Service that waits for an address of a cloud", () => {
  it("is told no refusal any more by who leads again, once another has bought it (seed 5 of the simulation)", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startFull()
        cluster.cutOff("controller-a")
        const other = yield* cluster.startController("controller-b")
        yield* Effect.sleep("40 seconds")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("60 seconds")
        assert.lengthOf(shown(cluster, "blog"), 1)
        assert.strictEqual(servedOf(cluster, "blog"), "True")
        yield* other.stop
        cluster.heal("controller-a")
        yield* Effect.sleep("5 minutes")
        assert.strictEqual(allocation(cluster, "blog")?.status?.state, "success")
        assert.strictEqual(servedOf(cluster, "blog"), "True")
      })
    )
  })

  it("is not told by each new leader that it has not read the project yet (seed 8 of the simulation)", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startFull()
        const before = messageOf(cluster, "blog")
        const told = new Set<string>()
        cluster.memory.truth.subscribe(() => void told.add(messageOf(cluster, "blog")))
        cluster.cutOff("controller-a")
        yield* cluster.startController("controller-b")
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual([...told], [before])
      })
    )
  })
})

describe("a leader whose watches stand still", () => {
  it("buys nothing for what another has let go meanwhile (seed 5 of the simulation)", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startServed()
        const before = floatingIps(cluster).length
        cluster.project.faults.setPolicy(({ method }) => (method === "POST" ? { badGateway: "before" } : {}))
        yield* createService(cluster, "blog")
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(
          allocation(cluster, "blog")?.spec.allocations.map(({ address }) => address),
          [""]
        )
        cluster.memory.faults.setDelivery(({ user }) => (user === "controller-a" ? Effect.never : Effect.void))
        yield* deleteService(cluster, "blog")
        const blog = { namespace: "shop", name: "blog" }
        yield* cluster.api.patch(ipAllocations, blog, { metadata: { finalizers: [] } })
        yield* cluster.api.delete(ipAllocations, blog)
        const asked = () => cluster.memory.requests().get("controller-a get ipallocations") ?? 0
        const askedBefore = asked()
        cluster.project.faults.clear()
        yield* Effect.sleep("1 minute")
        assert.isAbove(asked(), askedBefore, "it still believes that this is to be bought")
        assert.strictEqual(floatingIps(cluster).length, before)
      })
    )
  })
})

describe("a cloud that could not be used", () => {
  it("is not told to be so by who leads again, once another has used it", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed()
        cluster.project.faults.setPolicy(() => ({ badGateway: "before" }))
        yield* Effect.sleep("2 minutes")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.status, "False")
        cluster.cutOff("controller-a")
        const other = yield* cluster.startController("controller-b")
        cluster.project.faults.clear()
        yield* Effect.sleep("2 minutes")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.status, "True")
        const [before, told] = [messageOf(cluster, "web"), new Set<string>()]
        cluster.memory.truth.subscribe(() => {
          told.add(messageOf(cluster, "web")).add(conditionOf(cluster, "CredentialsValid")?.status ?? "")
        })
        yield* other.stop
        cluster.heal("controller-a")
        yield* Effect.sleep("2 minutes")
        told.delete("Unknown")
        assert.deepStrictEqual([...told], [before, "True"])
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
      })
    )
  })
})
