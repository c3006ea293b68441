/**
 * The plug is pulled on the node that holds an address. Kubernetes notices after 50 s with its own times; the address
 * must be elsewhere long before, and nothing may move back when the node returns.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure } from "./harness/eventually.ts"
import { cluster, nodeNames, placesOf } from "./harness/Lab.ts"
import { probe } from "./harness/Probe.ts"
import * as Product from "./harness/Product.ts"
import { onNodes, scenario } from "./harness/Scenario.ts"

/** Where the leading controller is, or where it is not. */
const nodeBesideTheLeader = async (together: boolean): Promise<string> => {
  const { leader } = await Product.controllersReady()
  return nodeNames.find((node) => (node === leader.spec?.nodeName) === together) ?? ""
}

describe("power-off of the node that holds an address", () => {
  beforeAll(Product.installed)

  it.each([
    ["moves the address before Kubernetes notices, and nothing back", "power-off", "172.30.0.205", false],
    ["does so too when the leading controller dies with it", "power-off-leader", "172.30.0.206", true]
  ] as const)("%s", async (_, name, address, together) => {
    const { after, allocation, pool, served, service, workload } = await scenario(name)
    await pool({ addresses: [address] })
    const preferred = await nodeBesideTheLeader(together)
    await service("web", address, { annotations: { "loadbalancing.plenus.io/preferred-node": preferred } })
    const before = await served("web")
    assert.strictEqual(before.node, preferred)
    // Kubernetes leaves a dead node's endpoints in use until it notices: that part is not ours, so no pod runs there.
    const living = nodeNames.filter((node) => node !== before.node)
    await workload(onNodes(living))
    const client = await probe(address)

    after(async () => {
      await cluster("node-power-on", before.node)
      await Cluster.allReady(nodeNames)
      await Product.installed()
    })
    await cluster("node-power-off", before.node)
    const moved = await eventually("the IPAllocation names another node", async () => {
      const node = (await allocation("web"))?.spec.allocations[0]?.nodeName
      return node !== before.node && node
    })
    await client.answers()
    assert.notStrictEqual(await Cluster.readinessOf(before.node), "Unknown", "the move came before Kubernetes noticed")
    const { longestGapMillis, perSecond } = await client.report()
    figure(`outage ${longestGapMillis} ms (bound of the default profile: 7000 ms), ${perSecond} probes a second`)
    assert.isAtLeast(perSecond, 100)
    assert.deepStrictEqual(
      (await placesOf(address, living)).map(({ node }) => node),
      [moved]
    )

    client.restart()
    await cluster("node-power-on", before.node)
    await Cluster.allReady(nodeNames)
    await Product.operatorsRolledOut()
    await client.answers()
    assert.strictEqual((await allocation("web"))?.spec.allocations[0]?.nodeName, moved, "nothing moves back")
    assert.deepStrictEqual(
      (await placesOf(address)).map(({ node }) => node),
      [moved],
      "one holder"
    )
    figure(`longest gap while the node returned: ${(await client.report()).longestGapMillis} ms`)
  })
})
