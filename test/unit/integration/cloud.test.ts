/** Addresses of a cloud, from a manifest to a route and back: controllers and operators as they ship, over memory. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { secrets } from "../../../src/api/Secret.ts"
import { services } from "../../../src/api/Service.ts"
import {
  allocation,
  conditionOf,
  createEphemeral,
  createPersistent,
  createService,
  deleteService,
  editService,
  floatingIps,
  holderOf,
  isAssign,
  isPurchase,
  labelsOf,
  messageOf,
  routedTo,
  run,
  secret,
  shown,
  start,
  startOwnServed,
  startServed,
  threeNodes
} from "./CloudCluster.ts"
import * as TestCluster from "./TestCluster.ts"

describe("an EphemeralIPPool", () => {
  it("buys an address, routes it to its holder, and only then shows it; and gives it back with the Service", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed()
        assert.deepStrictEqual(
          floatingIps(cluster).map((each) => each.ip),
          [ip]
        )
        assert.deepStrictEqual(holderOf(cluster, "web"), [routedTo(cluster, ip)])
        assert.strictEqual(allocation(cluster, "web")?.status?.state, "success")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.isUndefined(allocation(cluster, "web"))
        assert.deepStrictEqual(floatingIps(cluster), [])
        assert.lengthOf(cluster.project.truth.purchases(), 1)
      })
    )
  })

  it("buys one of each family for a Service of both, and uses the first address of the IPv6 network", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createEphemeral(cluster)
        yield* Effect.sleep("5 seconds")
        yield* createService(cluster, "web", {
          ipFamilies: ["IPv4", "IPv6"],
          ipFamilyPolicy: "RequireDualStack"
        })
        yield* Effect.sleep("30 seconds")
        const networks = floatingIps(cluster).map(({ ip }) => ip)
        assert.lengthOf(networks, 2)
        assert.deepStrictEqual(
          shown(cluster, "web"),
          networks.map((network) => network.replace("::/64", "::1"))
        )
        yield* editService(cluster, "web", { spec: { type: "ClusterIP" } })
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(floatingIps(cluster), [])
      })
    )
  })

  it("moves the route with the address when the holder dies, and leaves the status as it is", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip, operators } = yield* startServed()
        const before = routedTo(cluster, ip) ?? ""
        const version = cluster.memory.truth.get(services, { namespace: "shop", name: "web" })?.metadata.resourceVersion
        yield* operators[threeNodes.indexOf(before)]?.kill ?? Effect.void
        yield* Effect.sleep("30 seconds")
        assert.notStrictEqual(routedTo(cluster, ip), before)
        assert.deepStrictEqual(holderOf(cluster, "web"), [routedTo(cluster, ip)])
        const after = cluster.memory.truth.get(services, { namespace: "shop", name: "web" })?.metadata.resourceVersion
        assert.strictEqual(after, version)
      })
    )
  })

  it("moves a route at once while a list waits minutes for the project's budget of requests", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip, operators } = yield* startServed()
        const before = routedTo(cluster, ip) ?? ""
        const quota = { refuse: { code: "resource_limit_exceeded" } }
        cluster.project.faults.next(({ route }) => route === "POST /floating_ips", quota, 100)
        yield* createService(cluster, "never")
        yield* Effect.sleep("10 seconds")
        cluster.project.console.drainBudget()
        // Only a new list tells whether anything was bought for it.
        yield* deleteService(cluster, "never")
        yield* Effect.sleep("10 seconds")
        yield* operators[threeNodes.indexOf(before)]?.kill ?? Effect.void
        yield* Effect.sleep("40 seconds")
        assert.notStrictEqual(routedTo(cluster, ip), before)
        assert.strictEqual(allocation(cluster, "web")?.status?.state, "success")
        assert.isDefined(allocation(cluster, "never"))
        yield* Effect.sleep("6 minutes")
        assert.isUndefined(allocation(cluster, "never"))
      })
    )
  })

  it("buys no more than maxAddresses, says so, and goes on when one is given back", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startServed({ maxAddresses: 1 })
        yield* createService(cluster, "blog")
        yield* Effect.sleep("20 seconds")
        assert.lengthOf(floatingIps(cluster), 1)
        assert.include(messageOf(cluster, "blog"), "spec.maxAddresses")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("30 seconds")
        assert.lengthOf(floatingIps(cluster), 1)
        assert.lengthOf(shown(cluster, "blog"), 1)
      })
    )
  })

  it("buys nothing while a PersistentIPPool has its name, and says so", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createEphemeral(cluster, "mine")
        yield* createPersistent(cluster, ["198.51.100.77"])
        yield* createService(cluster, "web")
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(cluster.project.truth.purchases(), [])
        assert.include(messageOf(cluster, "web"), "a PersistentIPPool of the same name")
      })
    )
  })

  it("finds what it bought when the reply was lost, and buys nothing twice", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        cluster.project.faults.next(({ route }) => route === "POST /floating_ips", { loseReply: true })
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("40 seconds")
        assert.lengthOf(shown(cluster, "web"), 1)
        assert.lengthOf(cluster.project.truth.purchases(), 1)
      })
    )
  })

  it("shows nothing while the provider does not route, whatever it says", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        cluster.project.faults.setPolicy((request) => (isAssign(request) ? { action: { isMute: true } } : {}))
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("60 seconds")
        assert.lengthOf(floatingIps(cluster), 1)
        assert.deepStrictEqual(shown(cluster, "web"), [])
        cluster.project.faults.clear()
        yield* Effect.sleep("60 seconds")
        assert.lengthOf(shown(cluster, "web"), 1)
      })
    )
  })

  it("is told that the token is refused, serves others meanwhile, and goes on with a valid one without a restart", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const apply = (token: string) => cluster.api.apply(secrets, secret(token), { fieldManager: "kubectl" })
        const tokenSecretRef = { name: "hcloud", key: "token" }
        yield* createEphemeral(cluster, "cloud", { cloudIntegration: { hetzner: { tokenSecretRef } } })
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "SecretNotFound")
        yield* apply("not-the-token")
        yield* Effect.sleep("40 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "CloudUnauthorized")
        assert.include(messageOf(cluster, "web"), "unauthorized")
        assert.notInclude(JSON.stringify(conditionOf(cluster, "CredentialsValid")), "not-the-token")
        yield* apply(TestCluster.cloudToken)
        yield* Effect.sleep("60 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "Accepted")
        assert.lengthOf(shown(cluster, "web"), 1)
      })
    )
  })

  it("buys nothing with the token of a project in which no Node is a server", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        for (const { id } of cluster.project.truth.servers()) cluster.project.console.deleteServer(id)
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("30 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "CloudProjectForeign")
        assert.deepStrictEqual(cluster.project.truth.purchases(), [])
      })
    )
  })

  it("buys nothing while nobody can tell which cluster this is", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* TestCluster.make(threeNodes)
        cluster.unreadable.add("namespaces/kube-system")
        yield* cluster.startController("controller-a")
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("30 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "ClusterUnknown")
        assert.deepStrictEqual(cluster.project.truth.purchases(), [])
      })
    )
  })

  it("says with the provider's code that the project may not have more, and buys when it may", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const mine = Array.from({ length: 10 }, () => cluster.project.console.addFloatingIp({ type: "ipv4" }))
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.include(messageOf(cluster, "web"), "resource_limit_exceeded")
        cluster.project.console.deleteFloatingIp(mine[0]?.id ?? 0)
        yield* Effect.sleep("6 minutes")
        assert.lengthOf(shown(cluster, "web"), 1)
      })
    )
  })
})

describe("a controller that leads again", () => {
  it("goes on with what was refused before it ceased to lead", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const refuse = { code: "rate_limit_exceeded" }
        cluster.project.faults.setPolicy((request) => (isPurchase(request) ? { refuse } : {}))
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        cluster.cutOff("controller-a")
        yield* Effect.sleep("5 minutes")
        cluster.project.faults.clear()
        cluster.heal("controller-a")
        yield* Effect.sleep("2 minutes")
        assert.lengthOf(shown(cluster, "web"), 1)
      })
    )
  })

  it("gives back what another has bought in the meantime", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* TestCluster.make(threeNodes)
        yield* createEphemeral(cluster)
        yield* cluster.startController("controller-a")
        yield* Effect.forEach(threeNodes, (node) => cluster.startOperator(node))
        yield* Effect.sleep("10 seconds")
        cluster.cutOff("controller-a")
        const other = yield* cluster.startController("controller-b")
        yield* createService(cluster, "web")
        yield* Effect.sleep("40 seconds")
        assert.lengthOf(shown(cluster, "web"), 1)
        yield* other.stop
        cluster.heal("controller-a")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("60 seconds")
        assert.isUndefined(allocation(cluster, "web"))
        assert.deepStrictEqual(floatingIps(cluster), [])
      })
    )
  })
})

describe("what v0.4 bought", () => {
  const adopt = Effect.fnUntraced(function* () {
    const cluster = yield* TestCluster.make(threeNodes)
    const [server] = cluster.project.truth.servers()
    const { ip } = cluster.project.console.addFloatingIp({
      type: "ipv4",
      name: "plenuslb-ephemeral--shop-web",
      labels: { "managed-by": "plenuslb" },
      server: server?.id ?? 0
    })
    yield* createEphemeral(cluster)
    yield* createService(cluster, "web")
    const entry = { address: ip, pool: "cloud", networkInterface: "pl0", nodeName: "node-1", cloudProvider: "hetzner" }
    yield* cluster.api.create(ipAllocations, {
      apiVersion: "loadbalancing.plenus.io/v1alpha1",
      kind: "IPAllocation",
      metadata: { name: "web", namespace: "shop", labels: { "app.kubernetes.io/managed-by": "plenuslb" } },
      spec: { type: "ephemeral", allocations: [entry] }
    })
    yield* editService(cluster, "web", { status: { loadBalancer: { ingress: [{ ip }] } } })
    yield* cluster.startController("controller-a")
    yield* Effect.sleep("5 seconds")
    yield* Effect.forEach(threeNodes, (node) => cluster.startOperator(node))
    yield* Effect.sleep("30 seconds")
    return { cluster, ip }
  })

  it("stays with its Service, its node and its server, and is given back with it", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* adopt()
        assert.deepStrictEqual([shown(cluster, "web"), holderOf(cluster, "web")], [[ip], ["node-1"]])
        assert.strictEqual(routedTo(cluster, ip), "node-1")
        assert.strictEqual(labelsOf(cluster, ip)["ownership"], "created")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(floatingIps(cluster), [])
        assert.lengthOf(cluster.project.truth.purchases(), 1)
      })
    )
  })

  it("can be made the user's own, and then outlives its Service", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* adopt()
        yield* createPersistent(cluster, [ip])
        yield* editService(cluster, "web", { spec: { externalIPs: [ip] } })
        yield* Effect.sleep("20 seconds")
        assert.strictEqual(labelsOf(cluster, ip)["ownership"], "adopted")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(
          floatingIps(cluster).map((each) => each.ip),
          [ip]
        )
      })
    )
  })
})

describe("promotion", () => {
  it("makes a bought address the user's own and back, with the same address and status all the time", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed()
        const seen = new Set<string>()
        const unsubscribe = cluster.memory.truth.subscribe(() => {
          seen.add(`${shown(cluster, "web").join()} ${routedTo(cluster, ip) ?? "nowhere"}`)
        })
        yield* createPersistent(cluster, [ip])
        yield* editService(cluster, "web", { spec: { externalIPs: [ip] } })
        yield* Effect.sleep("20 seconds")
        assert.strictEqual(allocation(cluster, "web")?.spec.allocations[0]?.pool, "mine")
        assert.strictEqual(labelsOf(cluster, ip)["ownership"], "adopted")
        yield* editService(cluster, "web", { spec: { externalIPs: null } })
        yield* Effect.sleep("20 seconds")
        assert.strictEqual(allocation(cluster, "web")?.spec.allocations[0]?.pool, "cloud")
        assert.strictEqual(labelsOf(cluster, ip)["ownership"], "created")
        assert.deepStrictEqual([...seen], [`${ip} ${routedTo(cluster, ip) ?? "nowhere"}`])
        assert.lengthOf(cluster.project.truth.purchases(), 1)
        unsubscribe()
      })
    )
  })

  it("keeps what was promoted when its Service goes", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed()
        yield* createPersistent(cluster, [ip])
        yield* editService(cluster, "web", { spec: { externalIPs: [ip] } })
        yield* Effect.sleep("20 seconds")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.isUndefined(allocation(cluster, "web"))
        assert.deepStrictEqual(
          floatingIps(cluster).map((each) => ({ ip: each.ip, labels: each.labels, server: each.server })),
          [{ ip, labels: {}, server: null }]
        )
      })
    )
  })
})

describe("a PersistentIPPool of a cloud", () => {
  it("routes the user's own address to its holder, and unassigns it with the Service, deleting nothing", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startOwnServed({ team: "web" })
        assert.deepStrictEqual(holderOf(cluster, "web"), [routedTo(cluster, ip)])
        assert.strictEqual(floatingIps(cluster)[0]?.labels["team"], "web")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.isUndefined(allocation(cluster, "web"))
        assert.deepStrictEqual(
          floatingIps(cluster).map(({ labels, server }) => ({ labels, server })),
          [{ labels: { team: "web" }, server: null }]
        )
      })
    )
  })

  it("serves what was bought right before the pool was edited, although the project had been read a moment ago", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const buy = () => cluster.project.console.addFloatingIp({ type: "ipv4" }).ip
        const first = buy()
        const pool = yield* createPersistent(cluster, [first])
        yield* Effect.sleep("5 seconds")
        const second = buy()
        const patch = { spec: { addresses: [first, second] } }
        yield* cluster.api.patch(persistentIPPools, { name: "mine" }, patch)
        yield* createService(cluster, "web", { externalIPs: [second] })
        yield* Effect.sleep("15 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), [second], pool.metadata.name)
      })
    )
  })

  it.each<
    [
      string,
      (cluster: TestCluster.TestCluster, id: number) => void,
      string,
      (cluster: TestCluster.TestCluster, id: number) => void
    ]
  >([
    [
      "is assigned to a stranger's server",
      (cluster, id) => {
        const stranger = cluster.project.console.addServer({ name: "database" })
        cluster.project.console.change(id, { server: stranger.id })
      },
      "is no Node of this cluster",
      (cluster, id) => cluster.project.console.change(id, { server: null })
    ],
    [
      "is used by another cluster",
      (cluster, id) =>
        cluster.project.console.change(id, { labels: { "managed-by": "plenuslb", cluster: "other", claim: "x" } }),
      "is used by another cluster",
      (cluster, id) => cluster.project.console.change(id, { labels: {} })
    ],
    [
      "is blocked",
      (cluster, id) => cluster.project.console.change(id, { isBlocked: true }),
      "has blocked",
      (cluster, id) => cluster.project.console.change(id, { isBlocked: false })
    ]
  ])("leaves alone what %s, says so, and takes it when it may", (_, hinder, told, heal) => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const { id, ip } = cluster.project.console.addFloatingIp({ type: "ipv4", name: "mine" })
        hinder(cluster, id)
        const before = floatingIps(cluster)
        yield* createPersistent(cluster, [ip])
        yield* createService(cluster, "web", { externalIPs: [ip] })
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(floatingIps(cluster), before)
        assert.deepStrictEqual(shown(cluster, "web"), [])
        assert.include(messageOf(cluster, "web"), told)
        heal(cluster, id)
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
      })
    )
  })

  it("says that an address is not in the project", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPersistent(cluster, ["198.51.100.77"])
        yield* createService(cluster, "web", { externalIPs: ["198.51.100.77"] })
        yield* Effect.sleep("30 seconds")
        assert.include(messageOf(cluster, "web"), "has no address 198.51.100.77")
        assert.deepStrictEqual(shown(cluster, "web"), [])
      })
    )
  })

  it("says that no server may have it, when all are off and none has a lease, and goes on when one runs", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const { ip } = cluster.project.console.addFloatingIp({ type: "ipv4", name: "mine" })
        const servers = cluster.project.truth.servers()
        for (const { id } of servers) cluster.project.console.setServerStatus(id, "off")
        yield* createPersistent(cluster, [ip], { options: {} })
        yield* Effect.sleep("10 seconds")
        yield* createService(cluster, "web", { externalIPs: [ip] })
        yield* Effect.sleep("30 seconds")
        assert.include(messageOf(cluster, "web"), "no Node that may hold an address is a running server")
        cluster.project.console.setServerStatus(servers[0]?.id ?? 0, "running")
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
      })
    )
  })

  it("gives a floating IPv6 network to one Service only", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const { ip } = cluster.project.console.addFloatingIp({ type: "ipv6", name: "mine" })
        const [one, two] = [ip.replace("::/64", "::1"), ip.replace("::/64", "::2")]
        yield* createPersistent(cluster, [one, two])
        const families = { ipFamilies: ["IPv6"] } as const
        yield* createService(cluster, "web", { ...families, externalIPs: [one] })
        yield* Effect.sleep("20 seconds")
        yield* createService(cluster, "blog", { ...families, externalIPs: [two] })
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), [one])
        assert.deepStrictEqual(shown(cluster, "blog"), [])
        assert.include(messageOf(cluster, "blog"), "serves shop/web")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual(shown(cluster, "blog"), [two])
      })
    )
  })
})
