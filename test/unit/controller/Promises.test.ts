import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as WitnessMessage from "../../../src/api/WitnessMessage.ts"
import * as Promises from "../../../src/controller/Promises.ts"
import { PeerError, Peers, Silent } from "../../../src/ports/Peers.ts"
import { monotonicMillis } from "../../../src/reconcile/Monotonic.ts"
import { virtually } from "../virtually.ts"

const key = WitnessMessage.keyOf("k".repeat(64)) ?? assert.fail("no key")

/** What a voter says in both rounds; silent from the second round on; or never. */
type Manner = "yes" | "no" | "vouches meanwhile" | "dies meanwhile" | "dead" | "unreachable"

const silent = Effect.fail(new PeerError({ reason: new Silent({ message: "nobody there" }) }))

/** A voter's answer to a question, by its manner; `host` is its name. */
const answerOf = (manner: Manner, { kind }: WitnessMessage.Question) => {
  if (manner === "dead") return Effect.never
  if (manner === "unreachable") return silent
  if (kind === "Promise") return Effect.succeed(manner !== "no")
  return manner === "dies meanwhile" ? Effect.never : Effect.succeed(manner === "yes")
}

const ask = (voters: ReadonlyArray<string>, manners: { readonly [voter: string]: Manner }) => {
  const asked: Array<WitnessMessage.Question> = []
  const peers = Peers.of({
    ask: ({ host }, question) => {
      asked.push(question)
      return Effect.map(answerOf(manners[host] ?? "dead", question), (yes) => ({
        yes,
        process: `process of ${host}`,
        atMillis: 1000 + host.charCodeAt(0)
      }))
    }
  })
  const asking = { peers, key, peerOf: (voter: string) => ({ host: voter, port: 8080 }) }
  const wanted = { node: "a", holdId: "3.x", voters, silenceMillis: 6500 }
  return virtually(
    Effect.gen(function* () {
      const before = yield* monotonicMillis
      const outcome = yield* Promises.ask(asking, wanted)
      return { ...outcome, asked, tookMillis: (yield* monotonicMillis) - before }
    })
  )
}

describe("the promises of voters", () => {
  // oxfmt-ignore
  it.each<[string, string, { readonly [voter: string]: Manner }, boolean, number]>([
    // name                                               voters    what they do                                                    promised  count
    ["are given by both others of three",                  "a b c",   { b: "yes", c: "yes" },                                          true,   2],
    ["are not given by one of the two others",             "a b c",   { b: "yes", c: "no" },                                           false,  1],
    ["are not given by a dead one",                        "a b c",   { b: "yes", c: "dead" },                                         false,  1],
    ["are not given by one that cannot be reached",        "a b c",   { b: "yes", c: "unreachable" },                                  false,  1],
    ["are given by two of four, though one is dead",       "a b c d", { b: "yes", c: "dead", d: "yes" },                               true,   2],
    ["are taken back by one that vouches meanwhile",       "a b c",   { b: "yes", c: "vouches meanwhile" },                            false,  1],
    ["are not confirmed by one that dies meanwhile",       "a b c",   { b: "yes", c: "dies meanwhile" },                               false,  1],
    ["of others do not count",                             "a b c",   { b: "yes", x: "yes", y: "yes" },                                false,  1],
    ["of nobody do for a node that is alone",              "a",       {},                                                              false,  0],
    ["of itself do not count",                             "a b",     { a: "yes", b: "no" },                                           false,  0]
  ])("%s", (_, voters, manners, isPromised, promisedCount) => {
    const outcome = ask(voters.split(" "), manners)
    assert.deepInclude(outcome, { isPromised, promisedCount })
  })

  it("are asked for V, and confirmed by the same process since its own answer", () => {
    const { asked } = ask(["a", "b"], { b: "yes" })
    assert.lengthOf(asked, 2)
    assert.deepInclude(asked[0], { kind: "Promise", voter: "b", holdId: "3.x", withinMillis: 6500 })
    assert.deepInclude(asked[1], {
      kind: "Confirm",
      voter: "b",
      holdId: "3.x",
      process: "process of b",
      sinceMillis: 1098
    })
    assert.notStrictEqual(asked[0]?.nonce, asked[1]?.nonce)
  })

  it("are confirmed by those alone that gave them", () => {
    const { asked } = ask(["a", "b", "c", "d"], { b: "yes", c: "no", d: "yes" })
    const confirming = asked.flatMap(({ kind, voter }) => (kind === "Confirm" ? [voter] : []))
    assert.deepStrictEqual(confirming, ["b", "d"])
  })

  it("are not waited for longer than they are needed: a dead voter costs nothing when others are enough", () => {
    assert.strictEqual(ask(["a", "b", "c", "d"], { b: "yes", c: "dead", d: "yes" }).tookMillis, 0)
    assert.isAtMost(ask(["a", "b", "c"], { b: "yes", c: "dead" }).tookMillis, 500)
  })
})
