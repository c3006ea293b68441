/** The API server commits, and the reply is lost. */
import { Effect } from "effect"
import type { Fault } from "../Fault.ts"

const probability = 0.02

export const replyLost: Fault = {
  name: "reply-lost",
  title: "the API server acts, and the reply is lost",
  run: ({ links, story }) =>
    Effect.sync(() =>
      links.faults.set("reply-lost", (_, random) => {
        if (!random.chance(probability)) return undefined
        story.note("reply-lost")
        return { delayMillis: 2, loseReply: true, replyDelayMillis: random.between(1, 1_000) }
      })
    ).pipe(Effect.andThen(Effect.never), Effect.ensuring(Effect.sync(() => links.faults.delete("reply-lost"))))
}
