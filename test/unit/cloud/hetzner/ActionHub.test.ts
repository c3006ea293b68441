/** Several who wait for one action, as whoever meets a locked address waits for what works on it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Scheduler, Schema } from "effect"
import * as ActionHub from "../../../../src/cloud/hetzner/ActionHub.ts"
import type { ApiClient, Call } from "../../../../src/cloud/hetzner/ApiClient.ts"
import { virtually } from "../../virtually.ts"
import { action } from "./Script.ts"

const decode = Schema.decodeUnknownSync
const done = { actions: [action("success")] }

/** Whatever it is asked, the action is done. */
const client: ApiClient = {
  refusedWrite: () => undefined,
  call: <A>({ reply }: Call<A>) =>
    reply === undefined ? Effect.die("no reply is asked for") : Effect.succeed(decode(reply)(done))
}

describe("an action", () => {
  it.each([3, 4, 5, 6, 7, 8])("tells its end to all who wait for it, interleaved every %i steps", (steps) => {
    const running = { id: 9, status: "running", error: undefined }
    const ends = virtually(
      Effect.gen(function* () {
        const hub = yield* ActionHub.make(client)
        const one = Effect.timeoutOption(hub.outcome(running), "2 minutes")
        const all = Effect.all([one, one, one], { concurrency: "unbounded" })
        return yield* Effect.provideService(all, Scheduler.MaxOpsBeforeYield, steps)
      })
    )
    assert.deepStrictEqual(ends.map(Option.isSome), [true, true, true])
  })
})
