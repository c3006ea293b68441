/** From v0.4 in place: the documented command, and every address, node and status stays what it was. */
import { assert, afterAll, beforeAll, describe, it } from "@effect/vitest"
import { ipAllocations } from "../../src/api/IPAllocation.ts"
import { monitorAddresses } from "./harness/AddressMonitor.ts"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import { cluster, httpFromClient, placesOf } from "./harness/Lab.ts"
import { probe } from "./harness/Probe.ts"
import * as Product from "./harness/Product.ts"
import { scenario } from "./harness/Scenario.ts"
import * as V04 from "./harness/V04.ts"

describe("helm upgrade --install over PlenusLB v0.4", () => {
  beforeAll(Product.erase)
  afterAll(Product.installed)

  it("succeeds, and no address leaves its interface, its node or its Service", async () => {
    const { allocation, get, namespace, ownPool, service, workload } = await scenario("upgrade", { bare: true })
    const served: V04.Held = {
      namespace,
      service: "web",
      pool: "e2e-upgrade-rack",
      address: "172.30.0.225",
      node: "node2",
      interfaceName: "pl0"
    }
    // In pools without interface the node only says where a router sends the address.
    const routed: V04.Held = {
      namespace,
      service: "routed",
      pool: "e2e-upgrade-routed",
      address: "172.30.0.226",
      node: "node3"
    }
    for (const each of [served, routed]) {
      ownPool(each.pool)
      await service(each.service, each.address)
    }
    await workload()
    await V04.install([served, routed])
    await eventually("HTTP answers under v0.4", () => httpFromClient(served.address))
    const daemonSet = await Product.operators()
    const monitor = await monitorAddresses(served.node)
    const client = await probe(served.address)
    const specs = await Promise.all([allocation("web"), allocation("routed")])

    const [said, millis] = await timed(() => Product.install())
    assert.include(said, "STATUS: deployed")
    figure(`helm upgrade --install --atomic --wait: ${millis} ms`)
    const stamped = await eventually("the allocation is adopted", async () => {
      const found = await allocation("web")
      return found?.spec.allocations[0]?.holdId !== undefined && found
    })
    await Product.operatorsRolledOut()
    await eventually("the node reports that it serves", async () => {
      const found = await allocation("web")
      return found?.status?.addresses?.some(({ phase }) => phase === "Serving") && found.status.state === "success"
    })
    await client.answers()

    const { longestGapMillis, lost, sent } = await client.finish()
    figure(`${sent} probes during the upgrade, ${lost} lost, longest gap ${longestGapMillis} ms`)
    assert.deepStrictEqual(monitor.removals(served.address), [])
    assert.deepStrictEqual(await placesOf(served.address), [
      { node: served.node, interfaceName: "pl0", address: served.address, label: "pl0:pllb" }
    ])
    for (const [index, each] of [served, routed].entries()) {
      const before = specs[index]?.spec.allocations[0]
      const after = (await allocation(each.service))?.spec.allocations[0]
      assert.strictEqual(specs[index]?.metadata.uid, (await allocation(each.service))?.metadata.uid)
      assert.deepInclude(after, { ...before })
      assert.strictEqual((await allocation(each.service))?.status?.state, "success")
      const ingress = (await get(each.service))?.status?.loadBalancer?.ingress
      assert.deepStrictEqual(ingress, [{ ip: each.address, ipMode: "VIP" }])
    }
    assert.strictEqual(stamped.metadata.ownerReferences?.[0]?.uid, (await get("web"))?.metadata.uid)
    assert.strictEqual((await Product.operators())?.metadata.uid, daemonSet?.metadata.uid, "updated in place")
    assert.isEmpty(
      await Cluster.kubectl(
        "-n",
        Product.namespace,
        "get",
        "pods",
        "-o",
        "jsonpath={.items[?(@.spec.containers[0].securityContext.privileged==true)].metadata.name}"
      ),
      "nothing of the old, privileged template is left"
    )
    assert.isNotEmpty(await Cluster.list(ipAllocations, { namespace }))
    assert.include(await cluster("helm", "list", "--namespace", Product.namespace), "deployed")
  })
})
