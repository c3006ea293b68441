/** Each fault, alone in a small cluster: it changes something, what it breaks is right again, and the run can be repeated. */
import { assert, describe, it } from "@effect/vitest"
import { faults } from "../../../src/simulation/faults/all.ts"
import { infeasible } from "../../../src/simulation/faults/infeasible.ts"
import { run } from "../../../src/simulation/Run.ts"
import { names as situations } from "../../../src/simulation/Sometimes.ts"

const names = faults.map(({ name }) => name)

/** Where the first minute of seed 1 is too short for the fault to come up. */
const seedOf: { readonly [flag: string]: number } = {
  "api-outage": 5,
  "namespace-deleted": 2,
  "leaders-none": 2,
  "rbac-revoked": 2,
  "cloud-locked": 6,
  "cloud-action-slow": 3,
  "cloud-unassigned": 6,
  "cloud-token-rotated": 2,
  "service-withdrawn": 3
}

const alone = (name: string) =>
  run({ seed: seedOf[name] ?? 1, only: [name], nodesCount: 3, servicesCount: 6, faultMillis: 60_000 })

describe("a fault alone", () => {
  it.each(names)("%s changes something, heals, and leaves the same trace when it runs again", (name) => {
    const first = alone(name)
    assert.deepStrictEqual([first.verdict, first.violations], ["passed", []])
    assert.isAbove(first.seen.get(name) ?? 0, 0)
    const flagsSeen = [...first.seen.keys()].filter((each) => names.includes(each))
    assert.deepStrictEqual(flagsSeen, [name])
    assert.strictEqual(alone(name).hash, first.hash)
  })
})

describe("the flags", () => {
  it("are distinct, and in kebab case", () => {
    assert.strictEqual(new Set(names).size, names.length)
    for (const name of names) assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/)
  })

  it("of infeasible pairs exist, and each pair has its reason", () => {
    for (const { pair, reason } of infeasible) {
      assert.isTrue(pair.every((name) => names.includes(name)))
      assert.isAbove(reason.length, 10)
    }
  })
})

describe("the situations", () => {
  it("have names of their own, which no fault has", () => {
    assert.strictEqual(new Set([...situations, ...names]).size, situations.length + names.length)
  })

  it("are noted when they come up: a lost reply, a fenced node that returns, a node fenced while its operator runs", () => {
    const { seen } = run({ seed: 3, only: ["reply-lost", "operator-cut"], nodesCount: 3, servicesCount: 6 })
    for (const name of [
      "a write is committed and its reply lost",
      "a fenced node returns",
      "a node is fenced while its operator runs",
      "a second holder answers"
    ]) {
      assert.isAbove(seen.get(`sometimes: ${name}`) ?? 0, 0, name)
    }
  })
})
