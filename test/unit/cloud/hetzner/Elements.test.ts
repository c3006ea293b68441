import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Schema } from "effect"
import * as Elements from "../../../../src/cloud/hetzner/Elements.ts"
import { runVirtually } from "../../../conformance/kubernetes/VirtualTime.ts"

const listOf = (...elements: ReadonlyArray<unknown>) =>
  Elements.decode("address", "/floating_ips", { elements, schema: Schema.Int, make: (each) => each })

describe("Unread", () => {
  it("tells once of what a list has and is not understood, and again when it has come back", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    const unread = new Elements.Unread()
    const [odd, even] = [listOf(1, { id: 7, name: "web" }, 2), listOf(1, 2)]
    const notes = [odd, odd, listOf("?"), even, odd].map((list) => unread.note("address", list))
    runVirtually(Effect.provide(Effect.all(notes), Logger.layer([logger])))
    assert.lengthOf(lines, 3)
    assert.deepStrictEqual(
      unread.all().map(({ id, name }) => [id, name]),
      [["7", "web"]]
    )
  })
})
