/** The token of another project, in which servers are called like the nodes: nothing there is touched, nothing here forgotten. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as HetznerProject from "../../../src/memory/hetzner/HetznerProject.ts"
import {
  allocation,
  conditionOf,
  createEphemeral,
  createService,
  deleteService,
  floatingIps,
  messageOf,
  run,
  secret,
  shown,
  start,
  threeNodes
} from "./CloudCluster.ts"
import { nodes } from "../../../src/api/Node.ts"
import type { Service } from "../../../src/api/Service.ts"
import { secrets } from "../../../src/api/Secret.ts"
import * as TestCluster from "./TestCluster.ts"

const otherToken = "token-of-staging"
const fromSecret = { cloudIntegration: { hetzner: { tokenSecretRef: { name: "hcloud" } } } }

const newOther = Effect.map(Clock.Clock, (clock) => {
  const project = HetznerProject.make({
    nowMillis: () => clock.currentTimeMillisUnsafe(),
    tokens: [{ secret: otherToken, name: "controller", mayWrite: true }],
    lastId: 1_000_000,
    ipOf: (_, n) => `198.19.0.${n}`
  })
  const [server = 0] = threeNodes.map((name) => project.console.addServer({ name }).id)
  project.console.addFloatingIp({ type: "ipv4", name: "theirs", server })
  return project
})

/** Of the nodes one says its id; the others are known by their names, which the other project has, too. */
const startBesideOther = Effect.fnUntraced(function* () {
  const { cluster, controller } = yield* start()
  const other = yield* newOther
  cluster.otherProjects.set(otherToken, other)
  const id = cluster.project.truth.servers().find(({ name }) => name === "node-1")?.id ?? 0
  yield* cluster.api.patch(nodes, { name: "node-1" }, { spec: { providerID: `hcloud://${id}` } })
  return { cluster, controller, other }
})

const both = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" } as const

/** A pool whose token stands in a Secret, one Service that it bought for, and a way to write another token into it. */
const startWithOther = Effect.fnUntraced(function* (spec: Partial<Service["spec"]> = {}) {
  const { cluster, other } = yield* startBesideOther()
  yield* cluster.api.create(secrets, secret(TestCluster.cloudToken))
  yield* createEphemeral(cluster, "cloud", fromSecret)
  yield* createService(cluster, "web", spec)
  yield* Effect.sleep("30 seconds")
  const give = (token: string) =>
    cluster.api.patch(secrets, { namespace: TestCluster.ownNamespace, name: "hcloud" }, { stringData: { token } })
  const before = JSON.stringify(other.truth.floatingIps())
  return { cluster, give, isUntouched: () => JSON.stringify(other.truth.floatingIps()) === before }
})

describe("the token of another project", () => {
  it("is noticed before anything is bought, leaves what is served as it is, and is told with what to do", () => {
    run(
      Effect.gen(function* () {
        const { cluster, give, isUntouched } = yield* startWithOther()
        yield* give(otherToken)
        yield* Effect.sleep("65 seconds")
        const [ip] = shown(cluster, "web")
        yield* createService(cluster, "blog")
        yield* Effect.sleep("65 seconds")
        assert.isTrue(isUntouched())
        const { message = "", reason } = conditionOf(cluster, "CredentialsValid") ?? {}
        assert.deepStrictEqual(
          [reason, message.includes("Use the token of the cluster's project")],
          ["CloudProjectForeign", true]
        )
        assert.include(messageOf(cluster, "blog"), "no Node of this cluster is a server of the token's project")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
        yield* give(TestCluster.cloudToken)
        yield* Effect.sleep("65 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "Accepted")
        assert.lengthOf(shown(cluster, "blog"), 1)
        assert.isTrue(isUntouched())
      })
    )
  })

  it("makes nothing forgotten of what is to be given back", () => {
    run(
      Effect.gen(function* () {
        const { cluster, give, isUntouched } = yield* startWithOther()
        yield* give(otherToken)
        yield* Effect.sleep("65 seconds")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("65 seconds")
        assert.lengthOf(floatingIps(cluster), 1)
        assert.isDefined(allocation(cluster, "web"))
        yield* give(TestCluster.cloudToken)
        yield* Effect.sleep("65 seconds")
        assert.deepStrictEqual(floatingIps(cluster), [])
        assert.isUndefined(allocation(cluster, "web"))
        assert.isTrue(isUntouched())
      })
    )
  })

  it("makes nothing forgotten of what is just being given back, one after the other", () => {
    run(
      Effect.gen(function* () {
        const { cluster, give } = yield* startWithOther(both)
        assert.lengthOf(floatingIps(cluster), 2)
        cluster.project.faults.setPolicy(({ route }) =>
          route.endsWith("/actions/unassign") ? { action: { millis: 50_000 } } : {}
        )
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("5 seconds")
        yield* give(otherToken)
        yield* Effect.sleep("180 seconds")
        yield* give(TestCluster.cloudToken)
        yield* Effect.sleep("65 seconds")
        assert.deepStrictEqual(floatingIps(cluster), [])
      })
    )
  })

  it("is noticed at the first read, too, when the only Node that said an id has gone before", () => {
    run(
      Effect.gen(function* () {
        const { cluster, other } = yield* startBesideOther()
        yield* Effect.sleep("5 seconds")
        yield* cluster.api.delete(nodes, { name: "node-1" })
        yield* Effect.sleep("5 seconds")
        yield* cluster.api.create(secrets, secret(otherToken))
        yield* createEphemeral(cluster, "cloud", fromSecret)
        yield* createService(cluster, "web")
        yield* Effect.sleep("65 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "CloudProjectForeign")
        assert.lengthOf(other.truth.floatingIps(), 1)
      })
    )
  })

  it("is noticed by a controller that starts while the only Node that says an id is away", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller, other } = yield* startBesideOther()
        yield* cluster.api.create(secrets, secret(TestCluster.cloudToken))
        yield* createEphemeral(cluster, "cloud", fromSecret)
        yield* Effect.sleep("5 seconds")
        yield* controller.stop
        yield* cluster.api.delete(nodes, { name: "node-1" })
        yield* cluster.api.delete(secrets, { namespace: TestCluster.ownNamespace, name: "hcloud" })
        yield* cluster.api.create(secrets, secret(otherToken))
        yield* cluster.startController("controller-b")
        yield* createService(cluster, "web")
        yield* Effect.sleep("65 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "CloudProjectForeign")
        assert.lengthOf(other.truth.floatingIps(), 1)
      })
    )
  })
})
