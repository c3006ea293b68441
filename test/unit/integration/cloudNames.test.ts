/** The name that the provider gives for an address (PTR), as a Service asks for it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { services } from "../../../src/api/Service.ts"
import { serviceAnnotations } from "../../../src/domain/Annotations.ts"
import {
  createEphemeral,
  createService,
  deleteService,
  editService,
  floatingIps,
  messageOf,
  run,
  shown,
  start,
  startOwnServed
} from "./CloudCluster.ts"
import type * as TestCluster from "./TestCluster.ts"

const ask = (cluster: TestCluster.TestCluster, name: string | null) =>
  editService(cluster, "web", { metadata: { annotations: { [serviceAnnotations.reverseDns]: name } } })

const nameOf = (cluster: TestCluster.TestCluster, address: string): string | undefined =>
  floatingIps(cluster)
    .flatMap(({ dnsPtr }) => dnsPtr)
    .find(({ ip }) => ip === address)?.dnsPtr

const isNaming = ({ route }: { readonly route: string }) => route.endsWith("/change_dns_ptr")
const requests = (cluster: TestCluster.TestCluster) =>
  [...cluster.project.requests()].filter(([route]) => isNaming({ route })).reduce((sum, [, count]) => sum + count, 0)

describe("a Service that asks for a reverse name", () => {
  it("has it set for its addresses of both families, changed, and asked for once", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web", { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" })
        yield* ask(cluster, "Mail.example.com.")
        yield* Effect.sleep("40 seconds")
        const names = () => shown(cluster, "web").map((address) => nameOf(cluster, address ?? ""))
        assert.deepStrictEqual(names(), ["mail.example.com", "mail.example.com"])
        assert.strictEqual(requests(cluster), 2)
        yield* ask(cluster, "mx.example.com")
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(names(), ["mx.example.com", "mx.example.com"])
        yield* Effect.sleep("3 minutes")
        assert.strictEqual(requests(cluster), 4)
      })
    )
  })

  it("leaves it with an address of the user's own, also when the annotation and the Service go", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startOwnServed()
        yield* ask(cluster, "mail.example.com")
        yield* Effect.sleep("30 seconds")
        yield* ask(cluster, null)
        yield* Effect.sleep("10 seconds")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.strictEqual(nameOf(cluster, ip), "mail.example.com")
      })
    )
  })

  it("is served all the same while the provider refuses it, and says so", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const refuse = { code: "invalid_input", message: "invalid dns_ptr" }
        cluster.project.faults.setPolicy((request) => (isNaming(request) ? { refuse } : {}))
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* ask(cluster, "mail.example.com")
        yield* Effect.sleep("40 seconds")
        assert.lengthOf(shown(cluster, "web"), 1)
        assert.include(messageOf(cluster, "web"), "invalid dns_ptr")
        cluster.project.faults.clear()
        yield* Effect.sleep("6 minutes")
        assert.strictEqual(nameOf(cluster, shown(cluster, "web")[0] ?? ""), "mail.example.com")
        assert.isUndefined(
          cluster.memory.truth
            .get(services, { namespace: "shop", name: "web" })
            ?.status?.conditions?.find(({ status }) => status === "False")
        )
      })
    )
  })
})
