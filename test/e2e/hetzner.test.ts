/**
 * Floating IPs from manifest to HTTP and back, on the fake of the provider. What answers is decided by the lab's router:
 * an address on a node's interface is not enough, and neither is an assignment alone.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ephemeralIPPools } from "../../src/api/EphemeralIPPool.ts"
import { namespaces } from "../../src/api/Namespace.ts"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import * as HetznerFake from "./harness/HetznerFake.ts"
import * as Manifests from "./harness/HetznerManifests.ts"
import { httpFromClient, nodeNames, placesOf } from "./harness/Lab.ts"
import { probe } from "./harness/Probe.ts"
import * as Product from "./harness/Product.ts"
import { onNodes, type Scenario, scenario, type Served } from "./harness/Scenario.ts"
import { logsOf, tracesOf } from "./harness/TokenTraces.ts"

const assignRoute = "POST /floating_ips/{id}/actions/assign"
const excluded = "node.kubernetes.io/exclude-from-external-load-balancers"

const secret = (token: string): Cluster.Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: HetznerFake.secretName, namespace: Product.namespace },
  stringData: { token }
})

const holders = async (address: string) => (await placesOf(address)).map(({ node }) => node)

const shown = async ({ get }: Scenario, name: string) => (await get(name))?.status?.loadBalancer?.ingress ?? []

const credentials = (pool: string, status: "True" | "False") =>
  eventually(`CredentialsValid of pool ${pool} is ${status}`, async () => {
    const found = await Cluster.get(ephemeralIPPools, { name: pool })
    return found?.status?.conditions?.find((each) => each.type === "CredentialsValid" && each.status === status)
  })

describe("floating IPs", () => {
  let fake: HetznerFake.HetznerFake
  beforeAll(async () => {
    await Cluster.remove("ephemeralippool", Manifests.documentedNames.ephemeral)
    await Cluster.remove("persistentippool", Manifests.documentedNames.persistent)
    fake = await HetznerFake.start()
    await HetznerFake.install(fake)
  })
  afterAll(async () => {
    await HetznerFake.uninstall()
    await fake.stop()
  })

  /** Routed to the node that holds it, on no other node's interface, and answering from outside. */
  const answers = async ({ address, node }: Served) => {
    assert.strictEqual(fake.routedTo(address), node)
    assert.deepStrictEqual(await holders(address), [node])
    return eventually(`HTTP answers through ${address}`, () => httpFromClient(address))
  }

  /** Said nowhere but where the user wrote it, while all that could tell it is still there. */
  const noTokenIsTold = async () => {
    assert.isNotEmpty(await logsOf("controllers"))
    assert.isNotEmpty(await logsOf("operators"))
    for (const token of Object.values(fake.tokens)) assert.deepStrictEqual(await tracesOf(token), [])
  }

  const buyer = async (test: Scenario, name = test.namespace, credentials?: Cluster.Manifest) => {
    test.ownPool(name, "ephemeralippool")
    await Cluster.apply(Manifests.ephemeralPool(name, test.namespace, credentials ?? { token: fake.tokens.inline }))
  }

  it("are bought for the documented Service and given back with it", async () => {
    const test = await scenario("hetzner-ephemeral")
    const { allocation, namespace, ownPool, served } = test
    ownPool(Manifests.documentedNames.ephemeral, "ephemeralippool")
    await Cluster.applyIn(namespace, Manifests.documentedEphemeralPool(fake.tokens.inline))
    const started = performance.now()
    await Cluster.applyIn(namespace, Manifests.documentedService, Manifests.documentedDeployment)
    const holder = await served("hello-kubernetes")
    figure(`created to served ${Math.round(performance.now() - started)} ms`)
    const [body, millis] = await timed(() => answers(holder))
    figure(`served to the first HTTP reply ${millis} ms`)
    assert.match(body, /^hello-kubernetes-/)

    const { address } = holder
    assert.deepStrictEqual(await shown(test, "hello-kubernetes"), [{ ip: address, ipMode: "VIP" }])
    const bought = fake.floatingIpOf(address)
    const cluster = (await Cluster.get(namespaces, { name: "kube-system" }))?.metadata.uid
    assert.deepInclude(bought?.labels, {
      "managed-by": "plenuslb",
      cluster: cluster ?? "",
      namespace,
      service: "hello-kubernetes"
    })
    assert.include(bought?.name, "mycluster", "CLUSTER_NAME is part of its name")
    assert.strictEqual((await allocation("hello-kubernetes"))?.spec.type, "ephemeral")
    assert.deepInclude((await allocation("hello-kubernetes"))?.spec.allocations[0], { cloudProvider: "hetzner" })
    await noTokenIsTold()

    await Cluster.remove("-n", namespace, "service", "hello-kubernetes")
    await eventually("it is given back", async () => fake.floatingIpOf(address) === undefined)
    await eventually("the IPAllocation is gone", async () => (await allocation("hello-kubernetes")) === undefined)
    assert.deepStrictEqual(await holders(address), [])
    assert.isUndefined(await httpFromClient(address))
    const purchases = fake.project.truth.purchases().filter(({ labels }) => labels["namespace"] === namespace)
    assert.deepStrictEqual(
      purchases.map(({ by, deletedMillis, ip }) => ({ by, ip, isHeld: deletedMillis === null })),
      [{ by: "inline", ip: address, isHeld: false }]
    )
  })

  it("of the user's own are assigned to the documented Service that names them, and never deleted", async () => {
    const test = await scenario("hetzner-persistent")
    const { allocation, namespace, ownPool, served } = test
    const [first, second] = [fake.buy("ipv4", "web"), fake.buy("ipv4", "mail server")]
    ownPool(Manifests.documentedNames.persistent)
    await Cluster.applyIn(
      namespace,
      Manifests.documentedPersistentPool(fake.tokens.inline, first.address, second.address),
      Manifests.documentedPersistentService(second.address),
      Manifests.documentedDeployment
    )
    const holder = await served("hello-kubernetes-persistent")
    assert.strictEqual(holder.address, second.address)
    assert.match(await answers(holder), /^hello-kubernetes-/)
    assert.isNull(fake.floatingIpOf(first.address)?.server)
    await noTokenIsTold()

    await Cluster.remove("-n", namespace, "service", "hello-kubernetes-persistent")
    await eventually("it is assigned to none", async () => fake.floatingIpOf(second.address)?.server === null)
    await eventually(
      "the IPAllocation is gone",
      async () => (await allocation("hello-kubernetes-persistent")) === undefined
    )
    assert.strictEqual(fake.floatingIpOf(second.address)?.name, "mail server")
    assert.deepStrictEqual(await holders(second.address), [])

    await Cluster.applyIn(namespace, Manifests.documentedPersistentService(second.address))
    await answers(await served("hello-kubernetes-persistent"))
  })

  it("are bought with a token from a Secret, as soon as that is a good one", async () => {
    const test = await scenario("hetzner-secret")
    const { after, namespace, served, service, workload } = test
    after(() => Cluster.remove("-n", Product.namespace, "secret", HetznerFake.secretName))
    await Cluster.apply(secret("of-another-project"))
    await buyer(test, namespace, { tokenSecretRef: { name: HetznerFake.secretName } })
    await service("web", undefined)
    const refused = await credentials(namespace, "False")
    figure(`${refused.reason}: ${refused.message}`)
    assert.deepStrictEqual(await shown(test, "web"), [])

    await Cluster.apply(secret(fake.tokens.secret))
    await workload()
    const holder = await served("web")
    await answers(holder)
    await credentials(namespace, "True")
    const purchase = fake.project.truth.purchases().find(({ ip }) => ip === holder.address)
    assert.strictEqual(purchase?.by, "secret")
    await noTokenIsTold()
    // Before the Secret goes: without it nothing could be given back.
    await Cluster.remove("-n", namespace, "service", "web")
    await eventually("it is given back", async () => fake.floatingIpOf(holder.address) === undefined)
  })

  it("are not bought with a Secret that the chart does not let the controller read, and the pool says so", async () => {
    const test = await scenario("hetzner-forbidden")
    await buyer(test, test.namespace, { tokenSecretRef: { name: "not-listed" } })
    const { message, reason } = await credentials(test.namespace, "False")
    assert.strictEqual(reason, "SecretForbidden")
    assert.include(message, 'Add "not-listed" to controller.secretNames')
  })

  it("go to another server when a node is powered off, HTTP and UDP, and do not go back", async () => {
    const test = await scenario("hetzner-power-off")
    const { after, served, service, workload } = test
    await buyer(test)
    const { leader } = await Product.controllersReady()
    const preferred = nodeNames.find((node) => node !== leader.spec?.nodeName)
    await service("web", undefined, { annotations: { "loadbalancing.plenus.io/preferred-node": preferred ?? "" } })
    const before = await served("web")
    assert.strictEqual(before.node, preferred)
    await workload(onNodes(nodeNames.filter((node) => node !== before.node)))
    await answers(before)
    const client = await probe(before.address)
    const ingress = await shown(test, "web")

    after(async () => {
      await fake.powerOn(before.node)
      await Cluster.allReady(nodeNames)
      await Product.installed()
    })
    await fake.powerOff(before.node)
    const moved = await eventually("it is assigned to the server of another node", async () => {
      const node = fake.routedTo(before.address)
      return node !== before.node && node
    })
    await client.answers()
    const { longestGapMillis } = await client.report()
    figure(`outage of UDP ${longestGapMillis} ms, of which an action takes 500`)
    await eventually("HTTP answers", () => httpFromClient(before.address))
    const holder = await eventually("it is served by the other node", async () => {
      const found = await served("web")
      return found.node !== before.node && found
    })
    assert.deepStrictEqual(holder, { address: before.address, node: moved })
    assert.deepStrictEqual(await shown(test, "web"), ingress)

    await fake.powerOn(before.node)
    await Cluster.allReady(nodeNames)
    await Product.operatorsRolledOut()
    await client.answers()
    await answers({ address: before.address, node: moved })
    await noTokenIsTold()
  })

  it("are not shown before the provider routes them, whatever its actions say", async () => {
    const test = await scenario("hetzner-muted")
    const { after, namespace, served, service, workload } = test
    await buyer(test)
    await workload()
    after(async () => fake.project.faults.clear())
    fake.project.faults.setPolicy(({ route }) => (route === assignRoute ? { action: { isMute: true } } : {}))
    const before = fake.requests(assignRoute)
    await service("web", undefined)
    await eventually("it was assigned for the third time", async () => fake.requests(assignRoute) >= before + 3)
    const bought = fake.floatingIps().filter(({ labels }) => labels["namespace"] === namespace)
    assert.lengthOf(bought, 1)
    assert.deepStrictEqual(await shown(test, "web"), [])
    const [address = ""] = bought.map(HetznerFake.addressOf)
    assert.isUndefined(await httpFromClient(address))

    fake.project.faults.clear()
    const holder = await served("web")
    assert.strictEqual(holder.address, address)
    await answers(holder)
  })

  it("of both families serve one Service, before and after its node hands over, HTTP and UDP", async () => {
    const test = await scenario("hetzner-families")
    const { after, allocation, served, service, workload } = test
    await buyer(test)
    await workload()
    await service("web", undefined, { spec: { ipFamilyPolicy: "RequireDualStack" } })
    await served("web")
    const held = async (): Promise<ReadonlyArray<Served>> =>
      ((await allocation("web"))?.spec.allocations ?? []).map(({ address, nodeName = "" }) => ({
        address,
        node: nodeName
      }))
    const before = await held()
    assert.deepStrictEqual(
      before.map(({ address }) => fake.floatingIpOf(address)?.type),
      ["ipv4", "ipv6"]
    )
    assert.deepStrictEqual(
      (await shown(test, "web")).map(({ ip }) => ip),
      before.map(({ address }) => address)
    )
    for (const each of before) await answers(each)
    const clients = await Promise.all(before.map(async ({ address }) => ({ address, client: await probe(address) })))

    // Each address has a node of its own choice: both leave theirs, one after the other.
    for (const { address, node } of before) {
      after(() => Cluster.kubectl("label", "node", node, `${excluded}-`))
      await Cluster.kubectl("label", "node", node, `${excluded}=`)
      const moved = await eventually(`another node than ${node} serves ${address}`, async () => {
        await served("web")
        const found = (await held()).find((each) => each.address === address)
        return found?.node !== node && fake.routedTo(address) === found?.node && found
      })
      await eventually(`no other has ${address}`, async () => (await holders(address)).join() === moved.node)
      await answers(moved)
    }
    for (const { address, client } of clients) {
      await client.answers()
      figure(`longest gap of the handover of ${address}: ${(await client.report()).longestGapMillis} ms`)
    }
  })
})
