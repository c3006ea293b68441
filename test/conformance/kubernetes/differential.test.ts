/**
 * The same random requests to the API server in memory and to a real one, answer by answer. The cases of the suite hold
 * what somebody thought of; this finds the rest. A difference becomes a case, or a line in what is not modelled.
 */
import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Effect, Layer, Random } from "effect"
import * as MemoryKubernetes from "../../../src/memory/kubernetes/MemoryKubernetes.ts"
import { Kubernetes } from "../../../src/ports/Kubernetes.ts"
import * as Loopback from "../loopback.ts"
import { type Operation, randomOperation } from "./random/Operation.ts"
import { transcript } from "./random/Transcript.ts"
import { installCrds } from "./suite.ts"

const unavailable = Loopback.skipReason()
const runs = Number(process.env["DIFFERENTIAL_RUNS"] ?? 20)
const operationsPerRun = 60

const inMemory = (operations: ReadonlyArray<Operation>) =>
  Effect.gen(function* () {
    const memory = yield* MemoryKubernetes.make()
    const withPort = Effect.provideService(Kubernetes, memory.view("conformance"))
    yield* withPort(installCrds)
    return yield* withPort(transcript(operations))
  })

const live = Layer.provideMerge(
  Layer.effectDiscard(installCrds),
  Loopback.layerLive.pipe(Layer.provide(Loopback.Loopback.layer))
)

describe.skipIf(unavailable !== undefined)(
  `the same answers from memory as from a real API server${unavailable ?? ""}`,
  () => {
    withLayer(live, { excludeTestServices: true, timeout: "120 seconds" })((it) => {
      it.effect.each(Array.from({ length: runs }, (_, run) => run))(
        "to the random requests of seed %i",
        (seed) =>
          Effect.gen(function* () {
            const operations = yield* Effect.replicateEffect(randomOperation, operationsPerRun).pipe(
              Random.withSeed(`differential ${seed}`)
            )
            const expected = yield* transcript(operations)
            const actual = yield* inMemory(operations)
            const first = expected.findIndex((line, index) => line !== actual[index])
            if (first >= 0)
              assert.fail(
                `request ${first}: ${JSON.stringify(operations[first])}\nreal:   ${expected[first]}\nmemory: ${actual[first]}`
              )
            assert.deepStrictEqual(actual, expected)
          }),
        60_000
      )
    })
  }
)
