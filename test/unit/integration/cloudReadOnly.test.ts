/** A token that may only read: everything looks well until something is to be written. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { events } from "../../../src/api/Event.ts"
import { namespaces } from "../../../src/api/Namespace.ts"
import { secrets } from "../../../src/api/Secret.ts"
import {
  conditionOf,
  createEphemeral,
  createPersistent,
  createService,
  deleteService,
  floatingIps,
  messageOf,
  run,
  secret,
  shown,
  start
} from "./CloudCluster.ts"
import * as TestCluster from "./TestCluster.ts"

const reader = "fake-readonly"

const allow = ({ project }: TestCluster.TestCluster, mayWrite: boolean) =>
  project.setTokens([
    { secret: TestCluster.cloudToken, name: "controller", mayWrite: true },
    { secret: reader, name: "reader", mayWrite }
  ])

const setToken = ({ api }: TestCluster.TestCluster, token: string) =>
  api.apply(secrets, secret(token), { fieldManager: "kubectl" })

/** "cloud" buys with a token that may only read, for which a Service waits. */
const startReading = Effect.fnUntraced(function* () {
  const running = yield* start()
  const { cluster } = running
  allow(cluster, false)
  yield* setToken(cluster, reader)
  const cloudIntegration = { hetzner: { tokenSecretRef: { name: "hcloud", key: "token" } } }
  yield* createEphemeral(cluster, "cloud", { cloudIntegration })
  yield* Effect.sleep("5 seconds")
  assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "Accepted")
  yield* createService(cluster, "web")
  yield* Effect.sleep("5 seconds")
  return running
})

const clusterOf = ({ memory }: TestCluster.TestCluster) =>
  memory.truth.get(namespaces, { name: "kube-system" })?.metadata.uid ?? ""

const reasonsOf = (cluster: TestCluster.TestCluster) =>
  ["CredentialsValid", "Ready"]
    .map((type) => conditionOf(cluster, type))
    .map((each) => `${each?.status} ${each?.reason}`)

const purchasesTried = ({ project }: TestCluster.TestCluster) => project.requests().get("POST /floating_ips") ?? 0

describe("a token that may only read", () => {
  it("is told by its pool, once, for as long as it may not write, and other tokens' pools go on", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startReading()
        const told = conditionOf(cluster, "CredentialsValid")
        assert.deepStrictEqual(reasonsOf(cluster), ["False TokenReadOnly", "False TokenReadOnly"])
        assert.match(told?.message ?? "", /insufficient permissions for this request \(forbidden, [0-9a-f]{16}\)/)
        assert.include(messageOf(cluster, "web"), "POST /floating_ips")
        const { ip } = cluster.project.console.addFloatingIp({ type: "ipv4", name: "mine" })
        yield* createPersistent(cluster, [ip])
        yield* createService(cluster, "mail", { externalIPs: [ip] })
        const triedBefore = purchasesTried(cluster)
        yield* Effect.sleep("10 minutes")
        assert.deepStrictEqual(shown(cluster, "mail"), [ip])
        assert.deepStrictEqual(conditionOf(cluster, "CredentialsValid"), told)
        const warned = cluster.memory.truth.list(events).filter(({ reason }) => reason === "TokenReadOnly")
        assert.lengthOf(warned, 1)
        // Doubled from a second to five minutes.
        assert.isAtMost(purchasesTried(cluster) - triedBefore, 10)
      })
    )
  })

  it("is well again once it may write, and who waits need not wait for its next try", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startReading()
        yield* Effect.sleep("10 minutes")
        allow(cluster, true)
        yield* createService(cluster, "mail")
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(reasonsOf(cluster), ["True Accepted", "True Ready"])
        assert.lengthOf(shown(cluster, "mail"), 1)
        assert.lengthOf(shown(cluster, "web"), 1)
      })
    )
  })

  it("is replaced, and who waits goes on as soon as the new one is read", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startReading()
        yield* Effect.sleep("10 minutes")
        yield* setToken(cluster, TestCluster.cloudToken)
        yield* Effect.sleep("75 seconds")
        assert.deepStrictEqual(reasonsOf(cluster), ["True Accepted", "True Ready"])
        assert.lengthOf(shown(cluster, "web"), 1)
      })
    )
  })

  it("is told as such, and not in turns with what an orphan's return was refused for", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startReading()
        yield* deleteService(cluster, "web")
        cluster.project.console.addFloatingIp({
          type: "ipv4",
          labels: { "managed-by": "plenuslb", cluster: clusterOf(cluster), claim: "gone", ownership: "created" }
        })
        yield* Effect.sleep("12 minutes")
        const told = conditionOf(cluster, "CredentialsValid")
        yield* Effect.sleep("10 minutes")
        assert.deepStrictEqual(conditionOf(cluster, "CredentialsValid"), told)
        assert.strictEqual(told?.reason, "TokenReadOnly")
        assert.lengthOf(floatingIps(cluster), 1)
      })
    )
  })
})
