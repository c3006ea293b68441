/** `helm uninstall` while Services are served: nothing of ours stays on a node, and nothing hangs on a finalizer. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ipAllocations } from "../../src/api/IPAllocation.ts"
import { configMaps } from "../../src/api/ConfigMap.ts"
import { finalizer } from "../../src/api/Names.ts"
import { persistentIPPools } from "../../src/api/PersistentIPPool.ts"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import { labelledPlaces, nodeNames, placesOf } from "./harness/Lab.ts"
import * as Product from "./harness/Product.ts"
import { scenario } from "./harness/Scenario.ts"

describe("helm uninstall", () => {
  beforeAll(Product.installed)
  afterAll(Product.installed)

  it("releases every address, shows none and leaves no finalizer; the next installation serves again", async () => {
    const { after, get, namespace, pool, served, service } = await scenario("uninstall")
    await pool({ addresses: ["172.30.0.227", "172.30.0.228"] })
    for (const [name, address] of [
      ["one", "172.30.0.227"],
      ["two", "172.30.0.228"]
    ] as const) {
      await service(name, address)
      await served(name)
    }
    await service("waits", "172.30.0.229")
    const conditions = async () => (await get("waits"))?.status?.conditions?.length ?? 0
    await eventually("one waits, and says so", async () => (await conditions()) === 1)
    // Whatever happens here, the scenario's end needs a controller.
    after(Product.installed)

    const [, millis] = await timed(Product.uninstall)
    figure(`uninstalled in ${millis} ms`)
    assert.deepStrictEqual(await labelledPlaces(), [])
    assert.deepStrictEqual((await get("one"))?.status?.loadBalancer, {})
    assert.strictEqual(await Product.operators(), undefined)
    assert.deepStrictEqual(await Product.nodeLeases(), [])
    assert.strictEqual(await Product.leader(), undefined)
    const ours = await Cluster.list(configMaps, { namespace: Product.namespace })
    assert.deepStrictEqual(
      ours.filter(({ metadata }) => metadata.name.startsWith("plenuslb")),
      []
    )
    const pools = await Cluster.list(persistentIPPools)
    const allocations = await Cluster.list(ipAllocations)
    assert.isNotEmpty(pools, "pools stay")
    assert.strictEqual(await conditions(), 0, "nobody would correct it any more")
    for (const { metadata } of [...pools, ...allocations]) {
      assert.notInclude(metadata.finalizers ?? [], finalizer, metadata.name)
    }
    await eventually(
      "no operator process is left",
      async () => (await Product.podsOf("plenuslb-operator")).length === 0
    )
    await Cluster.kubectl("-n", namespace, "delete", "service", "two", "--timeout=60s")
    await eventually("its IPAllocation is collected", async () => {
      const left = await Cluster.list(ipAllocations, { namespace })
      return left.every(({ metadata }) => metadata.name !== "two")
    })

    await Product.installed()
    const again = await served("one")
    assert.strictEqual(again.address, "172.30.0.227")
    assert.deepStrictEqual(
      (await placesOf(again.address, nodeNames)).map(({ node }) => node),
      [again.node]
    )
  })
})
