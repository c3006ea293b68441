/** The contract of the MachineMetadata port, executable: run over HTTP and over the twin in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import type { MachineMetadata } from "../../../src/ports/MachineMetadata.ts"

/** A machine to which its provider says this; undefined: nobody is there. */
export type Machine = (says: string | undefined) => Effect.Effect<MachineMetadata["Service"], never, Scope.Scope>

export const metadataSuite = (name: string, machine: Machine): void => {
  describe(`MachineMetadata: ${name}`, () => {
    it.live("says which server the machine is, as often as it is asked", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { instanceId } = yield* machine("4711")
          assert.deepStrictEqual([yield* instanceId, yield* instanceId], ["4711", "4711"])
        })
      )
    )

    it.live("says nothing where nobody is there", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { instanceId } = yield* machine(undefined)
          assert.isUndefined(yield* instanceId)
        })
      )
    )
  })
}
