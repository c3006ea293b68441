/** What many addresses cost an operator, counted in rounds: each round reads the kernel and plans everything. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { configMaps } from "../../../src/api/ConfigMap.ts"
import { type Allocation, ipAllocations } from "../../../src/api/IPAllocation.ts"
import { leases } from "../../../src/api/Lease.ts"
import {
  addressLabel,
  managedByLabel,
  managedByValue,
  nodeConfigMapName,
  nodeLabel,
  nodeLeaseAnnotations,
  nodeLeaseName
} from "../../../src/api/Names.ts"
import type { Address } from "../../../src/domain/Address.ts"
import { NodeNetworkError, NotPermitted } from "../../../src/ports/NodeNetwork.ts"
import * as TestCluster from "../integration/TestCluster.ts"
import { virtually } from "../virtually.ts"

const COUNT = 1_000
const addressOf = (index: number) => TestCluster.address(`198.51.${100 + (index >> 8)}.${index & 255}`)

const labelsOf = (address: Address) => ({
  [managedByLabel]: managedByValue,
  [nodeLabel("node-1")]: "",
  [addressLabel(address)]: ""
})

/** An operator on an idle node, and a way to give it addresses. */
const start = Effect.gen(function* () {
  const cluster = yield* TestCluster.make(["node-1"])
  const network = { pool: "rack-1", interfaceName: "pl0", mode: "auto", uplinks: [], startupCleaning: "all" }
  yield* cluster.api.create(configMaps, {
    metadata: { name: nodeConfigMapName, namespace: TestCluster.ownNamespace },
    data: { "config.json": JSON.stringify({ pools: [network] }) }
  })
  yield* cluster.startOperator("node-1")
  yield* Effect.sleep("2 seconds")
  const leaseRef = { name: nodeLeaseName("node-1"), namespace: TestCluster.ownNamespace }
  const holdId = cluster.memory.truth.get(leases, leaseRef)?.metadata.annotations?.[nodeLeaseAnnotations.holdId] ?? ""
  const entryOf = (index: number, epoch = 1) => ({
    address: addressOf(index),
    pool: "rack-1",
    nodeName: "node-1",
    networkInterface: "pl0",
    holdId,
    epoch
  })
  const give = (index: number, epoch = 1, name = `web-${index}`) =>
    cluster.api.create(ipAllocations, {
      metadata: { name, namespace: "shop", labels: labelsOf(addressOf(index)) },
      spec: { type: "persistent", allocations: [entryOf(index, epoch)] }
    })
  const change = (index: number, entry: Allocation) => {
    const ref = { name: `web-${index}`, namespace: "shop" }
    return cluster.api.patch(ipAllocations, ref, { spec: { allocations: [entry] } })
  }
  /** What was given at epoch 1: under another epoch. */
  const giveAnew = (index: number) => change(index, entryOf(index, 2))
  const moveAway = (index: number) => {
    const next = { nodeName: "node-2", holdId: "1.other", epoch: 2 }
    const previous = [{ node: "node-1", holdId, epoch: 1 }]
    return change(index, { ...entryOf(index), ...next, previous })
  }
  /** By another node, which then dies. */
  const servedElsewhere = Effect.fnUntraced(function* (index: number) {
    const [entry, ref] = [entryOf(index), { name: `web-${index}`, namespace: "shop" }]
    const holder = { nodeName: "node-2", holdId: "1.other" }
    const metadata = { ...ref, labels: labelsOf(addressOf(index)) }
    const spec = { type: "persistent" as const, allocations: [{ ...entry, ...holder }] }
    yield* cluster.api.create(ipAllocations, { metadata, spec })
    const said = { address: entry.address, node: "node-2", holdId: holder.holdId, epoch: 1, phase: "Serving" }
    yield* cluster.api.patch(ipAllocations, ref, { status: { addresses: [said] } }, { subresource: "status" })
  })
  const kernel = cluster.kernel("node-1")
  const carried = () =>
    new Set(kernel.state().interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address)))
  const counted = () => ({
    reads: kernel.calls().get("state") ?? 0,
    additions: kernel.calls().get("addAddress") ?? 0,
    reports: cluster.memory.requests().get("operator-node-1 apply ipallocations/status") ?? 0,
    lists: cluster.memory.requests().get("operator-node-1 list ipallocations") ?? 0
  })
  /** Of every IPAllocation that the node has said something about. */
  const said = (phase: "Serving" | "Released", epoch: number) =>
    cluster.memory.truth
      .list(ipAllocations)
      .filter(({ status }) => status?.addresses?.some((each) => each.phase === phase && each.epoch === epoch)).length
  const delayReports = (replyDelayMillis: number) =>
    cluster.memory.faults.setPolicy(({ method }) => Effect.succeed(method === "apply" ? { replyDelayMillis } : {}))
  return { cluster, give, giveAnew, servedElsewhere, moveAway, carried, counted, said, delayReports }
})

describe("rounds of the operator", () => {
  it(`takes ${COUNT} addresses that come at once in a few rounds`, () => {
    virtually(
      Effect.gen(function* () {
        const { carried, counted, give } = yield* start
        const before = counted()
        for (let index = 0; index < COUNT; index++) yield* give(index)
        yield* Effect.sleep("1 second")
        const { additions, lists, reads, reports } = counted()
        assert.isAtMost(lists - before.lists, 3, "one for all that came since the last")
        assert.strictEqual(carried().has(addressOf(COUNT - 1)), true)
        assert.deepStrictEqual({ additions, reports }, { additions: COUNT, reports: COUNT })
        assert.isAtMost(reads - before.reads, 10)
      })
    )
  })

  it(`takes ${COUNT} addresses that come one by one in a round each 50 ms, and has each within 100 ms`, () => {
    virtually(
      Effect.gen(function* () {
        const { carried, counted, give } = yield* start
        const before = counted()
        const [pauseMillis, patienceMillis] = [4, 100]
        for (let index = 0; index < COUNT; index++) {
          yield* give(index)
          yield* Effect.sleep(pauseMillis)
          const due = index - patienceMillis / pauseMillis
          if (due >= 0) assert.isTrue(carried().has(addressOf(due)), `${addressOf(due)} after ${patienceMillis} ms`)
        }
        yield* Effect.sleep("1 second")
        const { additions, lists, reads, reports } = counted()
        assert.deepStrictEqual({ additions, reports }, { additions: COUNT, reports: COUNT })
        // Twice a round, before and after.
        const rounds = (COUNT * pauseMillis) / 50
        assert.isAtMost(reads - before.reads, 2 * rounds + 10)
        assert.isAtMost(lists - before.lists, rounds + 3, "who else claims what: one list a round")
      })
    )
  })

  it("leaves two thirds of the time to others where the kernel is slow", () => {
    virtually(
      Effect.gen(function* () {
        const { carried, cluster, counted, give } = yield* start
        const { network } = cluster.kernel("node-1")
        const [readMillis, pauseMillis] = [75, 4]
        Object.assign(network, { state: Effect.delay(network.state, readMillis) })
        const before = counted()
        for (let index = 0; index < COUNT; index++) {
          yield* give(index)
          yield* Effect.sleep(pauseMillis)
        }
        const readingMillis = (counted().reads - before.reads) * readMillis
        assert.isAtMost(readingMillis, (COUNT * pauseMillis) / 3 + 4 * readMillis)
        yield* Effect.sleep("800 millis")
        assert.isTrue(carried().has(addressOf(COUNT - 1)))
      })
    )
  })

  // oxfmt-ignore
  it.each([
    ["takes over what was served elsewhere before it has reported what came before", 2, true],
    ["reports that before it takes what nobody was served", 1, false]
  ] as const)("%s", (_, epoch, isTaken) => {
    virtually(
      Effect.gen(function* () {
        const { carried, counted, delayReports, give } = yield* start
        const reportMillis = 100
        delayReports(reportMillis)
        const count = 50
        for (let index = 0; index < count; index++) yield* give(index)
        yield* Effect.sleep(reportMillis / 2)
        yield* give(count, epoch)
        yield* Effect.sleep(2 * reportMillis)
        assert.strictEqual(carried().has(addressOf(count)), isTaken)
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(counted().reports, count + 1, "each is reported once")
      })
    )
  })

  it("takes over while reports are under way that the API server is slow to answer, and waits for none of them", () => {
    virtually(
      Effect.gen(function* () {
        const { carried, cluster, counted, give } = yield* start
        cluster.memory.faults.setPolicy(({ method }) =>
          Effect.succeed(method === "apply" ? { replyDelayMillis: 900 } : {})
        )
        for (let index = 0; index < 5; index++) yield* give(index)
        yield* Effect.sleep("200 millis")
        assert.strictEqual(counted().reports, 5, "all are under way")
        yield* give(5, 2)
        yield* Effect.sleep("200 millis")
        assert.isTrue(carried().has(addressOf(5)))
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(counted().reports, 6, "each is reported once")
      })
    )
  })

  it("does not ask for ever what an API server out of breath would answer, had it the time", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, counted, give, said } = yield* start
        cluster.memory.faults.setPolicy(({ method }) =>
          Effect.succeed(method === "apply" ? { delayMillis: 3_500 } : {})
        )
        const count = 40
        for (let index = 0; index < count; index++) yield* give(index)
        yield* Effect.sleep("60 seconds")
        assert.strictEqual(said("Serving", 1), count)
        assert.isAtMost(counted().reports, count + 16, "two attempts of eight at once were given up")
      })
    )
  })

  it("says first what it has let go of, also before it takes over what comes meanwhile", () => {
    virtually(
      Effect.gen(function* () {
        const { carried, delayReports, give, giveAnew, moveAway, said } = yield* start
        // Eight reports are under way at once: these are sent at once, and with the first reply.
        const count = 2 * 8
        for (let index = 0; index < 2 * count; index++) yield* give(index)
        yield* Effect.sleep("1 second")
        const reportMillis = 100
        delayReports(reportMillis)
        for (let index = 0; index < count; index++) yield* giveAnew(index)
        for (let index = count; index < 2 * count; index++) yield* moveAway(index)
        // So shortly before the first reply that this comes while the operator rests.
        yield* Effect.sleep(0.9 * reportMillis)
        yield* give(2 * count, 2)
        yield* Effect.sleep(0.2 * reportMillis)
        assert.deepStrictEqual([said("Released", 1), said("Serving", 2)], [count, 0])
        yield* Effect.sleep(reportMillis)
        assert.isTrue(carried().has(addressOf(2 * count)))
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(said("Serving", 2), count + 1)
      })
    )
  })

  it("reports in one round what it has taken over in it: that waits for nothing any more", () => {
    virtually(
      Effect.gen(function* () {
        const { counted, delayReports, give, said } = yield* start
        delayReports(100)
        const before = counted()
        const count = 50
        for (let index = 0; index < count; index++) yield* give(index, 2)
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(said("Serving", 2), count)
        assert.isAtMost(counted().reads - before.reads, 4, "twice a round, before and after")
      })
    )
  })

  it("says what it takes over when no more comes, or a second and a half after the first", () => {
    virtually(
      Effect.gen(function* () {
        const { counted, give, giveAnew, moveAway, said, servedElsewhere } = yield* start
        yield* give(0)
        for (let index = 1; index <= 15; index++) yield* servedElsewhere(index)
        yield* Effect.sleep("1 second")
        const before = counted()
        for (let index = 1; index <= 14; index++) {
          yield* giveAnew(index)
          yield* Effect.sleep("100 millis")
        }
        assert.strictEqual(counted().reports - before.reports, 0, "more comes every 100 ms")
        yield* moveAway(0)
        yield* give(16)
        yield* give(17, 2)
        yield* Effect.sleep("90 millis")
        assert.strictEqual(counted().reports - before.reports, 3, "others wait for these")
        assert.deepStrictEqual([said("Released", 1), said("Serving", 2)], [1, 1])
        yield* Effect.sleep("100 millis")
        assert.strictEqual(said("Serving", 2), 1 + 14, "1.5 s after the first")
        yield* giveAnew(15)
        yield* Effect.sleep("250 millis")
        assert.strictEqual(said("Serving", 2), 1 + 14)
        yield* Effect.sleep("150 millis")
        assert.strictEqual(said("Serving", 2), 1 + 15, "300 ms after the last")
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(counted().reports - before.reports, 3 + 15, "each is reported once")
      })
    )
  })

  it("reports beside an address that it is to take over and may not", () => {
    virtually(
      Effect.gen(function* () {
        const { carried, give, said } = yield* start
        yield* give(0, 2)
        yield* give(0, 2, "rival")
        yield* Effect.sleep("5 seconds")
        yield* give(1)
        yield* Effect.sleep("1 second")
        assert.isFalse(carried().has(addressOf(0)))
        assert.strictEqual(said("Serving", 1), 1)
      })
    )
  })

  it("does not let a single address wait", () => {
    virtually(
      Effect.gen(function* () {
        const { carried, counted, give } = yield* start
        const before = counted()
        yield* give(0)
        yield* Effect.sleep(1)
        assert.isTrue(carried().has(addressOf(0)))
        yield* Effect.sleep("10 minutes")
        assert.strictEqual(counted().lists - before.lists, 1, "who else claims it is asked once, not at renewals")
      })
    )
  })

  it("goes on after one that met a bug: what it left is done, and what comes later is served", () => {
    virtually(
      Effect.gen(function* () {
        const { carried, cluster, give } = yield* start
        const { network } = cluster.kernel("node-1")
        const { addAddress } = network
        Object.assign(network, { addAddress: () => Effect.die("a bug") })
        yield* give(0)
        yield* Effect.sleep("3 seconds")
        Object.assign(network, { addAddress })
        yield* give(1)
        yield* Effect.sleep("3 seconds")
        assert.deepStrictEqual([carried().has(addressOf(0)), carried().has(addressOf(1))], [true, true])
      })
    )
  })

  it("tries what fails once a second, however much has happened meanwhile", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, counted, give } = yield* start
        const reason = new NotPermitted({ message: "ip: Operation not permitted" })
        const refused = Effect.fail(new NodeNetworkError({ method: "addAddress", reason }))
        Object.assign(cluster.kernel("node-1").network, { addAddress: () => refused })
        const count = 30
        for (let index = 0; index < count; index++) {
          yield* give(index)
          yield* Effect.sleep("137 millis")
        }
        yield* Effect.sleep("5 seconds")
        const { reads } = counted()
        yield* Effect.sleep("1 minute")
        // Twice a round, before and after.
        assert.isAtMost(counted().reads - reads, 2 * 60)
      })
    )
  })
})
