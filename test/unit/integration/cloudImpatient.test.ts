/** What may be over at any moment is asked for again soon, however long it has lasted. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Fault, RoutedRequest } from "../../../src/memory/hetzner/Faults.ts"
import { createEphemeral, createService, isPurchase, run, shown, start } from "./CloudCluster.ts"

const names = ["web", "api", "mail"]
const isReadById = ({ route }: RoutedRequest) => route === "GET /floating_ips/{id}"

describe("after five minutes a Service is served within half a minute", () => {
  it.each<[string, (request: RoutedRequest) => boolean, Fault]>([
    ["whose purchase was refused for rate", isPurchase, { refuse: { code: "rate_limit_exceeded" } }],
    ["whose address no read has shown", isReadById, { staleMillis: 400_000 }]
  ])("%s", (_, befalls, fault) => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createEphemeral(cluster)
        yield* Effect.sleep("5 seconds")
        cluster.project.faults.setPolicy((request) => (befalls(request) ? fault : {}))
        for (const name of names) yield* createService(cluster, name)
        yield* Effect.sleep("5 minutes")
        assert.deepStrictEqual(
          names.flatMap((name) => shown(cluster, name)),
          []
        )
        cluster.project.faults.clear()
        yield* Effect.sleep("30 seconds")
        for (const name of names) assert.lengthOf(shown(cluster, name), 1, name)
      })
    )
  })
})
