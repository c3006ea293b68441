/** `npm run model`: what it prints, and its exit codes. */
import { spawnSync } from "node:child_process"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = resolve(import.meta.dirname, "../../..")
const model = (...args: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync(process.execPath, ["test/model/model.ts", ...args], {
    cwd: root,
    encoding: "utf8"
  })
  return { status, output: stdout + stderr }
}

describe("npm run model", () => {
  it("tells the counterexample of one rule, step by step", () => {
    const { output, status } = model("--rule", "R8")
    assert.strictEqual(status, 0)
    assert.match(output, /^ {3}1\. controller-1 creates the claim of web-1, for node-1$/m)
    assert.match(output, /^ {2}=> 192\.0\.2\.10 is served by node-1 and by node-2$/m)
  })

  it("says which bound ended a search, and that a rule has no counterexample within it", () => {
    assert.match(model("--config", "moves", "--states", "500").output, /ended at 5\d\d states/)
    const { output, status } = model("--rule", "R1", "--states", "50")
    assert.strictEqual(status, 1)
    assert.match(output, /MISSED: without R1/)
  })

  it.each([
    [["--bogus"], "--bogus"],
    [["--rule", "R13"], "there is no R13. There are: R1, "],
    [["--config", "nothing"], "there is no nothing. There are: base-small, "],
    [["--states", "0"], "at least 1"]
  ])("refuses %j with a sentence and exit code 2", (args, sentence) => {
    const { output, status } = model(...args)
    assert.strictEqual(status, 2)
    assert.include(output, sentence)
  })
})
