/**
 * Whether this node's voters answer it, asked now and then while nothing is wrong: a firewall or a wrong key is to be known
 * before an outage needs their word (domain/Witness).
 *
 * The question is that for a promise about the node's own hold id, and its answer is thrown away: a voter that answers it
 * remembers nothing (R12), what it says is no evidence, and only a leader that asks for itself, and has it confirmed, acts on it.
 * Voters that are no members at the moment, as they are dead or being replaced, are not asked: they lose their seats by themselves.
 */
import { Effect, Random } from "effect"
import type * as NodeConfig from "../api/NodeConfig.ts"
import type { WitnessKey } from "../api/WitnessMessage.ts"
import type { Peers } from "../ports/Peers.ts"
import { forkForEver } from "../reconcile/ForEver.ts"
import { nonce } from "../reconcile/Nonce.ts"
import type { Seats } from "./Seats.ts"

/** One question to each of up to six voters. */
const LOOK_MILLIS = 30_000
/** So that nodes that were started together do not all ask at once. */
const JITTER_MILLIS = 6_000
/**
 * Looks in a row without an answer, at least two minutes: a replaced operator is back within one, and as long as that it takes
 * until all have a new key.
 */
const LOOKS_MAX = 6

/** By voter, why it is not heard. Under the node's own name: it has no key, and can ask nobody. */
export type Unreached = { readonly [voter: string]: "Silent" | "NotBelieved" | "NoKey" }

export interface Situation {
  readonly node: string
  readonly peers: Peers["Service"]
  readonly key: Effect.Effect<WitnessKey | undefined>
  readonly seats: Pick<Seats, "lists">
  readonly members: () => ReadonlyArray<NodeConfig.Member>
  /** Undefined: it does not want to renew, or has no lease; then it asks nobody. */
  readonly holdId: () => string | undefined
  /** It holds nothing and names nobody. */
  readonly isIdle: () => boolean
  /** Its renewals are answered: in an outage it is asked in earnest (Evidence). */
  readonly isRenewed: Effect.Effect<boolean>
}

interface Missed {
  readonly why: Unreached[string]
  readonly looks: number
}

const looking = (situation: Situation) => {
  const { isIdle, key, members, node, peers, seats } = situation

  /** Undefined: it answers. */
  const ask = Effect.fnUntraced(function* (voter: string, by: WitnessKey, holdId: string) {
    const peer = members().find((member) => member.node === voter)?.peer
    if (peer === undefined) return undefined
    const question = { kind: "Promise", voter, holdId, nonce: yield* nonce, withinMillis: 0 } as const
    return yield* peers.ask(peer, question, by).pipe(
      Effect.as(undefined),
      Effect.catch(({ reason }) => Effect.succeed(reason._tag))
    )
  })

  /** What is not heard now; undefined: it could not be told. */
  return Effect.gen(function* () {
    const holdId = situation.holdId()
    if (holdId === undefined || !(yield* situation.isRenewed)) return undefined
    if (isIdle()) return []
    const by = yield* key
    if (by === undefined) return [[node, "NoKey"] as const]
    const others = new Set(seats.lists().flatMap((voters) => voters.filter((voter) => voter !== node)))
    const answers = yield* Effect.forEach(
      others,
      (voter) => Effect.map(ask(voter, by, holdId), (why) => [voter, why] as const),
      { concurrency: "unbounded" }
    )
    return answers.flatMap(([voter, why]) => (why === undefined ? [] : [[voter, why] as const]))
  })
}

const tell = (unreached: Unreached) =>
  Object.keys(unreached).length === 0
    ? Effect.logInfo("all voters answer again")
    : Effect.logWarning("voters do not answer: at an outage of the control plane their word may be missed").pipe(
        Effect.annotateLogs({ unreached })
      )

/** Logged when it changes. What cannot be looked at leaves what was known. */
export const follow = Effect.fnUntraced(function* (situation: Situation) {
  const look = looking(situation)
  let missed: ReadonlyMap<string, Missed> = new Map()
  let told: Unreached = {}
  const note = (unheard: ReadonlyArray<readonly [voter: string, why: Missed["why"]]> | undefined) => {
    if (unheard === undefined) return Effect.void
    missed = new Map(unheard.map(([voter, why]) => [voter, { why, looks: (missed.get(voter)?.looks ?? 0) + 1 }]))
    const lasting = [...missed].filter(([, { looks }]) => looks >= LOOKS_MAX).toSorted(([a], [b]) => (a < b ? -1 : 1))
    const now: Unreached = Object.fromEntries(lasting.map(([voter, { why }]) => [voter, why]))
    if (JSON.stringify(now) === JSON.stringify(told)) return Effect.void
    told = now
    return tell(now)
  }
  const pause = Effect.flatMap(
    Random.nextIntBetween(LOOK_MILLIS - JITTER_MILLIS, LOOK_MILLIS + JITTER_MILLIS),
    Effect.sleep
  )
  yield* forkForEver("reach of voters", pause.pipe(Effect.andThen(look), Effect.flatMap(note)))
  return () => (Object.keys(told).length === 0 ? undefined : told)
})
