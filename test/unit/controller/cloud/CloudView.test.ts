import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as HetznerCloud from "../../../../src/cloud/hetzner/HetznerCloud.ts"
import { CloudBook } from "../../../../src/controller/cloud/CloudBook.ts"
import { CloudView } from "../../../../src/controller/cloud/CloudView.ts"
import * as Pool from "../../../../src/domain/Pool.ts"
import * as HetznerExchange from "../../../../src/memory/hetzner/HetznerExchange.ts"
import * as HetznerProject from "../../../../src/memory/hetzner/HetznerProject.ts"
import { HttpExchange } from "../../../../src/ports/HttpExchange.ts"
import { virtually } from "../../virtually.ts"

const secret = "token"
const { pool } = Pool.make("EphemeralIPPool", {
  metadata: { name: "cloud" },
  spec: { cloudIntegration: { hetzner: {} } }
})
const labels = { "managed-by": "plenuslb", cluster: "own", claim: "uid-1", ownership: "created" }

/** What a Service sees of a project in which one address was bought for it. */
const look = Effect.gen(function* () {
  const provider = HetznerProject.make({ nowMillis: () => 0, tokens: [{ secret, name: "us", mayWrite: true }] })
  const { id, ip } = provider.console.addFloatingIp({ type: "ipv4", name: "bought", labels })
  const cloud = yield* HetznerCloud.make({ endpoint: "http://cloud.test/v1", userAgent: "test" }).pipe(
    Effect.provideService(HttpExchange, HetznerExchange.make(provider))
  )
  const project = yield* cloud.open(Redacted.make(secret))
  const addresses = yield* project.addresses(0)
  const book = new CloudBook()
  book.cluster = "own"
  const unknown = { servers: [], unreadable: [], resolutions: new Map<string, never>(), deleted: new Set<never>() }
  book.see("EphemeralIPPool/cloud", { project, edition: "", addresses, ...unknown })
  const view = new CloudView(book, { namespace: "shop", service: "web", uid: "uid-1" })
  return { book, id: String(id), ip, view }
}).pipe(Effect.scoped)

describe("what was bought for a Service", () => {
  it("is granted to it, and not while it is being given back", () => {
    const { book, id, ip, view } = virtually(look)
    assert.deepStrictEqual(String(view.boughtAddress(pool, "IPv4", [])), ip)
    book.returning.add(id)
    assert.isUndefined(view.boughtAddress(pool, "IPv4", []))
    book.returning.delete(id)
    assert.deepStrictEqual(String(view.boughtAddress(pool, "IPv4", [])), ip)
  })
})
