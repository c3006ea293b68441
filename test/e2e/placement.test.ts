/** Who may hold an address: exclusion hands over, NotReady alone does not. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure } from "./harness/eventually.ts"
import { cluster, placesOf } from "./harness/Lab.ts"
import { monitorAddresses } from "./harness/AddressMonitor.ts"
import { probe } from "./harness/Probe.ts"
import * as Product from "./harness/Product.ts"
import { scenario } from "./harness/Scenario.ts"

const excluded = "node.kubernetes.io/exclude-from-external-load-balancers"

describe("a node that holds an address", () => {
  beforeAll(Product.installed)

  it("hands over when it is excluded, and gets nothing back afterwards", async () => {
    const { after, allocation, pool, served, service, workload } = await scenario("excluded")
    await pool({ addresses: ["172.30.0.219"] })
    await workload()
    await service("web", "172.30.0.219")
    const before = await served("web")
    const client = await probe(before.address)
    after(() => Cluster.kubectl("label", "node", before.node, `${excluded}-`))
    await Cluster.kubectl("label", "node", before.node, `${excluded}=`)
    const moved = await eventually("another node serves it", async () => {
      const found = await served("web")
      return found.node !== before.node && found.node
    })
    await eventually("only that one has it", async () => {
      const places = await placesOf(before.address)
      return places.length === 1 && places[0]?.node === moved
    })
    await client.answers()
    figure(`longest gap of the handover ${(await client.report()).longestGapMillis} ms`)

    await Cluster.kubectl("label", "node", before.node, `${excluded}-`)
    await client.answers()
    assert.strictEqual((await allocation("web"))?.spec.allocations[0]?.nodeName, moved)
  })

  it("keeps it while it is NotReady and its operator renews", async () => {
    const { after, allocation, pool, served, service } = await scenario("not-ready")
    await pool({ addresses: ["172.30.0.220"] })
    await service("web", "172.30.0.220")
    const { address, node } = await served("web")
    const monitor = await monitorAddresses(node)
    const entry = (await allocation("web"))?.spec.allocations[0]
    after(async () => {
      await cluster("enter-node", node, "pkill", "-CONT", "-x", "kubelet")
      await eventually("the node is Ready", async () => (await Cluster.readinessOf(node)) === "True")
      await Product.installed()
    })
    await cluster("enter-node", node, "pkill", "-STOP", "-x", "kubelet")
    await eventually("Kubernetes takes the node for dead", async () => (await Cluster.readinessOf(node)) === "Unknown")
    // Another Service is placed meanwhile: the controller has seen the node's state and has acted on it.
    await pool({ addresses: ["172.30.0.220", "172.30.0.221"] })
    await service("other", "172.30.0.221", { annotations: { "loadbalancing.plenus.io/preferred-node": node } })
    assert.notStrictEqual((await served("other")).node, node, "no new address for a node that is NotReady")
    assert.deepStrictEqual((await allocation("web"))?.spec.allocations[0], entry)
    assert.deepStrictEqual(monitor.removals(address), [])
    assert.deepStrictEqual(
      (await placesOf(address)).map((place) => place.node),
      [node]
    )
  })
})
