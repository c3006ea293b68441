/** `metav1.LabelSelector` as our pools use it: both parts must match; an empty selector matches everything. */
import { Schema } from "effect"
import { field } from "./Admission.ts"

const labelName = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"

const LabelSelectorRequirement = Schema.Struct({
  key: Schema.String.annotate(
    field({
      description: "Name of the label.",
      bounds: { maxLength: 317 },
      rules: [
        { rule: `self.matches('${labelName}')`, message: "write the name of a label, such as tier or example.com/tier" }
      ]
    })
  ),
  operator: Schema.Literals(["In", "NotIn", "Exists", "DoesNotExist"]).annotate(
    field({ description: "In, NotIn, Exists or DoesNotExist." })
  ),
  values: Schema.optionalKey(
    Schema.Array(
      Schema.String.annotate(field({ description: "A value of the label.", bounds: { maxLength: 63 } }))
    ).annotate(
      field({
        description: "The values that In and NotIn compare with.",
        listType: "atomic",
        bounds: { maxItems: 64 }
      })
    )
  )
}).annotate(
  field({
    description: "One requirement on the labels.",
    rules: [
      {
        rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
        message: "In and NotIn need values, Exists and DoesNotExist take none"
      }
    ]
  })
)

const LabelSelectorFields = {
  matchLabels: Schema.optionalKey(
    Schema.Record(
      Schema.String,
      Schema.String.annotate(field({ description: "The value the label must have.", bounds: { maxLength: 63 } }))
    ).annotate(
      field({ description: "Labels that must be there with exactly these values.", bounds: { maxProperties: 32 } })
    )
  ),
  matchExpressions: Schema.optionalKey(
    Schema.Array(LabelSelectorRequirement).annotate(
      field({ description: "Requirements, all of which must hold.", listType: "atomic", bounds: { maxItems: 32 } })
    )
  )
}
export const LabelSelector = Schema.Struct(LabelSelectorFields)
export type LabelSelector = typeof LabelSelector.Type

/** A selector that is a new field of a pool, with what it selects in `description`. */
export const selector = (description: string) =>
  Schema.optionalKey(LabelSelector.annotate(field({ description, since: "1.0", atomicStruct: true })))
