/**
 * The suite is itself tested: of the API server in memory each rule is switched off in turn, and some case must fail.
 * A rule that no case pins might be wrong, and a case that pins none proves little.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Random } from "effect"
import * as MemoryKubernetes from "../../../src/memory/kubernetes/MemoryKubernetes.ts"
import { allRules, type Rules } from "../../../src/memory/kubernetes/Rules.ts"
import { Kubernetes } from "../../../src/ports/Kubernetes.ts"
import { contractCases, installCrds } from "./suite.ts"
import { runVirtually } from "./VirtualTime.ts"

/** Names of the cases that fail, or `(setup)`. */
const failingWith = (rules: Partial<Rules>): ReadonlyArray<string> => {
  const program = Effect.gen(function* () {
    const memory = yield* MemoryKubernetes.make({ rules })
    yield* Effect.forkScoped(memory.runControllers(1))
    const withPort = Effect.provideService(Kubernetes, memory.view("conformance"))
    if (Exit.isFailure(yield* Effect.exit(withPort(installCrds)))) return ["(setup)"]
    const failing: Array<string> = []
    for (const { name, run } of contractCases) {
      if (Exit.isFailure(yield* Effect.exit(withPort(Effect.scoped(run))))) failing.push(name)
    }
    return failing
  })
  const exit = runVirtually(program.pipe(Effect.scoped, Random.withSeed("rules")))
  return Exit.isSuccess(exit) ? exit.value : [`(the run itself) ${String(exit.cause)}`]
}

const isRule = (name: string): name is keyof Rules => Object.hasOwn(allRules, name)

describe("the rules of the API server in memory", () => {
  const table: Array<string> = []
  afterAll(() => console.log(table.join("\n")))

  it("with all rules no case fails", () => {
    assert.deepStrictEqual(failingWith({}), [])
  })

  it.each(Object.keys(allRules).filter(isRule))("without %s a case fails", (rule) => {
    const failing = failingWith({ [rule]: false })
    table.push(
      `${rule}: ${failing.length} ${failing.length === 1 ? "case" : "cases"}: ${failing.slice(0, 3).join(" | ")}`
    )
    assert.isNotEmpty(failing)
  })
})
