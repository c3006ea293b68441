/** The main job: pool and Service of the v0.4 documentation on bare metal, from manifest to HTTP and back to nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import { httpFromClient, nodeNames, onNode, placesOf } from "./harness/Lab.ts"
import { scenario } from "./harness/Scenario.ts"

/** As documented for v0.4; only the names and addresses are ours. */
const documentedPool = `
apiVersion: loadbalancing.plenus.io/v1alpha1
kind: PersistentIPPool
metadata:
  name: e2e-serving
spec:
  addresses:
  - "172.30.0.201"
  - "172.30.0.202"
  options:
    hostNetworkInterface:
      addAddressesToInterface: true
      interfaceName: pl0
`
const documentedService = `
apiVersion: v1
kind: Service
metadata:
  name: hello-kubernetes-persistent
  namespace: e2e-serving
spec:
  type: LoadBalancer
  externalIPs:
  - 172.30.0.201
  ports:
  - port: 80
    targetPort: 8080
  selector:
    app: echo
`

describe("a Service with externalIPs on bare metal", () => {
  it("answers HTTP from outside of the cluster, and its status and its IPAllocation say so", async () => {
    const { allocation, get, namespace, pool, served, workload } = await scenario("serving")
    await pool({ addresses: ["172.30.0.201", "172.30.0.202"] })
    await workload()
    await Cluster.apply(documentedPool)
    const started = performance.now()
    await Cluster.apply(documentedService)
    const { address, node } = await served("hello-kubernetes-persistent")
    figure(`created to served ${Math.round(performance.now() - started)} ms`)
    const [body, millis] = await timed(() => eventually("HTTP answers", () => httpFromClient(address)))
    figure(`served to the first HTTP reply ${millis} ms (kube-proxy's part)`)
    assert.match(body, /^echo-/)

    assert.deepStrictEqual((await get("hello-kubernetes-persistent"))?.status?.loadBalancer?.ingress, [
      { ip: "172.30.0.201", ipMode: "VIP" }
    ])
    assert.deepStrictEqual(await placesOf(address), [
      { node, interfaceName: "pl0", address: "172.30.0.201", label: "pl0:pllb" }
    ])
    const found = await allocation("hello-kubernetes-persistent")
    assert.strictEqual(found?.spec.type, "persistent")
    assert.strictEqual(found?.spec.allocations[0]?.pool, "e2e-serving")

    const [header = "", row = ""] = (await Cluster.kubectl("get", "ipa", "-n", namespace)).split("\n")
    assert.deepStrictEqual(header.trim().split(/\s{2,}/), [
      "NAME",
      "TYPE",
      "ADDRESSES",
      "NODE",
      "STATE",
      "MESSAGE",
      "AGE"
    ])
    assert.match(
      row,
      new RegExp(`^hello-kubernetes-persistent +persistent +172\\.30\\.0\\.201 +${node} +success +Allocated`)
    )
    assert.include(await Cluster.kubectl("get", "ipa", "-A"), "hello-kubernetes-persistent")
  })

  it("leaves nothing behind when it is deleted, and a new one gets the address again", async () => {
    const { allocation, pool, served, service, workload, get, namespace } = await scenario("deleting")
    await pool({ addresses: ["172.30.0.203"] })
    await workload()
    await service("web", "172.30.0.203")
    const first = await served("web")
    const firstUid = (await get("web"))?.metadata.uid
    await eventually("HTTP answers", () => httpFromClient(first.address))

    await Cluster.remove("-n", namespace, "service", "web")
    const [, millis] = await timed(() =>
      eventually("the address is on no node", async () => (await placesOf(first.address)).length === 0)
    )
    figure(`deleted to removed from the node ${millis} ms`)
    await eventually("the IPAllocation is gone", async () => (await allocation("web")) === undefined)

    await service("web", "172.30.0.203")
    assert.strictEqual((await served("web")).address, first.address)
    const again = await allocation("web")
    assert.notStrictEqual(again?.metadata.ownerReferences?.[0]?.uid, firstUid)
    await eventually("HTTP answers again", () => httpFromClient(first.address))
  })

  it("answers through kube-proxy in each mode that the lab has (both with LAB_PROXY_MODE=mixed)", async () => {
    const { pool, served, service, workload } = await scenario("proxy-modes")
    const modes = await Promise.all(
      nodeNames.map(
        async (node) => [await onNode(node, "curl", "-sf", "http://127.0.0.1:10249/proxyMode"), node] as const
      )
    )
    const nodes = Object.entries(Object.fromEntries(modes))
    assert.isNotEmpty(nodes)
    const addresses = ["172.30.0.230", "172.30.0.231"]
    await pool({ addresses })
    await workload()
    for (const [index, [mode, node]] of nodes.entries()) {
      await service(mode, addresses[index], { annotations: { "loadbalancing.plenus.io/preferred-node": node } })
      const holder = await served(mode)
      assert.strictEqual(holder.node, node)
      const [body, millis] = await timed(() => eventually(`HTTP by ${mode}`, () => httpFromClient(holder.address)))
      assert.match(body, /^echo-/)
      figure(`${mode} on ${node}: served to the first HTTP reply ${millis} ms`)
    }
  })
})
