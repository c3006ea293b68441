import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { events } from "../../../src/api/Event.ts"
import { Events } from "../../../src/controller/Events.ts"
import * as MemoryKubernetes from "../../../src/memory/kubernetes/MemoryKubernetes.ts"
import { Kubernetes } from "../../../src/ports/Kubernetes.ts"
import { virtually } from "../virtually.ts"

/** RFC 1123, as the API server wants the name of an object. */
const objectName = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

const written = (name: string, message: string) =>
  Effect.gen(function* () {
    const memory = yield* MemoryKubernetes.make()
    const { tell } = yield* Events.make("test", "test").pipe(Effect.provideService(Kubernetes, memory.view("program")))
    const regarding = { apiVersion: "v1", kind: "Node", name, uid: "1" }
    yield* tell({ type: "Warning", reason: "Odd", message, regarding })
    yield* Effect.sleep(100)
    return memory.truth.list(events)
  })

describe("an Event", () => {
  it.each(["node-1", "n".repeat(253), `a${"-".repeat(40)}${"b".repeat(212)}`, `${"b".repeat(212)}${"-".repeat(40)}a`])(
    "has a name that the API server takes, whatever its object is called: %s",
    (name) => {
      virtually(
        Effect.gen(function* () {
          const [event] = yield* written(name, "something")
          assert.match(event?.metadata.name ?? "", objectName)
        })
      )
    }
  )

  it("says at its end what to do, however much there is to say", () => {
    virtually(
      Effect.gen(function* () {
        const [event] = yield* written("node-1", `${"x".repeat(5_000)} Correct it.`)
        assert.isAtMost(event?.message?.length ?? 0, 1_024)
        assert.match(event?.message ?? "", /^xxx.*Correct it\.$/)
      })
    )
  })
})
