import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as WitnessMessage from "../../../src/api/WitnessMessage.ts"
import * as Voter from "../../../src/operator/Voter.ts"
import { virtually } from "../virtually.ts"

const key = WitnessMessage.keyOf("k".repeat(64))
const otherKey = WitnessMessage.keyOf("o".repeat(64))

const ask = { voter: "node-2", holdId: "1.a", nonce: "n" }
const evidence: WitnessMessage.Question = { kind: "Evidence", ...ask }
const promise: WitnessMessage.Question = { kind: "Promise", ...ask, withinMillis: 6500 }

const start = Effect.fnUntraced(function* (process = "p1") {
  const situation = { key, hasLost: false, fenced: "" }
  const respond = yield* Voter.make({
    node: "node-2",
    process,
    key: Effect.sync(() => situation.key),
    hasLost: () => situation.hasLost,
    isFenced: (holdId) => holdId === situation.fenced
  })
  const answerTo = Effect.fnUntraced(function* (question: WitnessMessage.Question, by = key) {
    if (by === undefined) return assert.fail("no key")
    const message = WitnessMessage.sealQuestion(question, by)
    const answer = yield* respond(message)
    return answer === undefined ? undefined : WitnessMessage.openAnswer(answer, message, by)
  })
  const says = (question: WitnessMessage.Question, by = key) =>
    Effect.map(answerTo(question, by), (answer) => answer?.yes)
  return { answerTo, says, situation }
})

describe("a voter", () => {
  it("vouches only while it has lost the control plane itself", () => {
    virtually(
      Effect.gen(function* () {
        const { says, situation } = yield* start()
        assert.isFalse(yield* says(evidence))
        situation.hasLost = true
        assert.isTrue(yield* says(evidence))
      })
    )
  })

  it("does not for a hold id of which it was told that it is fenced, which a process before it may have promised", () => {
    virtually(
      Effect.gen(function* () {
        const { says, situation } = yield* start()
        situation.hasLost = true
        situation.fenced = "1.a"
        assert.isFalse(yield* says(evidence))
        assert.isTrue(yield* says({ ...evidence, holdId: "2.a" }))
      })
    )
  })

  it("promises nothing for V after its start, nor after it vouched; for another hold id it does", () => {
    virtually(
      Effect.gen(function* () {
        const { says, situation } = yield* start()
        yield* Effect.sleep(6499)
        assert.isFalse(yield* says(promise))
        yield* Effect.sleep(1)
        assert.isTrue(yield* says(promise))
        situation.hasLost = true
        yield* says(evidence)
        situation.hasLost = false
        yield* Effect.sleep(6499)
        assert.isFalse(yield* says(promise))
        assert.isTrue(yield* says({ ...promise, holdId: "2.b" }))
        yield* Effect.sleep(1)
        assert.isTrue(yield* says(promise))
      })
    )
  })

  const promised = Effect.fnUntraced(function* () {
    const { answerTo, ...rest } = yield* start()
    yield* Effect.sleep(7000)
    const { atMillis = 0, process = "" } = (yield* answerTo(promise)) ?? {}
    const confirm: WitnessMessage.Question = { kind: "Confirm", ...ask, process, sinceMillis: atMillis }
    return { ...rest, confirm }
  })

  it("vouches no more for a hold id once it has confirmed a promise, whatever it loses; for another one it does", () => {
    virtually(
      Effect.gen(function* () {
        const { confirm, says, situation } = yield* promised()
        assert.isTrue(yield* says(confirm))
        situation.hasLost = true
        assert.isFalse(yield* says(evidence))
        assert.isTrue(yield* says({ ...evidence, holdId: "9.ff" }))
      })
    )
  })

  it("takes back a promise when it vouched since, and one that another process gave", () => {
    virtually(
      Effect.gen(function* () {
        const { confirm, says, situation } = yield* promised()
        assert.isFalse(yield* says({ ...confirm, process: "p2" }))
        yield* Effect.sleep(10)
        situation.hasLost = true
        yield* says(evidence)
        assert.isFalse(yield* says(confirm))
      })
    )
  })

  it("remembers nothing of a question for a promise, as other operators ask to see whether it answers (R12)", () => {
    virtually(
      Effect.gen(function* () {
        const { answerTo, says, situation } = yield* start()
        const looked = { ...promise, withinMillis: 0 }
        for (let time = 0; time < 3; time++) assert.isTrue((yield* answerTo(looked))?.yes)
        yield* Effect.sleep(6500)
        assert.isTrue(yield* says(looked))
        assert.isTrue(yield* says(promise), "being looked at is no vouching")
        situation.hasLost = true
        assert.isTrue(yield* says(evidence), "nor is it a promise that was given")
      })
    )
  })

  it("answers nobody without the key, with another, or for another node", () => {
    virtually(
      Effect.gen(function* () {
        const { says, situation } = yield* start()
        assert.isUndefined(yield* says(promise, otherKey))
        assert.isUndefined(yield* says({ ...promise, voter: "node-3" }))
        situation.key = undefined
        assert.isUndefined(yield* says(promise))
      })
    )
  })

  it("does not count a question that it did not believe as vouching", () => {
    virtually(
      Effect.gen(function* () {
        const { says, situation } = yield* start()
        yield* Effect.sleep(7000)
        situation.hasLost = true
        yield* says({ ...evidence, voter: "node-3" })
        yield* says(evidence, otherKey)
        assert.isTrue(yield* says(promise))
      })
    )
  })
})
