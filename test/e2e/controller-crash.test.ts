/** The leading controller is killed while it is working: whatever it left half done is finished by the other. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { ipAllocations } from "../../src/api/IPAllocation.ts"
import { services } from "../../src/api/Service.ts"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import { labelledPlaces } from "./harness/Lab.ts"
import * as Product from "./harness/Product.ts"
import { scenario, serviceManifest } from "./harness/Scenario.ts"

const COUNT = 50

describe("kill -9 of the leading controller", () => {
  beforeAll(Product.installed)

  it("in the middle of 50 creations leaves every Service served and no address twice", async () => {
    const { namespace, pool } = await scenario("controller-killed")
    await pool({ addresses: ["198.51.100.64/26"] })
    const names = Array.from({ length: COUNT }, (_, index) => `web-${index}`)
    const manifests = names.map((name, index) => serviceManifest(namespace, name, `198.51.100.${64 + index}`))
    const { leader } = await Product.controllersReady()

    // The last of the first half are under way and the second half is coming in while it dies.
    await Cluster.apply(...manifests.slice(0, COUNT / 2))
    const created = Cluster.apply(...manifests.slice(COUNT / 2))
    await Product.kill(leader, "controller.cjs")
    const under = (await Cluster.list(ipAllocations, { namespace })).length
    const [next, millis] = await timed(() =>
      eventually("another one leads", async () => {
        const leading = await Product.leader()
        return leading !== leader.metadata.name && leading
      })
    )
    figure(
      `killed with ${under} of ${COUNT} IPAllocations made; ${next} leads ${millis} ms later (bound: about 4000 ms)`
    )
    await created
    const allocations = await eventually("every Service is served", async () => {
      const found = await Cluster.list(ipAllocations, { namespace })
      return found.filter(({ status }) => status?.state === "success").length === COUNT && found
    })

    const wanted = names.map((_, index) => `198.51.100.${64 + index}`).toSorted()
    const granted = allocations.flatMap(({ spec }) => spec.allocations.map(({ address }) => address))
    assert.deepStrictEqual(granted.toSorted(), wanted)
    const places = (await labelledPlaces()).filter(({ address }) => wanted.includes(address))
    assert.deepStrictEqual(places.map(({ address }) => address).toSorted(), wanted, "each on exactly one node")
    const statuses = (await Cluster.list(services, { namespace })).flatMap(
      ({ status }) => status?.loadBalancer?.ingress?.map(({ ip }) => ip ?? "") ?? []
    )
    assert.deepStrictEqual(statuses.toSorted(), wanted)
  })
})
