/** What becomes of a pool's addresses on nodes that cannot renew: `options.onControlPlaneLoss`, value by value. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { configMaps } from "../../../src/api/ConfigMap.ts"
import { leases } from "../../../src/api/Lease.ts"
import { nodeConfigMapName, nodeLeaseName } from "../../../src/api/Names.ts"
import * as NodeConfig from "../../../src/api/NodeConfig.ts"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { serviceAnnotations } from "../../../src/domain/Annotations.ts"
import type { ControlPlaneLoss } from "../../../src/domain/ControlPlaneLoss.ts"
import { monotonicMillis } from "../../../src/reconcile/Monotonic.ts"
import { virtually } from "../virtually.ts"
import {
  allocation,
  createEphemeral,
  deleteService,
  floatingIps,
  holderOf,
  messageOf,
  onBridge,
  routedTo,
  shown,
  threeNodes
} from "./CloudCluster.ts"
import * as TestCluster from "./TestCluster.ts"

/** Names of pools, and of the Service of each. */
const places = ["rack", "cloud"] as const
type Place = (typeof places)[number]
type Written = { readonly [P in Place]?: ControlPlaneLoss }

/** Both Services are held by node-1. */
const start = Effect.fnUntraced(function* (written: Written) {
  const cluster = yield* TestCluster.make(threeNodes)
  const { api, memory } = cluster
  const controller = yield* cluster.startController("controller-a")
  const operators = new Map<string, TestCluster.RunningOperator>()
  for (const node of threeNodes) operators.set(node, yield* cluster.startOperator(node))
  const optionsOf = (place: Place) => {
    const onControlPlaneLoss = written[place]
    return { ...onBridge, ...(onControlPlaneLoss && { onControlPlaneLoss }) }
  }
  const rack = { addresses: ["192.0.2.10"], autoAssign: true, options: optionsOf("rack") }
  yield* api.create(persistentIPPools, { metadata: { name: "rack" }, spec: rack })
  yield* createEphemeral(cluster, "cloud", { options: optionsOf("cloud") })
  yield* Effect.sleep("20 seconds")
  for (const name of places) {
    const annotations = { [serviceAnnotations.pool]: name, [serviceAnnotations.preferredNode]: "node-1" }
    const spec = { type: "LoadBalancer", ports: [{ port: 80 }] }
    yield* api.create(services, { metadata: { name, namespace: "shop", annotations }, spec })
  }
  yield* Effect.sleep("20 seconds")
  assert.deepStrictEqual(
    places.map((place) => [holderOf(cluster, place), shown(cluster, place).length]),
    [
      [["node-1"], 1],
      [["node-1"], 1]
    ]
  )
  const addressOf = (place: Place) => TestCluster.address(shown(cluster, place)[0] ?? "")
  const leaseOf = (node: string) => {
    const lease = memory.truth.get(leases, { name: nodeLeaseName(node), namespace: TestCluster.ownNamespace })
    return (lease && NodeLease.read(lease)) ?? assert.fail(`${node} has no lease`)
  }
  const everybody = ["controller-a", ...threeNodes.map((node) => `operator-${node}`)]
  return {
    ...cluster,
    cluster,
    controller,
    addressOf,
    apiAway: Effect.sync(() => everybody.forEach(cluster.cutOff)),
    apiBack: Effect.sync(() => everybody.forEach(cluster.heal)),
    /** Whose kernel answers for it to clients that come by the uplink. */
    answering: (place: Place) =>
      Effect.map(monotonicMillis, (now) =>
        threeNodes.filter((node) => {
          const { fence, state } = cluster.kernel(node)
          const isThere = state().interfaces.some(({ addresses }) =>
            addresses.some(({ address }) => address === addressOf(place))
          )
          return isThere && !fence.blocks(addressOf(place), "eth0", now)
        })
      ),
    routedTo: () => routedTo(cluster, addressOf("cloud")),
    isFenced: (node: string) => leaseOf(node).fenced === leaseOf(node).holdId,
    /** Neither renews nor answers from now on. */
    die: Effect.fnUntraced(function* (node: string) {
      cluster.offLan.add(node)
      yield* operators.get(node)?.kill ?? Effect.void
    })
  }
})

/** X, before and after. */
const before = "3500 millis"
const after = "2 seconds"

describe("while the API server is away", () => {
  // oxfmt-ignore
  it.each<[string, Place, ControlPlaneLoss | undefined, boolean]>([
    // name                                                                     place    written    answered
    ["an address is kept by the word of the voters unless something is written", "rack",  undefined, true],
    ["auto keeps it by the word of the voters",                                 "rack",  "auto",    true],
    ["release lets it go when the lease has run out, whatever the voters say",  "rack",  "release", false],
    ["a cloud's address is kept unless something is written",                   "cloud", undefined, true],
    ["keep keeps it",                                                           "cloud", "keep",    true],
    ["auto keeps a cloud's address by the word of the voters",                  "cloud", "auto",    true],
    ["release lets a cloud's address go, too",                                  "cloud", "release", false]
  ])("%s, and nothing has changed when it is back", (_, place, written, isAnswered) => {
    virtually(
      Effect.gen(function* () {
        const { answering, apiAway, apiBack, cluster, isFenced } = yield* start({ [place]: written })
        const other = place === "rack" ? "cloud" : "rack"
        const versions = () => places.map((each) => allocation(cluster, each)?.metadata.resourceVersion)
        const versionsBefore = versions()
        yield* apiAway
        yield* Effect.sleep(before)
        assert.deepStrictEqual(yield* answering(place), ["node-1"], "the lease has not run out")
        yield* Effect.sleep(after)
        assert.deepStrictEqual(yield* answering(place), isAnswered ? ["node-1"] : [])
        yield* Effect.sleep("100 seconds")
        assert.deepStrictEqual(yield* answering(place), isAnswered ? ["node-1"] : [])
        assert.deepStrictEqual(yield* answering(other), ["node-1"], "the other pool says nothing of it")
        yield* apiBack
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(yield* answering(place), ["node-1"])
        assert.isFalse(isFenced("node-1"))
        assert.deepStrictEqual(versions(), versionsBefore)
      })
    )
  })

  it("what a pool said holds while a controller cannot read the pool", () => {
    virtually(
      Effect.gen(function* () {
        const { answering, apiAway, cluster, controller, cutOff } = yield* start({ rack: "release" })
        yield* controller.stop
        cluster.unreadable.add("persistentippools/rack")
        yield* cluster.startController("controller-b")
        yield* Effect.sleep("30 seconds")
        yield* apiAway
        cutOff("controller-b")
        yield* Effect.sleep(before)
        assert.deepStrictEqual(yield* answering("rack"), ["node-1"])
        yield* Effect.sleep(after)
        assert.deepStrictEqual(yield* answering("rack"), [])
      })
    )
  })

  it("what a pool said is told once, and not again each time that the pool cannot be read", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start({ rack: "release" })
        const config = { namespace: TestCluster.ownNamespace, name: nodeConfigMapName }
        const told = () => {
          const configMap = cluster.memory.truth.get(configMaps, config) ?? assert.fail("operators are told nothing")
          return Result.getOrThrow(NodeConfig.read(configMap)).pools.map(({ pool }) => pool)
        }
        cluster.unreadable.add("persistentippools/rack")
        const touched = { metadata: { annotations: { touched: "by a user" } } }
        yield* cluster.api.patch(persistentIPPools, { name: "rack" }, touched)
        yield* createEphemeral(cluster, "another", { options: onBridge })
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(told(), ["another", "cloud", "rack"])
      })
    )
  })

  it("what is released is not announced: clients are not called to a node that does not answer", () => {
    virtually(
      Effect.gen(function* () {
        const { addressOf, apiAway, apiBack, kernel } = yield* start({ rack: "release" })
        const sent = () =>
          kernel("node-1")
            .announcements()
            .filter(({ address }) => address === addressOf("rack")).length
        yield* apiAway
        yield* Effect.sleep("20 seconds")
        const sentBefore = sent()
        kernel("node-1").foreignDelete("pl0", addressOf("rack"), 32)
        yield* Effect.sleep("40 seconds")
        assert.strictEqual(sent(), sentBefore)
        yield* apiBack
        yield* Effect.sleep("30 seconds")
        assert.isAbove(sent(), sentBefore)
      })
    )
  })
})

describe("a node that alone has lost the API server", () => {
  // oxfmt-ignore
  it.each<[string, Written, { readonly [P in Place]: ReadonlyArray<string> }]>([
    // name                                                        written                               answered after X, before it is fenced
    ["keeps what a cloud routes to it, and lets go of the rest",   {},                                   { rack: [], cloud: ["node-1"] }],
    ["lets go of what is left to the voters, in a cloud as well",  { rack: "auto", cloud: "auto" },      { rack: [], cloud: [] }],
    ["lets go of what is to be released",                          { rack: "release", cloud: "release" }, { rack: [], cloud: [] }]
  ])("%s, and all of it moves", (_, written, answered) => {
    virtually(
      Effect.gen(function* () {
        const { answering, cluster, cutOff, heal, isFenced, routedTo } = yield* start(written)
        cutOff("operator-node-1")
        yield* Effect.sleep("5500 millis")
        for (const place of places) assert.deepStrictEqual(yield* answering(place), answered[place], place)
        assert.isFalse(isFenced("node-1"))
        yield* Effect.sleep("10 seconds")
        assert.isTrue(isFenced("node-1"))
        const [rack] = holderOf(cluster, "rack") ?? []
        const [cloud] = holderOf(cluster, "cloud") ?? []
        assert.notInclude([rack, cloud], "node-1")
        assert.strictEqual(routedTo(), cloud)
        assert.deepStrictEqual(yield* answering("rack"), [rack], "no second one answers")
        assert.sameMembers([...(yield* answering("cloud"))], [cloud ?? "", ...answered.cloud])
        heal("operator-node-1")
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(yield* answering("cloud"), [cloud], "it has let go once it could be reached again")
      })
    )
  })
})

describe("a node that too few voters promise of", () => {
  const waiting = Effect.fnUntraced(function* (written: Written) {
    const running = yield* start(written)
    yield* running.die("node-2")
    running.cutOff("operator-node-1")
    yield* Effect.sleep("20 seconds")
    assert.isFalse(running.isFenced("node-1"))
    assert.deepStrictEqual(holderOf(running.cluster, "rack"), ["node-1"], "what may be served there stays")
    assert.include(messageOf(running.cluster, "rack"), "is silent")
    return running
  })

  it("loses what a cloud routes, by default, and nothing else", () => {
    virtually(
      Effect.gen(function* () {
        const { answering, cluster, heal, isFenced, routedTo } = yield* waiting({})
        assert.deepStrictEqual(holderOf(cluster, "cloud"), ["node-3"])
        assert.strictEqual(routedTo(), "node-3")
        assert.strictEqual(messageOf(cluster, "cloud"), "Allocated")
        assert.deepStrictEqual(yield* answering("rack"), [], "its kernel has let go all the same")
        heal("operator-node-1")
        yield* Effect.sleep("10 seconds")
        assert.isFalse(isFenced("node-1"))
        assert.deepStrictEqual([yield* answering("rack"), yield* answering("cloud")], [["node-1"], ["node-3"]])
        assert.deepStrictEqual([holderOf(cluster, "rack"), holderOf(cluster, "cloud")], [["node-1"], ["node-3"]])
        assert.strictEqual(messageOf(cluster, "rack"), "Allocated")
      })
    )
  })

  it("is waited for before what it was routed is given back: it may have it on its interface still", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, heal } = yield* waiting({})
        yield* deleteService(cluster, "cloud")
        yield* Effect.sleep("1 minute")
        assert.lengthOf(floatingIps(cluster), 1)
        heal("operator-node-1")
        yield* Effect.sleep("1 minute")
        assert.lengthOf(floatingIps(cluster), 0)
      })
    )
  })

  it.each<ControlPlaneLoss>(["auto", "release"])("loses nothing where the cloud's pool says %s", (cloud) => {
    virtually(
      Effect.gen(function* () {
        const { cluster, routedTo } = yield* waiting({ cloud })
        assert.deepStrictEqual(holderOf(cluster, "cloud"), ["node-1"])
        assert.strictEqual(routedTo(), "node-1")
        assert.include(messageOf(cluster, "cloud"), "is silent")
      })
    )
  })

  it("keeps what no other node could have", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, cutOff, die, isFenced, routedTo } = yield* start({})
        yield* die("node-2")
        yield* die("node-3")
        cutOff("operator-node-1")
        yield* Effect.sleep("30 seconds")
        assert.isFalse(isFenced("node-1"))
        assert.deepStrictEqual(holderOf(cluster, "cloud"), ["node-1"])
        assert.strictEqual(routedTo(), "node-1")
      })
    )
  })
})

describe("a pool that no provider routes", () => {
  it("is refused when it is to keep", () => {
    virtually(
      Effect.gen(function* () {
        const { api } = yield* TestCluster.make(threeNodes)
        const spec = { addresses: ["192.0.2.10"], options: { ...onBridge, onControlPlaneLoss: "keep" as const } }
        const refused = yield* Effect.flip(api.create(persistentIPPools, { metadata: { name: "rack" }, spec }))
        assert.include(refused.message, "write auto or release")
      })
    )
  })
})
