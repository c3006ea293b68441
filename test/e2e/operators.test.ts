/** The operators' DaemonSet: there while a pool wants it, updated in place, gone with the last pool. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { monitorAddresses } from "./harness/AddressMonitor.ts"
import * as Cluster from "./harness/Cluster.ts"
import { eventually } from "./harness/eventually.ts"
import * as Product from "./harness/Product.ts"
import { poolReady, scenario } from "./harness/Scenario.ts"

const templateAnnotation = (name: string): Promise<string> => {
  const path = `jsonpath={.spec.template.metadata.annotations.${name}}`
  return Cluster.kubectl("-n", Product.namespace, "get", "daemonset", "plenuslb-operator", "-o", path)
}

describe("the DaemonSet of the operators", () => {
  beforeAll(Product.installed)

  it("comes with the first pool that adds addresses to an interface, and goes with the last", async () => {
    const { pool, namespace } = await scenario("daemonset")
    await Product.removeStandingPool()
    await eventually("it is gone with the last pool", async () => (await Product.operators()) === undefined)
    const withoutInterface = { hostNetworkInterface: { addAddressesToInterface: false } }
    await pool({ addresses: ["172.30.0.222"], options: withoutInterface }, `${namespace}-without`)
    await poolReady(`${namespace}-without`)
    assert.strictEqual(await Product.operators(), undefined)
    await pool({ addresses: ["172.30.0.223"] })
    await Product.operatorsRolledOut()
    const { metadata, spec } = (await Product.operators()) ?? {}
    const names = { "app.kubernetes.io/instance": "plenuslb-operator", "app.kubernetes.io/name": "plenuslb-operator" }
    assert.deepStrictEqual(spec?.selector?.matchLabels, names)
    assert.include(metadata?.labels, names)
    await Product.addStandingPool()
  })

  it("is updated in place when the chart changes it, and no address leaves its interface", async () => {
    const { after, allocation, pool, served, service } = await scenario("daemonset-update")
    await pool({ addresses: ["172.30.0.224"] })
    await service("web", "172.30.0.224")
    const { address, node } = await served("web")
    const monitor = await monitorAddresses(node)
    const entry = (await allocation("web"))?.spec.allocations[0]
    const before = await Product.operators()
    after(async () => {
      await Product.install()
      await Product.installed()
    })
    await Product.install("--set-string", "operator.podAnnotations.e2e=changed")
    await eventually("the template has the change", async () => (await templateAnnotation("e2e")) === "changed")
    const updated = await Product.operatorsRolledOut()
    assert.strictEqual(updated.metadata.uid, before?.metadata.uid)
    assert.deepStrictEqual(monitor.removals(address), [])
    const now = (await allocation("web"))?.spec.allocations[0]
    assert.deepStrictEqual(now, entry, "same node, hold id and epoch")
  })
})
