/**
 * The lab as a provider's network: what reaches a floating IP is decided by the provider alone, which every other test of
 * floating IPs stands on. No PlenusLB in it: the Service's externalIPs make kube-proxy answer on every node.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { eventually } from "./harness/eventually.ts"
import * as HetznerFake from "./harness/HetznerFake.ts"
import { httpFromClient, lanAddressOf, nodeNames, onClient, onNode, placesOf } from "./harness/Lab.ts"
import { probe } from "./harness/Probe.ts"
import * as Product from "./harness/Product.ts"
import { scenario } from "./harness/Scenario.ts"

const routeTo = (address: string): Promise<string> => onClient("ip", "route", "get", address).catch(() => "unreachable")

describe("a floating IP in the lab", () => {
  let fake: HetznerFake.HetznerFake
  beforeAll(async () => {
    await Product.installed()
    fake = await HetznerFake.start()
  })
  afterAll(() => fake.stop())

  it.each([
    ["ipv4", "IPv4", "-4"],
    ["ipv6", "IPv6", "-6"]
  ] as const)(
    "of %s is reached through the node that it is assigned to, else not at all",
    async (type, family, flag) => {
      const { after, service, workload } = await scenario(`hetzner-routing-${type}`)
      const { address, id } = fake.buy(type, `by-hand-${type}`)
      const [first = ""] = nodeNames
      const onBridge = (what: string) => onNode(first, "ip", "address", what, address, "dev", "pl0")
      after(() => onBridge("delete"))
      await onBridge("add")
      assert.isNotEmpty(await placesOf(address, [first]))
      await workload()
      await service("web", address, { spec: { type: "ClusterIP", ipFamilies: [family] } })
      const assign = (server: number | null) => fake.project.console.change(id, { server })
      const isRoutedTo = (node: string) => async () =>
        (await routeTo(address)).includes(` via ${lanAddressOf(node, flag)} `)

      for (const node of nodeNames) {
        assign(fake.serverId(node))
        assert.strictEqual(fake.routedTo(address), node)
        await eventually(`packets go to ${node}`, isRoutedTo(node))
        assert.match(await eventually("HTTP answers", () => httpFromClient(address)), /^echo-/)
      }
      const client = await probe(address)
      assign(fake.serverId(first))
      await eventually("packets go to the node that has the address", isRoutedTo(first))
      await client.answers()
      assign(null)
      await eventually("packets go nowhere", async () => (await routeTo(address)) === "unreachable")
      assert.isUndefined(await httpFromClient(address), "that a node has the address is not enough")
      assign(fake.serverId(first))
      await client.answers()
    }
  )
})
