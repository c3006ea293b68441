/**
 * The scenarios, told anew and compared with what `test/simulation/scenarios/*.txt` say. `GOLDEN=write npx vitest …` rewrites
 * them; commit only a difference that you understand.
 */
import { writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { enumerate, pointsOf } from "../../../src/simulation/Enumerate.ts"
import { runScenario } from "../../../src/simulation/Scenario.ts"
import { parse, render } from "../../../src/simulation/scenario/Script.ts"
import { fileOf, names, readScript } from "../../simulation/scripts.ts"

const script = (text: string) => parse("test", text)

describe("the scenario", () => {
  it.each(names)(
    "%s happens as it is told",
    (name) => {
      const before = readScript(name)
      const { script: after, verdict, violations } = runScenario(before)
      assert.deepStrictEqual([verdict, violations], ["passed", []])
      if (process.env.GOLDEN === "write") writeFileSync(fileOf(name), render(after))
      else assert.strictEqual(render(after), render(before))
    },
    60_000
  )
})

const served = `
namespace shop
pool rack-1 192.0.2.10
wait ready

service shop/web
wait served shop/web
`

describe("Scenario.runScenario", () => {
  it("gives the same trace each time", () => {
    assert.strictEqual(runScenario(script(served)).hash, runScenario(script(served)).hash)
  })

  it("says which line is no command", () => {
    const { verdict, violations } = runScenario(script("make coffee"))
    assert.strictEqual(verdict, "liveness")
    assert.match(violations[0]?.message ?? "", /"make coffee" is no command/)
  })

  it("fails when what it waits for does not come", () => {
    const { violations } = runScenario(script("namespace shop\nservice shop/web\nwait served shop/web"))
    assert.match(violations[0]?.message ?? "", /shop\/web is served" is not so after/)
  })
})

describe("Enumerate", () => {
  it("counts each write and each change of a kernel; a kernel has no lost replies", () => {
    const effect = { client: "operator-node-1", what: "add 192.0.2.10" }
    const points = pointsOf([
      { ...effect, isKernel: true },
      { ...effect, isKernel: false }
    ])
    assert.deepStrictEqual(
      points.map(({ at, mode }) => `${mode} ${at}`),
      ["crash-before 1", "crash-after 1", "crash-before 2", "crash-after 2", "lose-reply 2", "conflict 2"]
    )
  })

  it("reaches the end of a served Service from every point", () => {
    const { effectsCount, failure } = enumerate(script(served))
    assert.isUndefined(failure)
    assert.isAbove(effectsCount, 8)
  }, 120_000)
})
