import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { Listing } from "../../../../src/cloud/hetzner/Listing.ts"
import { virtually } from "../../virtually.ts"

/** Each read takes a minute, as it does where requests are rationed, and finds one item more. */
const slow = () => {
  let reads = 0
  return new Listing(
    Effect.delay(
      Effect.sync(() => Array.from({ length: ++reads }, (_, index) => ({ id: `${index}` }))),
      "1 minute"
    )
  )
}

const lengthOf = (listing: ReturnType<typeof slow>, maxAgeMillis: number) =>
  Effect.map(listing.get(maxAgeMillis), ({ length }) => length)

describe("Listing.get", () => {
  it("answers with what it has, if that is young enough, while a newer one is on its way", () => {
    virtually(
      Effect.gen(function* () {
        const listing = slow()
        assert.strictEqual(yield* lengthOf(listing, 0), 1)
        const newer = yield* Effect.forkChild(lengthOf(listing, 0))
        yield* Effect.sleep("1 second")
        const old = yield* lengthOf(listing, 120_000).pipe(Effect.timeoutOption("1 second"))
        assert.strictEqual(Option.getOrUndefined(old), 1)
        assert.strictEqual(yield* Fiber.join(newer), 2)
      })
    )
  })

  it("has what was bought a moment before also when the list does not have it yet, and not for ever", () => {
    virtually(
      Effect.gen(function* () {
        const listing = new Listing(Effect.succeed<ReadonlyArray<{ readonly id: string }>>([]))
        yield* listing.absorb({ id: "bought" })
        yield* Effect.sleep("2 seconds")
        assert.deepStrictEqual(yield* listing.get(0), [{ id: "bought" }])
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(yield* listing.get(0), [])
      })
    )
  })

  it("asks once for all who need one that young", () => {
    virtually(
      Effect.gen(function* () {
        const listing = slow()
        const lengths = yield* Effect.all([lengthOf(listing, 1_000), lengthOf(listing, 1_000)], { concurrency: 2 })
        assert.deepStrictEqual(lengths, [1, 1])
      })
    )
  })
})
