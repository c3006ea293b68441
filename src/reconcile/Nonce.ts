/** Text that no other question has: an answer to one fits no other. It need not be a secret. */
import { Effect, Random } from "effect"

const word = Effect.map(Random.nextIntBetween(0, 2 ** 32), (number) => number.toString(16).padStart(8, "0"))

export const nonce: Effect.Effect<string> = Effect.map(Effect.all([word, word, word]), (words) => words.join(""))
