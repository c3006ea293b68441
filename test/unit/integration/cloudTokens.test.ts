/** What stands where a token should be. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { secrets } from "../../../src/api/Secret.ts"
import { conditionOf, createEphemeral, messageOf, createService, run, secret, shown, start } from "./CloudCluster.ts"
import * as TestCluster from "./TestCluster.ts"

describe("what is no token", () => {
  it.each([
    ["has two lines", `${TestCluster.cloudToken}\nanother`],
    ["has letters that no header can carry", `${TestCluster.cloudToken}…`],
    ["has a space", `Bearer ${TestCluster.cloudToken}`]
  ])("is told without being shown, and is asked with nowhere: it %s", (_, text) => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const apply = (token: string) => cluster.api.apply(secrets, secret(token), { fieldManager: "kubectl" })
        const tokenSecretRef = { name: "hcloud", key: "token" }
        yield* apply(text)
        yield* createEphemeral(cluster, "cloud", { cloudIntegration: { hetzner: { tokenSecretRef } } })
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        const told = conditionOf(cluster, "CredentialsValid")
        assert.strictEqual(told?.reason, "TokenMalformed")
        assert.include(messageOf(cluster, "web"), "plenuslb/hcloud is no token")
        assert.notInclude(`${told?.message} ${messageOf(cluster, "web")}`, TestCluster.cloudToken)
        assert.strictEqual(cluster.project.requests().size, 0)
        yield* apply(`${TestCluster.cloudToken}\n`)
        yield* Effect.sleep("60 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "Accepted")
        assert.lengthOf(shown(cluster, "web"), 1)
      })
    )
  })
})
