/**
 * The failover protocol, explored in its small configurations, and broken rule by rule. `npm run model` explores the
 * large ones too (docs/failover-model.md).
 */
import { assert, describe, it } from "@effect/vitest"
import { configurations } from "../../model/Configurations.ts"
import { cases } from "../../model/rules.ts"

const small = configurations.flatMap((each) => (each.size === "small" ? [each] : []))

/** The longest counterexamples that a person has followed; a longer one says that a guard elsewhere hides what is missing. */
const STEPS_MAX = 26

/** Those that need millions of states are left to `npm run model`. */
const STATES_MAX = 400_000

/** A hang shows; a slow machine does not. */
const timeout = 240_000

describe("the failover protocol", () => {
  it.each(small.map((each) => [each.says, each] as const))(
    "never has two holders: %s",
    { timeout },
    (_, configuration) => {
      const { endedBy, violation } = configuration.explore(undefined, {})
      assert.deepStrictEqual(violation, undefined)
      assert.strictEqual(endedBy, undefined, "every state was seen")
    }
  )

  it("gives every rule a configuration in which it is left out, and each once", () => {
    const numbers = cases.filter(({ isNumbered }) => isNumbered).map(({ guard }) => guard)
    assert.deepStrictEqual(
      numbers,
      Array.from({ length: 12 }, (_, index) => `R${index + 1}`)
    )
    assert.strictEqual(new Set(cases.map(({ guard }) => guard)).size, cases.length)
  })
})

describe("the failover protocol with something left out", () => {
  const quick = cases.filter(({ isQuick }) => isQuick)

  it.each(quick.map((each) => [each.guard, each.says, each] as const))(
    "comes to two holders without %s: %s",
    { timeout },
    (_, __, each) => {
      const { violation } = each.explore(STATES_MAX)
      assert.isDefined(violation, `no counterexample in ${each.configuration.name}`)
      assert.isAtMost(violation?.trace.length ?? 0, STEPS_MAX)
      assert.match(violation?.says ?? "", /is served by|still answers/)
      for (const step of violation?.trace ?? []) assert.match(step, /^[a-z'].* \S+$/, "a sentence")
    }
  )

  it("is tried for every rule, R1 to R12", () => {
    const numbers = quick.filter(({ isNumbered }) => isNumbered)
    assert.strictEqual(numbers.length, 12)
  })
})
