/** Where netfilter may be gone round, the pools say so, and what they serve they go on serving. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { events } from "../../../src/api/Event.ts"
import { leases } from "../../../src/api/Lease.ts"
import { nodeLeaseAnnotations, nodeLeaseName } from "../../../src/api/Names.ts"
import { nodes } from "../../../src/api/Node.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { virtually } from "../virtually.ts"
import * as TestCluster from "./TestCluster.ts"

const nodeNames = ["node-1", "node-2", "node-3"]
const address = "192.0.2.10"

const start = Effect.gen(function* () {
  const cluster = yield* TestCluster.make(nodeNames)
  yield* cluster.startController("controller-a")
  const operators = yield* Effect.forEach(nodeNames, (node) => cluster.startOperator(node))
  const hostNetworkInterface = { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" }
  const pool = (name: string, spec: object) =>
    cluster.api.create(persistentIPPools, {
      apiVersion: "loadbalancing.plenus.io/v1alpha1",
      kind: "PersistentIPPool",
      metadata: { name },
      spec: { addresses: [address], ...spec }
    })
  yield* pool("rack-1", { options: { hostNetworkInterface } })
  yield* pool("elsewhere", { addresses: ["198.51.100.7"] })
  yield* cluster.api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], externalIPs: [address] }
  })
  const degraded = (name = "rack-1") =>
    cluster.memory.truth.get(persistentIPPools, { name })?.status?.conditions?.find(({ type }) => type === "Degraded")
  const saidBy = (node: string) =>
    cluster.memory.truth.get(leases, { name: nodeLeaseName(node), namespace: TestCluster.ownNamespace })?.metadata
      .annotations?.[nodeLeaseAnnotations.bypassed]
  const served = () =>
    nodeNames.filter((node) =>
      cluster
        .kernel(node)
        .state()
        .interfaces.some(({ addresses }) => addresses.some((each) => each.address === address))
    ).length
  const told = () =>
    [...cluster.memory.truth.list(events).values()].filter(({ reason }) => reason === "FenceBypassed").length
  return { ...cluster, operators, pool, hostNetworkInterface, degraded, saidBy, served, told }
})

/** Found twice, 30 s apart, and renewed after it. */
const untilTold = Effect.sleep("65 seconds")

describe("a node whose netfilter has nothing of kube-proxy", () => {
  it("is named by the pools that add addresses to an interface, and serves all the same", () => {
    virtually(
      Effect.gen(function* () {
        const { degraded, kernel, served } = yield* start
        kernel("node-2").setKubeProxy("missing")
        yield* untilTold
        assert.strictEqual(degraded()?.reason, "FenceBypassed")
        assert.include(degraded()?.message, "On node-2 netfilter has nothing of kube-proxy")
        assert.strictEqual(degraded("elsewhere")?.reason, "AsSpecified")
        assert.strictEqual(served(), 1)
      })
    )
  })

  it("is named by a cloud's pools that rely on the kernel's lease, and by no others", () => {
    virtually(
      Effect.gen(function* () {
        const { degraded, hostNetworkInterface, kernel, pool } = yield* start
        const cloudIntegration = { hetzner: { token: TestCluster.cloudToken } }
        yield* pool("kept", { addresses: ["198.51.100.8"], cloudIntegration, options: { hostNetworkInterface } })
        const options = { hostNetworkInterface, onControlPlaneLoss: "release" }
        yield* pool("released", { addresses: ["198.51.100.9"], cloudIntegration, options })
        kernel("node-2").setKubeProxy("missing")
        yield* untilTold
        assert.deepStrictEqual(
          ["rack-1", "kept", "released"].map((name) => degraded(name)?.reason),
          ["FenceBypassed", "AsSpecified", "FenceBypassed"]
        )
      })
    )
  })

  it("says by which programs, on the interfaces by which clients come", () => {
    virtually(
      Effect.gen(function* () {
        const { kernel, saidBy } = yield* start
        kernel("node-2").setKubeProxy("missing")
        kernel("node-2").setPrograms("eth0", ["tc"])
        kernel("node-2").setPrograms("pl0", ["xdp"])
        yield* untilTold
        assert.isTrue(saidBy("node-2")?.endsWith("before it: tc on eth0"), saidBy("node-2"))
        assert.isUndefined(saidBy("node-1"))
      })
    )
  })

  it("is told of once, with others, and not any more once kube-proxy is there", () => {
    virtually(
      Effect.gen(function* () {
        const { degraded, kernel, memory, told } = yield* start
        for (const node of nodeNames) kernel(node).setKubeProxy("missing")
        yield* untilTold
        yield* untilTold
        assert.include(degraded()?.message, "On node-1 and others")
        const writes = () => memory.requests().get("controller-a apply persistentippools/status") ?? 0
        const [before, toldBefore] = [writes(), told()]
        yield* Effect.sleep("10 minutes")
        assert.isAbove(before, 0)
        assert.isAbove(toldBefore, 0)
        assert.deepStrictEqual([writes(), told()], [before, toldBefore])
        for (const node of nodeNames) kernel(node).setKubeProxy("found")
        yield* untilTold
        assert.strictEqual(degraded()?.reason, "AsSpecified")
      })
    )
  })

  it.each(["before", "after"])("is not told of any more once its Node is gone, %s its lease is fenced", (when) => {
    virtually(
      Effect.gen(function* () {
        const { api, degraded, kernel, operators } = yield* start
        kernel("node-2").setKubeProxy("missing")
        yield* untilTold
        assert.strictEqual(degraded()?.reason, "FenceBypassed")
        yield* operators[1]?.kill ?? Effect.void
        if (when === "after") yield* Effect.sleep("60 seconds")
        assert.strictEqual(degraded()?.reason, "FenceBypassed", "it may serve on where it is cut off")
        yield* api.delete(nodes, { name: "node-2" })
        yield* Effect.sleep("60 seconds")
        assert.strictEqual(degraded()?.reason, "AsSpecified")
      })
    )
  })

  it("is not told of while kube-proxy is only late", () => {
    virtually(
      Effect.gen(function* () {
        const { kernel, saidBy, told } = yield* start
        kernel("node-2").setKubeProxy("missing")
        yield* Effect.sleep("35 seconds")
        kernel("node-2").setKubeProxy("found")
        yield* untilTold
        assert.isUndefined(saidBy("node-2"))
        assert.strictEqual(told(), 0)
      })
    )
  })

  it("goes on being told of after its tools failed", () => {
    virtually(
      Effect.gen(function* () {
        const { kernel, saidBy } = yield* start
        kernel("node-2").setKubeProxy("missing")
        yield* untilTold
        const said = saidBy("node-2")
        assert.isDefined(said)
        kernel("node-2").setToolFailure("did not start: ENOENT")
        yield* Effect.sleep("31 seconds")
        kernel("node-2").setToolFailure(undefined)
        yield* Effect.sleep("5 seconds")
        assert.strictEqual(saidBy("node-2"), said)
      })
    )
  })
})
