/** The mutants still fit the code that they change; whether they are found is what `npm run mutants` measures. */
import { readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { mutants } from "../../simulation/mutants/all.ts"
import { mutate } from "../../simulation/mutants/Mutant.ts"

const root = join(import.meta.dirname, "../../..")
const shipping = /^src\/(controller|operator|domain|reconcile)\//

describe("the mutant", () => {
  it.each(mutants)("$name is a bug in one place of the shipping code, which compiles", (mutant) => {
    assert.match(mutant.file, shipping)
    const source = readFileSync(join(root, mutant.file), "utf8")
    const mutated = mutate(mutant, source)
    assert.notStrictEqual(mutated, source)
    assert.doesNotThrow(() => stripTypeScriptTypes(mutated))
  })

  it("has a name of its own", () => {
    assert.strictEqual(new Set(mutants.map(({ name }) => name)).size, mutants.length)
  })

  it("that does not fit any more says so", () => {
    const [mutant] = mutants
    if (mutant === undefined) return assert.fail("no mutants")
    assert.throws(() => mutate(mutant, ""), /stands 0 times/)
    assert.throws(() => mutate(mutant, mutant.find + mutant.find), /stands 2 times/)
  })
})
