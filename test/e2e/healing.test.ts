/** What a foreign hand, or a crash of the operator, does to an address that is being served. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { monitorAddresses } from "./harness/AddressMonitor.ts"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import { httpFromClient, onNode, placesOf } from "./harness/Lab.ts"
import { probe } from "./harness/Probe.ts"
import * as Product from "./harness/Product.ts"
import { scenario } from "./harness/Scenario.ts"

/** Of the operator process that renews the node's lease, and how often it did. */
const registration = async (node: string) => {
  const read = (await Product.nodeLeases()).map(({ metadata }) => metadata.annotations ?? {})
  const found = read.find((annotations) => annotations["loadbalancing.plenus.io/node"] === node)
  return {
    nonce: found?.["loadbalancing.plenus.io/nonce"],
    attempt: Number(found?.["loadbalancing.plenus.io/attempt"])
  }
}

describe("an address that is being served", () => {
  beforeAll(Product.installed)

  it("is put back when a foreign hand deletes it from the interface", async () => {
    const { pool, served, service, workload } = await scenario("foreign-deletion")
    await pool({ addresses: ["172.30.0.207"] })
    await workload()
    await service("web", "172.30.0.207")
    const { address, node } = await served("web")
    await onNode(node, "ip", "address", "delete", `${address}/32`, "dev", "pl0")
    const [, millis] = await timed(() => eventually("it is back", async () => (await placesOf(address)).length === 1))
    figure(`back on the interface after ${millis} ms`)
    assert.deepStrictEqual(await placesOf(address), [{ node, interfaceName: "pl0", address, label: "pl0:pllb" }])
    await eventually("HTTP answers", () => httpFromClient(address))
  })

  it("stays on the node through kill -9 of its operator, and is managed afterwards", async () => {
    const { allocation, namespace, pool, served, service, workload } = await scenario("operator-killed")
    await pool({ addresses: ["172.30.0.208"] })
    await workload()
    await service("web", "172.30.0.208")
    const { address, node } = await served("web")
    const client = await probe(address)
    const monitor = await monitorAddresses(node)
    const before = await registration(node)
    const entry = (await allocation("web"))?.spec.allocations[0]

    await Product.kill(await Product.operatorOn(node), "agent.cjs")
    const [, millis] = await timed(() =>
      eventually("a new operator has registered", async () => (await registration(node)).nonce !== before.nonce)
    )
    figure(`a new operator registered after ${millis} ms`)
    await eventually("it has renewed several times", async () => (await registration(node)).attempt > 3)
    await client.answers()
    const { longestGapMillis, lost, perSecond, sent } = await client.finish()
    figure(`${lost} of ${sent} probes lost, longest gap ${longestGapMillis} ms`)
    assert.strictEqual(lost, 0)
    assert.isAtLeast(perSecond, 100)
    assert.deepStrictEqual(monitor.removals(address), [])
    assert.deepStrictEqual((await allocation("web"))?.spec.allocations[0], entry, "same node, hold id and epoch")

    await Cluster.remove("-n", namespace, "service", "web")
    await eventually("the new operator removes it", async () => (await placesOf(address)).length === 0)
    await eventually("the IPAllocation is gone", async () => (await allocation("web")) === undefined)
  })
})
