/** The contract of a Cloud, over the project in memory, in virtual time. */
import { assert, describe, it } from "@effect/vitest"
import { virtually } from "../../unit/virtually.ts"
import { cases } from "./cases.ts"
import { play } from "./inMemory.ts"

describe("the cloud in memory", () => {
  it.each(cases)("$name", (each) => {
    assert.isUndefined(virtually(play(each)))
  })
})
