import { Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { parseSelector, problemsOf } from "../../../../src/memory/hetzner/Labels.ts"

const subjects: { readonly [name: string]: { readonly [key: string]: string } } = {
  none: {},
  web: { team: "web" },
  db: { team: "db", "example.com/tier": "gold" },
  empty: { team: "" }
}

describe("Labels.parseSelector", () => {
  // oxfmt-ignore
  it.each([
    ["",                              "none web db empty"],
    ["team=web",                      "web"],
    ["team==web",                     "web"],
    ["team = web",                    "web"],
    ["team=",                         "empty"],
    ["team!=web",                     "none db empty"],
    ["team",                          "web db empty"],
    ["!team",                         "none"],
    ["team in (web,db)",              "web db"],
    ["team in ( web , db )",          "web db"],
    ["team in(web)",                  "web"],
    ["team notin (web,db)",           "none empty"],
    ["team,team!=web",                "db empty"],
    ["team in (web,db),!other",       "web db"],
    ["example.com/tier=gold,team=db", "db"],
    ["constructor",                   ""]
  ])("%s selects: %s", (selector, names) => {
    const matches = Result.getOrThrow(parseSelector(selector))
    const found = Object.entries(subjects).flatMap(([name, labels]) => (matches(labels) ? [name] : []))
    assert.strictEqual(found.join(" "), names)
  })

  it.each(["=web", "team=web,", "team in web", "team in (a", "team web", "!", "team=a/b", "-team", "a=b=c", "!team=x"])(
    "refuses %s",
    (selector) => {
      assert.isTrue(Result.isFailure(parseSelector(selector)))
    }
  )
})

describe("Labels.problemsOf", () => {
  // oxfmt-ignore
  it.each([
    ["a plain label",                    "team",                      "web",            true],
    ["no value",                         "team",                      "",               true],
    ["a prefix",                         "example.com/team",          "web",            true],
    ["a name of 63",                     "a".repeat(63),              "web",            true],
    ["a name of 64",                     "a".repeat(64),              "web",            false],
    ["a prefix of 253",                  `${"a.".repeat(126)}a/team`, "web",            true],
    ["a prefix of 255",                  `${"a.".repeat(127)}a/team`, "web",            false],
    ["the vendor's prefix",              "hetzner.cloud/team",        "web",            false],
    ["a name that begins with a hyphen", "-team",                     "web",            false],
    ["a name that is empty",             "example.com/",              "web",            false],
    ["a value of 63",                    "team",                      "a".repeat(63),   true],
    ["a value of 64",                    "team",                      "a".repeat(64),   false],
    ["a value with a slash",             "team",                      "web/shop",       false],
    ["a value with a colon",             "team",                      "web:shop",       false],
    ["a value that ends in a dot",       "team",                      "web.",           false],
    ["a UID as value",                   "claim", "6c2d40f6-4e3a-4f0f-9f0e-2c8a0c1d7f5e", true]
  ])("%s", (_, key, value, isGood) => {
    assert.strictEqual(problemsOf({ [key]: value }).length === 0, isGood)
  })
})
