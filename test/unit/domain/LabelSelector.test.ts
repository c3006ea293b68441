import { assert, describe, it } from "@effect/vitest"
import * as LabelSelector from "../../../src/domain/LabelSelector.ts"

const expression = (operator: string, ...values: ReadonlyArray<string>): LabelSelector.LabelSelector => ({
  matchExpressions: [{ key: "zone", operator, ...(values.length > 0 ? { values } : {}) }]
})

describe("LabelSelector.matches", () => {
  // oxfmt-ignore
  it.each([
    // name                                              selector                                    labels              matches
    ["an absent selector matches everything",            undefined,                                  {},                 true],
    ["an empty selector matches everything",             {},                                         { zone: "a" },      true],
    ["empty parts match everything",                     { matchLabels: {}, matchExpressions: [] },  {},                 true],
    ["a label must be equal",                            { matchLabels: { zone: "a" } },             { zone: "b" },      false],
    ["a label must be there",                            { matchLabels: { zone: "" } },              {},                 false],
    ["other labels do not matter",                       { matchLabels: { zone: "a" } },             { zone: "a", x: "" }, true],
    ["all labels must hold",                             { matchLabels: { zone: "a", x: "y" } },     { zone: "a" },      false],
    ["In: one of the values",                            expression("In", "a", "b"),                 { zone: "b" },      true],
    ["In: another value",                                expression("In", "a", "b"),                 { zone: "c" },      false],
    ["In: no such label",                                expression("In", "a", "b"),                 {},                 false],
    ["NotIn: one of the values",                         expression("NotIn", "a", "b"),              { zone: "a" },      false],
    ["NotIn: another value",                             expression("NotIn", "a", "b"),              { zone: "c" },      true],
    ["NotIn: no such label matches, as in Kubernetes",   expression("NotIn", "a", "b"),              {},                 true],
    ["Exists: even when empty",                          expression("Exists"),                       { zone: "" },       true],
    ["Exists: not there",                                expression("Exists"),                       { zones: "a" },     false],
    ["DoesNotExist: there",                              expression("DoesNotExist"),                 { zone: "" },       false],
    ["DoesNotExist: not there",                          expression("DoesNotExist"),                 {},                 true],
    ["an operator that does not exist matches nothing",  expression("Has"),                          { zone: "a" },      false],
    ["labels and expressions must both hold",            { ...expression("Exists"), matchLabels: { x: "y" } }, { zone: "a" }, false]
  ])("%s", (_, selector, labels, expected) => {
    assert.strictEqual(LabelSelector.matches(selector, labels as LabelSelector.Labels), expected)
  })

  it("does not take what every object inherits for a label", () => {
    assert.isFalse(LabelSelector.matches({ matchExpressions: [{ key: "constructor", operator: "Exists" }] }, {}))
  })

  it("prints as kubectl takes it", () => {
    const selector = {
      matchLabels: { tier: "edge" },
      matchExpressions: [
        { key: "zone", operator: "In", values: ["a", "b"] },
        { key: "legacy", operator: "DoesNotExist" }
      ]
    }
    assert.strictEqual(LabelSelector.format(selector), "tier=edge,zone in (a,b),!legacy")
  })
})
