import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as KeyFile from "../../../../src/live/peers/KeyFile.ts"

describe("the file of the voters' key", () => {
  it.effect("may come, change and go while it is used", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "plenuslb-key-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const file = join(folder, "key")
      const read = Effect.map(KeyFile.read(file), (key) => key && Redacted.value(key))
      assert.isUndefined(yield* read)
      writeFileSync(file, `${"a".repeat(64)}\n`)
      assert.strictEqual(yield* read, "a".repeat(64))
      writeFileSync(file, "b".repeat(64))
      assert.strictEqual(yield* read, "b".repeat(64))
      writeFileSync(file, "short")
      assert.isUndefined(yield* read)
      rmSync(file)
      assert.isUndefined(yield* read)
    })
  )
})
