import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type { WitnessKey } from "../../../../src/api/WitnessMessage.ts"
import * as HttpPeers from "../../../../src/live/peers/HttpPeers.ts"
import { Peers } from "../../../../src/ports/Peers.ts"

const key: WitnessKey = Redacted.make("0123456789abcdef0123456789abcdef")
const question = { kind: "Promise", voter: "node-2", holdId: "1.aa", nonce: "n", withinMillis: 0 } as const

describe("a peer that cannot be asked", () => {
  it.each([
    ["with a port that none can be, as in a ConfigMap that somebody edited", { host: "127.0.0.1", port: 70_000 }],
    ["with a host that no header can name, as a Node's status may say", { host: "節点", port: 8080 }]
  ])("%s is one that is silent, and ends nobody's asking", async (_, peer) => {
    const asking = Peers.use(({ ask }) => ask(peer, question, key))
    const exit = await Effect.runPromise(Effect.result(asking).pipe(Effect.provide(HttpPeers.layer)))
    assert.strictEqual(exit._tag === "Failure" && exit.failure.reason._tag, "Silent")
  })
})
