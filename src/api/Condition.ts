/** `metav1.Condition` and the one way to change a list of them. */
import { Schema } from "effect"
import { field } from "./Admission.ts"

export const Condition = Schema.Struct({
  type: Schema.String.annotate(
    field({ description: "What the condition tells about, in CamelCase.", bounds: { maxLength: 316 } })
  ),
  status: Schema.Literals(["True", "False", "Unknown"]).annotate(field({ description: "True, False or Unknown." })),
  reason: Schema.String.annotate(
    field({
      description: "Why, as one stable word in CamelCase: programs may compare it.",
      bounds: { minLength: 1, maxLength: 1024 }
    })
  ),
  message: Schema.String.annotate(
    field({ description: "Why, and what to do about it, as a sentence.", bounds: { maxLength: 32768 } })
  ),
  lastTransitionTime: Schema.String.annotate(
    field({ description: "When `status` last changed.", format: "date-time" })
  ),
  observedGeneration: Schema.optionalKey(
    Schema.Int.annotate(
      field({ description: "The `metadata.generation` that the condition was computed from.", bounds: { minimum: 0 } })
    )
  )
})
export type Condition = typeof Condition.Type

export const Conditions = Schema.Array(Condition).annotate(
  field({
    description: "What stands and what does not, one entry per type.",
    since: "1.0",
    listKeys: ["type"],
    bounds: { maxItems: 32 }
  })
)

/**
 * Puts `condition` in the place of the one of its type. `lastTransitionTime` moves only when `status` does, and an equal
 * list comes back as the same array: whoever compares by identity writes nothing.
 */
export const setCondition = (conditions: ReadonlyArray<Condition>, condition: Condition): ReadonlyArray<Condition> => {
  const before = conditions.find((entry) => entry.type === condition.type)
  if (before === undefined) return [...conditions, condition]
  const after =
    before.status === condition.status ? { ...condition, lastTransitionTime: before.lastTransitionTime } : condition
  return isEqual(before, after) ? conditions : conditions.map((entry) => (entry === before ? after : entry))
}

const isEqual = (a: Condition, b: Condition): boolean =>
  a.status === b.status &&
  a.reason === b.reason &&
  a.message === b.message &&
  a.lastTransitionTime === b.lastTransitionTime &&
  a.observedGeneration === b.observedGeneration
