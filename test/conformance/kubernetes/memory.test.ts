/** The contract, on the API server in memory. */
import { Effect, Layer } from "effect"
import * as MemoryKubernetes from "../../../src/memory/kubernetes/MemoryKubernetes.ts"
import { Kubernetes } from "../../../src/ports/Kubernetes.ts"
import { kubernetesSuite } from "./suite.ts"

const layer = Layer.effect(
  Kubernetes,
  Effect.gen(function* () {
    const memory = yield* MemoryKubernetes.make()
    yield* Effect.forkScoped(memory.runControllers(1))
    return memory.view("conformance")
  })
)

kubernetesSuite("Kubernetes in memory", layer, { controllers: true })
