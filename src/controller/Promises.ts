/**
 * Before a silent node is fenced its voters are asked, twice (domain/Witness): that they have not vouched for it for V, and
 * then, when at least half of the list's length said so, that as the same process they have not since. Whoever does not
 * answer has promised nothing.
 */
import { Deferred, Effect } from "effect"
import type { Question, WitnessKey } from "../api/WitnessMessage.ts"
import * as Witness from "../domain/Witness.ts"
import type { Peer, Peers } from "../ports/Peers.ts"
import { nonce } from "../reconcile/Nonce.ts"

/** A voter on the same network answers within milliseconds; a dead one must not hold up those that live. */
const PATIENCE_MILLIS = 500

export interface Asking {
  readonly peers: Peers["Service"]
  readonly key: WitnessKey
  readonly peerOf: (voter: string) => Peer | undefined
}

export interface Wanted {
  readonly node: string
  readonly holdId: string
  /** Of the very version of the lease that is to be fenced. */
  readonly voters: Witness.Voters
  /** V. */
  readonly silenceMillis: number
}

/** Who said so in the first round, as which process, and when by its own clock. */
type Given = ReadonlyMap<string, { readonly process: string; readonly atMillis: number }>

/** Those of `voters` that say yes; no longer than until they are enough. */
const gather = Effect.fnUntraced(function* (
  { key, peerOf, peers }: Asking,
  { node, voters: list }: Wanted,
  questionTo: (voter: string, nonce: string) => Question | undefined
) {
  const given = new Map<string, { readonly process: string; readonly atMillis: number }>()
  const enough = yield* Deferred.make<void>()
  const askOne = Effect.fnUntraced(
    function* (voter: string) {
      const question = questionTo(voter, yield* nonce)
      const peer = peerOf(voter)
      if (question === undefined || peer === undefined) return
      const { atMillis, process, yes } = yield* peers.ask(peer, question, key)
      if (yes) given.set(voter, { process, atMillis })
      if (Witness.isPromised(list, node, new Set(given.keys()))) yield* Deferred.succeed(enough, undefined)
    },
    Effect.timeout(PATIENCE_MILLIS),
    Effect.catch(() => Effect.void)
  )
  const others = list.filter((voter) => voter !== node)
  const asking = Effect.forEach(others, askOne, { concurrency: "unbounded", discard: true })
  yield* Effect.raceFirst(asking, Deferred.await(enough))
  return new Map(given)
})

const firstRound = (asking: Asking, wanted: Wanted): Effect.Effect<Given> => {
  const { holdId, silenceMillis } = wanted
  return gather(asking, wanted, (voter, nonce) => ({
    kind: "Promise",
    voter,
    holdId,
    nonce,
    withinMillis: silenceMillis
  }))
}

const confirmingRound = (asking: Asking, wanted: Wanted, given: Given): Effect.Effect<Given> =>
  gather(asking, wanted, (voter, nonce) => {
    const promise = given.get(voter)
    const { holdId } = wanted
    if (promise === undefined) return undefined
    return { kind: "Confirm", voter, holdId, nonce, process: promise.process, sinceMillis: promise.atMillis }
  })

export interface Outcome {
  readonly isPromised: boolean
  readonly promisedCount: number
}

/** One try: both rounds, from the beginning. */
export const ask = Effect.fnUntraced(function* (asking: Asking, wanted: Wanted): Effect.fn.Return<Outcome> {
  const isEnough = (promises: Given) => Witness.isPromised(wanted.voters, wanted.node, new Set(promises.keys()))
  const given = yield* firstRound(asking, wanted)
  if (!isEnough(given)) return { isPromised: false, promisedCount: given.size }
  const confirmed = yield* confirmingRound(asking, wanted, given)
  return { isPromised: isEnough(confirmed), promisedCount: confirmed.size }
})
