/** The contract of the Peers port, executable: run over HTTP and over the twin in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as WitnessMessage from "../../../src/api/WitnessMessage.ts"
import type { Peer, PeerError, Peers, Respond } from "../../../src/ports/Peers.ts"

export interface World {
  readonly peers: Peers["Service"]
  /** A place where this voter answers until the scope closes. */
  readonly listen: (respond: Respond) => Effect.Effect<Peer, never, Scope.Scope>
  /** A place where nobody listens. */
  readonly nowhere: Peer
}

const keyFrom = (text: string): WitnessMessage.WitnessKey => {
  const key = WitnessMessage.keyOf(text.repeat(32))
  if (key === undefined) throw new Error("too short")
  return key
}
const key = keyFrom("ab")
const otherKey = keyFrom("cd")

const question = (nonce = "1"): WitnessMessage.Question => ({
  kind: "Promise",
  voter: "node-2",
  holdId: "1.a",
  nonce,
  withinMillis: 6500
})
const answer: WitnessMessage.Answer = { yes: true, process: "p1", atMillis: 17 }

/** A voter that says yes to whatever is sealed for it, and remembers it. */
const voter =
  (own = key, heard: Array<WitnessMessage.Question> = []): Respond =>
  (message) =>
    Effect.sync(() => {
      const asked = WitnessMessage.openQuestion(message, own)
      if (asked === undefined) return undefined
      heard.push(asked)
      return WitnessMessage.sealAnswer(answer, message, own)
    })

const reasonOf = <A>(asking: Effect.Effect<A, PeerError>) =>
  Effect.map(Effect.flip(asking), ({ category, reason }) => `${reason._tag} ${category}`).pipe(Effect.orDie)

export const peersSuite = (name: string, makeWorld: Effect.Effect<World, never, Scope.Scope>): void => {
  const check = (sentence: string, body: (world: World) => Effect.Effect<void, PeerError, Scope.Scope>) =>
    it.live(sentence, () => Effect.scoped(Effect.flatMap(makeWorld, body)))

  describe(`Peers over ${name}`, () => {
    check("carries a question to a voter, and its answer back", ({ listen, peers }) =>
      Effect.gen(function* () {
        const heard: Array<WitnessMessage.Question> = []
        const peer = yield* listen(voter(key, heard))
        assert.deepStrictEqual(yield* peers.ask(peer, question(), key), answer)
        assert.deepStrictEqual(heard, [question()])
      })
    )
    check("carries many at once", ({ listen, peers }) =>
      Effect.gen(function* () {
        const peer = yield* listen(voter())
        const nonces = Array.from({ length: 50 }, (_, index) => `${index}`)
        const answers = yield* Effect.forEach(nonces, (nonce) => peers.ask(peer, question(nonce), key), {
          concurrency: "unbounded"
        })
        assert.lengthOf(answers, 50)
      })
    )
    check("calls a place where nobody listens silent, and worth another try", ({ nowhere, peers }) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* reasonOf(peers.ask(nowhere, question(), key)), "Silent transient")
      })
    )
    check("does not wait for ever for a voter that does not answer", ({ listen, peers }) =>
      Effect.gen(function* () {
        const peer = yield* listen(() => Effect.never)
        assert.strictEqual(yield* reasonOf(peers.ask(peer, question(), key)), "Silent transient")
      })
    )
    check("is not believed by a voter with another key", ({ listen, peers }) =>
      Effect.gen(function* () {
        const peer = yield* listen(voter(otherKey))
        assert.strictEqual(yield* reasonOf(peers.ask(peer, question(), key)), "NotBelieved permanent")
      })
    )
    check("does not believe an answer that is sealed with another key", ({ listen, peers }) =>
      Effect.gen(function* () {
        const peer = yield* listen((message) => Effect.succeed(WitnessMessage.sealAnswer(answer, message, otherKey)))
        assert.strictEqual(yield* reasonOf(peers.ask(peer, question(), key)), "NotBelieved permanent")
      })
    )
    check("does not believe an old answer that somebody recorded and sends again", ({ listen, peers }) =>
      Effect.gen(function* () {
        let recorded: string | undefined
        const peer = yield* listen((message) => Effect.map(voter()(message), (sealed) => (recorded ??= sealed)))
        yield* peers.ask(peer, question("1"), key)
        assert.strictEqual(yield* reasonOf(peers.ask(peer, question("2"), key)), "NotBelieved permanent")
      })
    )
    check("does not believe its own question that somebody sends back", ({ listen, peers }) =>
      Effect.gen(function* () {
        const peer = yield* listen((message) => Effect.succeed(message))
        assert.strictEqual(yield* reasonOf(peers.ask(peer, question(), key)), "NotBelieved permanent")
      })
    )
    check("does not understand what is no answer at all", ({ listen, peers }) =>
      Effect.gen(function* () {
        const peer = yield* listen(() => Effect.succeed("yes"))
        assert.strictEqual(yield* reasonOf(peers.ask(peer, question(), key)), "NotBelieved permanent")
      })
    )
  })
}
