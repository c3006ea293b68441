/** What cannot be served says so where the user looks, names the remedy, holds up nothing else, and heals by itself. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { serviceConditionType } from "../../src/api/Names.ts"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure } from "./harness/eventually.ts"
import { httpFromClient, nodeNames, onNode, placesOf } from "./harness/Lab.ts"
import * as Product from "./harness/Product.ts"
import { conditionOf, poolManifest, poolNamed, type Scenario, scenario } from "./harness/Scenario.ts"

/** The event's sentence, once one of this reason stands on the Service. */
const refusal = async ({ namespace }: Scenario, name: string, reason: string): Promise<string> => {
  const found = await eventually(`an event ${reason} on Service ${namespace}/${name}`, async () =>
    (await Cluster.eventsOn("Service", { namespace, name })).find((event) => event.reason === reason)
  )
  figure(`${reason}: ${found.message}`)
  return found.message ?? ""
}

/** Our condition on the Service, once its status is this. */
const conditionOn = async ({ get }: Scenario, name: string, status: string) =>
  eventually(`condition ${serviceConditionType} ${status} on Service ${name}`, async () =>
    (await get(name))?.status?.conditions?.find(
      (each) => each["type"] === serviceConditionType && each["status"] === status
    )
  )

const refusedState = ({ allocation }: Scenario, name: string) =>
  eventually(`IPAllocation ${name} says why`, async () => {
    const status = (await allocation(name))?.status
    return status?.message !== undefined && status.message !== "" && status
  })

const annotation = "loadbalancing.plenus.io/addresses"

describe("a Service that cannot be served", () => {
  beforeAll(Product.installed)

  it("in a namespace that the pool does not allow is refused with the rule, until the pool allows it", async () => {
    const test = await scenario("allowed-namespaces")
    await test.pool({ addresses: ["172.30.0.210"], allowedNamespaces: ["somebody-else"] })
    await test.service("web", "172.30.0.210")
    const message = await refusal(test, "web", "NamespaceNotAllowed")
    assert.include(message, "172.30.0.210")
    assert.include(message, test.namespace)
    const status = await refusedState(test, "web")
    assert.strictEqual(status.state, "pending")
    assert.strictEqual(status.message, message)
    assert.isNotEmpty(await Cluster.eventsOn("IPAllocation", { namespace: test.namespace, name: "web" }))
    const condition = await conditionOn(test, "web", "False")
    assert.strictEqual(condition["reason"], "NamespaceNotAllowed")
    assert.strictEqual(condition["message"], message)
    assert.include(await Cluster.kubectl("-n", test.namespace, "describe", "service", "web"), message)
    assert.deepStrictEqual(await placesOf("172.30.0.210"), [])

    await test.pool({ addresses: ["172.30.0.210"], allowedNamespaces: ["somebody-else", test.namespace] })
    await Cluster.kubectl(
      "-n",
      test.namespace,
      "wait",
      "service",
      "web",
      `--for=condition=${serviceConditionType}`,
      "--timeout=60s"
    )
    assert.strictEqual((await test.served("web")).address, "172.30.0.210")
  })

  it("that ceases to be ours loses the condition, and keeps that of another", async () => {
    const test = await scenario("condition-goes")
    await test.service("web", "172.30.0.209")
    await conditionOn(test, "web", "False")
    const foreign = {
      type: "example.com/Other",
      status: "True",
      reason: "Here",
      message: "",
      lastTransitionTime: "2026-01-01T00:00:00Z"
    }
    await Cluster.kubectl(
      "-n",
      test.namespace,
      "patch",
      "service",
      "web",
      "--subresource=status",
      "--type=strategic",
      "-p",
      JSON.stringify({ status: { conditions: [foreign] } })
    )
    await Cluster.kubectl(
      "-n",
      test.namespace,
      "patch",
      "service",
      "web",
      "-p",
      JSON.stringify({ spec: { type: "ClusterIP" } })
    )
    const left = await eventually("our condition is gone", async () => {
      const types = ((await test.get("web"))?.status?.conditions ?? []).map(({ type }) => type)
      return !types.includes(serviceConditionType) && types
    })
    assert.deepStrictEqual(left, [foreign.type])
  })

  it("with a malformed annotation names the annotation and what to write, until it is corrected", async () => {
    const test = await scenario("malformed-annotation")
    await test.pool({ addresses: ["172.30.0.211"] })
    await test.service("web", undefined, { annotations: { [annotation]: "172.30.0.999" } })
    const message = await refusal(test, "web", "MalformedAddress")
    assert.include(message, "172.30.0.999")
    assert.include(message, annotation)
    await test.service("web", undefined, { annotations: { [annotation]: "172.30.0.211" } })
    assert.strictEqual((await test.served("web")).address, "172.30.0.211")
  })

  it("with an address of no pool waits for a pool that has it", async () => {
    const test = await scenario("no-pool")
    await test.service("web", "172.30.0.212")
    const message = await refusal(test, "web", "AddressNotInAnyPool")
    assert.include(message, "172.30.0.212")
    await test.pool({ addresses: ["172.30.0.212"] })
    await test.served("web")
  })

  it("with an address that another has is told whose it is, and gets it when that one goes", async () => {
    const test = await scenario("taken")
    await test.pool({ addresses: ["172.30.0.213"] })
    await test.service("first", "172.30.0.213")
    await test.served("first")
    await test.service("second", "172.30.0.213")
    const message = await refusal(test, "second", "AddressTaken")
    assert.include(message, `${test.namespace}/first`)
    await Cluster.remove("-n", test.namespace, "service", "first")
    await test.served("second")
    assert.lengthOf(await placesOf("172.30.0.213"), 1)
  })

  it("on an interface that no node has says which, until a node has it", async () => {
    const test = await scenario("no-interface")
    const device = "e2e0"
    const options = { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: device } }
    await test.pool({ addresses: ["172.30.0.214"], options })
    await test.service("web", "172.30.0.214")
    const message = await refusal(test, "web", "NoCandidateNode")
    assert.include(message, device)
    assert.strictEqual((await refusedState(test, "web")).state, "node_error")

    const [node = ""] = nodeNames
    test.after(() => onNode(node, "ip", "link", "delete", device))
    await onNode(node, "ip", "link", "add", device, "type", "bridge")
    await onNode(node, "ip", "link", "set", device, "up")
    assert.strictEqual((await test.served("web")).node, node)
    assert.strictEqual((await placesOf("172.30.0.214"))[0]?.interfaceName, device)
  })
})

describe("a pool", () => {
  beforeAll(Product.installed)

  it("with a Node's own address reports the conflict, grants the others, and heals", async () => {
    const test = await scenario("node-address")
    await test.pool({ addresses: ["172.30.0.11", "172.30.0.215"] })
    const conflict = await eventually("the condition PoolConflict", async () => {
      const found = conditionOf(await poolNamed(test.namespace), "PoolConflict")
      return found?.status === "True" && found
    })
    figure(conflict.message)
    assert.include(conflict.message, "172.30.0.11")
    assert.include(conflict.message, "node1")
    await eventually("an event on the pool", async () => {
      const events = await Cluster.eventsOn("PersistentIPPool", { name: test.namespace })
      return events.some(({ message }) => message === conflict.message)
    })
    await test.service("greedy", "172.30.0.11")
    await test.service("web", "172.30.0.215")
    await test.served("web")
    await eventually("the Node's address is refused", async () => {
      const events = await Cluster.eventsOn("Service", { namespace: test.namespace, name: "greedy" })
      return events.some(({ type }) => type === "Warning")
    })
    assert.deepStrictEqual((await test.get("greedy"))?.status?.loadBalancer?.ingress ?? [], [])

    await test.pool({ addresses: ["172.30.0.215"] })
    await eventually("the conflict is over", async () => {
      return conditionOf(await poolNamed(test.namespace), "PoolConflict")?.status === "False"
    })
  })

  it("that is deleted under a Service stays until the Service goes, and serves it meanwhile", async () => {
    const test = await scenario("pool-deleted")
    await test.pool({ addresses: ["172.30.0.216"] })
    await test.workload()
    await test.service("web", "172.30.0.216")
    const { address } = await test.served("web")
    await eventually("HTTP answers", () => httpFromClient(address))
    await Cluster.remove("persistentippool", test.namespace)
    const ready = await eventually("the pool says that it waits", async () => {
      const found = conditionOf(await poolNamed(test.namespace), "Ready")
      return found?.reason === "Deleting" && found
    })
    assert.strictEqual(ready.status, "False")
    assert.lengthOf(await placesOf(address), 1)
    await eventually("HTTP still answers", () => httpFromClient(address))
    await Cluster.remove("-n", test.namespace, "service", "web")
    await eventually("the pool is gone", async () => (await poolNamed(test.namespace)) === undefined)
    assert.deepStrictEqual(await placesOf(address), [])
  })

  it("that loses an address takes it from its Service and says so", async () => {
    const test = await scenario("address-removed")
    await test.pool({ addresses: ["172.30.0.217", "172.30.0.218"] })
    await test.service("web", "172.30.0.217")
    await test.served("web")
    await Cluster.apply(poolManifest(test.namespace, { addresses: ["172.30.0.218"] }))
    const status = await eventually("the IPAllocation says so", async () => {
      const found = (await test.allocation("web"))?.status
      return found?.state === "address_deleted_from_pool" && found
    })
    assert.include(status.message, "172.30.0.217")
    await eventually("it is on no node", async () => (await placesOf("172.30.0.217")).length === 0)
    await eventually(
      "nor in the Service",
      async () => (await test.get("web"))?.status?.loadBalancer?.ingress === undefined
    )
    await test.pool({ addresses: ["172.30.0.217"] })
    await test.served("web")
  })
})
