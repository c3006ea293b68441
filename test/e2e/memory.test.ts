/** What 1,000 Services cost a controller and 100 addresses an operator, in resident memory. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { ipAllocations } from "../../src/api/IPAllocation.ts"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import { labelledPlaces } from "./harness/Lab.ts"
import * as Product from "./harness/Product.ts"
import { scenario, serviceManifest } from "./harness/Scenario.ts"

const SERVICES = 1_000
/** Of these, so many on one node's interface; the rest in a pool that adds addresses to none. */
const ON_INTERFACE = 100
const node = "node3"

const address = (index: number): string =>
  index < ON_INTERFACE ? `198.51.100.${128 + index}` : `198.18.${index >> 8}.${index & 255}`

const manifest = (namespace: string, index: number): Cluster.Manifest =>
  serviceManifest(namespace, `web-${index}`, address(index), {
    annotations: { "loadbalancing.plenus.io/preferred-node": node },
    // One port, and no node port: the range has room for 2,768.
    spec: { ports: [{ port: 80, targetPort: 8080 }], allocateLoadBalancerNodePorts: false }
  })

const sizes = async () => {
  const { leader, standby } = await Product.controllersReady()
  const operator = await Product.operatorOn(node)
  return {
    leader: await Product.residentMiB(leader, "controller.cjs"),
    standby: await Product.residentMiB(standby, "controller.cjs"),
    operator: await Product.residentMiB(operator, "agent.cjs")
  }
}

describe("resident memory", () => {
  beforeAll(Product.installed)

  it(`with ${SERVICES} Services, ${ON_INTERFACE} addresses on one node`, async () => {
    const { namespace, pool } = await scenario("memory")
    const before = await sizes()
    await pool({ addresses: ["198.51.100.128/25"] })
    const withoutInterface = { hostNetworkInterface: { addAddressesToInterface: false } }
    await pool({ addresses: ["198.18.0.0/16"], options: withoutInterface }, `${namespace}-routed`)

    const all = Array.from({ length: SERVICES }, (_, index) => manifest(namespace, index))
    const [, millis] = await timed(async () => {
      await Cluster.apply(...all)
      await eventually("all are served", async () => {
        const found = await Cluster.list(ipAllocations, { namespace })
        return found.filter(({ status }) => status?.state === "success").length === SERVICES
      })
    })
    const after = await sizes()
    figure(`${SERVICES} Services created by kubectl and served in ${millis} ms`)
    figure(`leading controller ${before.leader} MiB, with all ${after.leader} MiB; standby ${after.standby} MiB`)
    figure(`operator ${before.operator} MiB, with ${ON_INTERFACE} addresses ${after.operator} MiB`)
    const places = (await labelledPlaces()).filter((place) => place.address.startsWith("198.51.100."))
    assert.lengthOf(places, ON_INTERFACE)
    assert.isTrue(places.every((place) => place.node === node))
  })
})
