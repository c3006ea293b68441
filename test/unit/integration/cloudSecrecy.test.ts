/** The token stands in no word that the programs say: at debug level, with every refusal that a provider knows. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { secrets } from "../../../src/api/Secret.ts"
import type { Fault } from "../../../src/memory/hetzner/Faults.ts"
import {
  createEphemeral,
  createPersistent,
  createService,
  deleteService,
  editService,
  hetzner,
  isAssign,
  isPurchase,
  run,
  secret,
  shown,
  start
} from "./CloudCluster.ts"
import * as TestCluster from "./TestCluster.ts"

/** What users write themselves: the Secret, and the field of pools that v0.4 had for a token. */
const isUsers = ({ kind }: { readonly kind?: unknown }) => kind === "Secret"
const withoutOwnWords = (object: object): string =>
  JSON.stringify(object, (key: string, value: unknown) => (key === "cloudIntegration" ? undefined : value))

const faults: ReadonlyArray<Fault> = [
  { loseReply: true },
  { badGateway: "before" },
  { badGateway: "after" },
  { rewrite: () => "{" },
  { rewrite: (body) => body.replaceAll("ipv4", "ipv8") },
  { refuse: { code: "invalid_input", message: `Bearer ${TestCluster.cloudToken} is not understood` } },
  ...["locked", "conflict", "rate_limit_exceeded", "resource_limit_exceeded", "service_error", "unheard_of"].map(
    (code): Fault => ({ refuse: { code } })
  )
]

/** Every line of a log, every version of an object, and every error of the port, for as long as the program runs. */
const startHeard = Effect.fnUntraced(function* () {
  const said: Array<string> = []
  const running = yield* start({ onLog: (line) => void said.push(line) })
  const { cluster } = running
  const end = cluster.memory.truth.subscribe(({ after }) => {
    if (after !== undefined && !isUsers(after)) said.push(withoutOwnWords(after))
  })
  return { ...running, said, end }
})

const setTokens = ({ project }: TestCluster.TestCluster, ...tokens: ReadonlyArray<readonly [string, boolean]>) =>
  project.setTokens(tokens.map(([text, mayWrite]) => ({ secret: text, name: text, mayWrite })))

const inSecret = { hetzner: { tokenSecretRef: { name: "hcloud", key: "token" } } }

/** Bought, routed, moved and given back, under each fault in turn. */
const trouble = Effect.fnUntraced(function* (cluster: TestCluster.TestCluster) {
  for (const [index, fault] of faults.entries()) {
    cluster.project.faults.setPolicy((request) => (isPurchase(request) || isAssign(request) ? fault : {}))
    yield* createService(cluster, `troubled-${index}`)
    yield* Effect.sleep("15 seconds")
    cluster.project.faults.setPolicy(() => fault)
    yield* deleteService(cluster, `troubled-${index}`)
    yield* Effect.sleep("65 seconds")
    cluster.project.faults.clear()
  }
})

describe("a token of a cloud", () => {
  it("is said nowhere: in no log, object, event or error, whatever the provider answers", () => {
    run(
      Effect.gen(function* () {
        const { cluster, end, said } = yield* startHeard()
        yield* cluster.api.apply(secrets, secret(TestCluster.cloudToken), { fieldManager: "kubectl" })
        const { ip } = cluster.project.console.addFloatingIp({ type: "ipv4", name: "mine" })
        yield* createPersistent(cluster, [ip], { cloudIntegration: hetzner })
        yield* createEphemeral(cluster, "cloud", { cloudIntegration: inSecret })
        yield* createService(cluster, "mail", { externalIPs: [ip] })
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.lengthOf([...shown(cluster, "web"), ...shown(cluster, "mail")], 2)
        yield* editService(cluster, "web", {
          metadata: { annotations: { "loadbalancing.plenus.io/reverse-dns": "web.example.com" } }
        })
        yield* trouble(cluster)
        setTokens(cluster, [TestCluster.cloudToken, false])
        yield* createService(cluster, "refused")
        yield* Effect.sleep("2 minutes")
        setTokens(cluster)
        yield* Effect.sleep("2 minutes")
        yield* cluster.api.delete(persistentIPPools, { name: "mine" })
        yield* Effect.sleep("10 seconds")
        end()
        const all = said.join("\n")
        for (const word of ["TokenReadOnly", "CloudUnauthorized", "CloudRateLimited", "CloudReplyLost", "DEBUG"]) {
          assert.include(all, word, "the scenario has lost its point")
        }
        assert.deepStrictEqual(
          said.filter((each) => each.includes(TestCluster.cloudToken)),
          []
        )
      })
    )
  })
})
