import { assert, describe, it } from "@effect/vitest"
import { evaluateRules } from "../../../../src/memory/kubernetes/Cel.ts"
import { pruneObject } from "../../../../src/memory/kubernetes/Defaults.ts"
import { type Json, sharing } from "../../../../src/memory/kubernetes/Json.ts"
import type { OpenApiSchema } from "../../../../src/memory/kubernetes/OpenApiSchema.ts"
import { validate } from "../../../../src/memory/kubernetes/Validation.ts"

const known = { labels: { a: "1", b: "2" }, list: [{ x: 1 }, { x: 2 }] }

describe("sharing", () => {
  // oxfmt-ignore
  it.each<[string, Json, ReadonlyArray<Json>, boolean]>([
    // name                                                  value                                               parts taken      whole
    ["is the known object when nothing differs",             { list: [{ x: 1 }, { x: 2 }], labels: { b: "2", a: "1" } }, [known.labels, known.list], true],
    ["takes what is the same beside what is not",            { labels: { a: "1", b: "2" }, list: [{ x: 3 }] },   [known.labels],  false],
    ["takes items that are the same at their place",         { labels: {}, list: [{ x: 1 }, { x: 3 }] },         [known.list[0] ?? null], false],
    ["is not the known object when something is missing",    { labels: { a: "1", b: "2" } },                     [known.labels],  false],
    ["is not the known list when that has more",             { labels: { a: "1" }, list: [{ x: 1 }] },           [known.list[0] ?? null], false]
  ])("%s", (_, value, parts, isWhole) => {
    const shared = sharing(value, known)
    assert.deepStrictEqual(shared, value)
    assert.strictEqual(shared === known, isWhole)
    const members = Object.values(shared as object).flatMap((each: Json) => (Array.isArray(each) ? [each, ...each] : [each]))
    for (const part of parts) assert.isTrue(members.some((each) => each === part), JSON.stringify(part))
  })
})

const part: OpenApiSchema = {
  type: "object",
  properties: { size: { type: "integer", maximum: 3 } },
  "x-kubernetes-validations": [{ rule: "self.size < 3", message: "too large" }]
}
const whole = (properties: OpenApiSchema): OpenApiSchema => ({ type: "object", properties: { part: properties } })
const tooLarge = { size: 9 }

describe("a part of what was admitted", () => {
  it("is not looked at again", () => {
    const [before, after] = [{ part: tooLarge }, { part: tooLarge, other: 1 }]
    assert.deepStrictEqual(validate(after, whole(part), before), [])
    assert.deepStrictEqual(evaluateRules(after, before, whole(part), before), [])
    const undeclared = { part: { size: 1, more: 2 } }
    assert.strictEqual(pruneObject(undeclared, whole(part), undeclared)["part"], undeclared.part)
  })

  it("is looked at when it only equals it, or nothing was admitted", () => {
    const [before, equal] = [{ part: tooLarge }, { part: { ...tooLarge } }]
    assert.strictEqual(validate({ part: { size: 8 } }, whole(part), before).length, 1)
    assert.strictEqual(validate(before, whole(part)).length, 1)
    assert.strictEqual(evaluateRules(equal, before, whole(part), before).length, 1)
    assert.strictEqual(evaluateRules(before, before, whole(part)).length, 1)
  })

  it("is asked transition rules again, wherever in it they stand", () => {
    const grows = { rule: "self.size > oldSelf.size", message: "must grow" }
    const schema = whole({ type: "object", properties: { inner: { ...part, "x-kubernetes-validations": [grows] } } })
    const [before, after] = [{ part: { inner: tooLarge } }, { part: { inner: tooLarge }, other: 1 }]
    const shared = sharing(after, before)
    assert.deepStrictEqual(
      evaluateRules(shared, before, schema, before).map(({ path }) => path),
      ["part.inner"]
    )
  })
})
