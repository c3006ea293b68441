/**
 * Answers what other nodes and the leader ask of this node as a voter (domain/Witness). It answers in one step: what it
 * says is remembered before anybody hears it.
 */
import { Effect } from "effect"
import * as WitnessMessage from "../api/WitnessMessage.ts"
import * as Witness from "../domain/Witness.ts"
import type { Respond } from "../ports/Peers.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"

export interface Options {
  readonly node: string
  /** Names this process. */
  readonly process: string
  readonly key: Effect.Effect<WitnessMessage.WitnessKey | undefined>
  /** No renewal of this node, which wants to renew, was answered since X/2. */
  readonly hasLost: (nowMillis: number) => boolean
  /**
   * As far as this node was told before it lost the control plane. What it promised is in the memory of one process, and a
   * machine that stood still with its clock may find its leases unexpired after all of these were replaced.
   */
  readonly isFenced: (holdId: string) => boolean
}

export const make = ({ hasLost, isFenced, key, node, process }: Options): Effect.Effect<Respond> =>
  Effect.map(monotonicMillis, (startedMillis) => {
    let memory = Witness.newMemory(startedMillis)

    const confirm = ({
      holdId,
      process: asked,
      sinceMillis
    }: Extract<WitnessMessage.Question, { kind: "Confirm" }>) => {
      if (asked !== process || !Witness.hasNotVouchedSince(memory, holdId, sinceMillis)) return false
      memory = Witness.give(memory, holdId)
      return true
    }

    const answer = (question: WitnessMessage.Question, nowMillis: number): boolean => {
      const { holdId, kind } = question
      if (kind === "Promise") return Witness.hasNotVouchedFor(memory, holdId, question.withinMillis, nowMillis)
      if (kind === "Confirm") return confirm(question)
      if (!hasLost(nowMillis) || isFenced(holdId) || !Witness.mayVouch(memory, holdId)) return false
      memory = Witness.vouch(memory, holdId, nowMillis)
      return true
    }

    return Effect.fnUntraced(function* (message: string) {
      const known = yield* key
      const nowMillis = yield* monotonicMillis
      const question = known === undefined ? undefined : WitnessMessage.openQuestion(message, known)
      // An address may have been another node's before.
      if (known === undefined || question?.voter !== node) return undefined
      const yes = answer(question, nowMillis)
      return WitnessMessage.sealAnswer({ yes, process, atMillis: nowMillis }, message, known)
    })
  })
