/**
 * This node's part in what happens when the control plane is away: it names voters, answers as one, and asks its own. All
 * of it depends on the key: without, it names nobody, and neither keeps by anybody's word nor waits for promises.
 */
import { Effect, type Scope } from "effect"
import type * as NodeConfig from "../api/NodeConfig.ts"
import * as NodeLease from "../api/NodeLease.ts"
import type { WitnessKey } from "../api/WitnessMessage.ts"
import type { Peers, Respond } from "../ports/Peers.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import * as Evidence from "./Evidence.ts"
import type { Registered } from "./Registration.ts"
import * as Reach from "./Reach.ts"
import { Seats } from "./Seats.ts"
import * as Voter from "./Voter.ts"

export interface WitnessSettings {
  /** X. */
  readonly serveMillis: number
  /** Under which others ask this node: the health port, which it must hold. */
  readonly port: number
  readonly peers: Peers["Service"]
  /** Read anew each time. */
  readonly key: Effect.Effect<WitnessKey | undefined>
}

export interface Situation {
  readonly node: string
  /** Names this process. */
  readonly process: string
  readonly members: () => ReadonlyArray<NodeConfig.Member>
  /** Hold ids, as the controller tells them. */
  readonly fenced: () => ReadonlyArray<string>
  readonly registered: () => Registered | undefined
  /** Whether it renews: a node that withholds renewals neither asks nor vouches. */
  readonly renews: () => boolean
  /** It holds nothing and renews seldom: it need not be kept by anybody, nor asked for. */
  readonly isIdle: () => boolean
  /** r. */
  readonly renewedAtMillis: () => number
  readonly extend: Evidence.Situation["extend"]
}

export interface Attendance {
  /** What the next write of the lease says; to be asked once for each. */
  readonly forWrite: Effect.Effect<NodeLease.Witness>
  /** Undefined: this node does not vote. */
  readonly respond: Respond | undefined
  /** Voters that have not answered for minutes; undefined: none. */
  readonly unreached: () => NodeLease.Unreached | undefined
}

const none: Attendance = {
  forWrite: Effect.succeed(NodeLease.noWitness),
  respond: undefined,
  unreached: () => undefined
}

export const make = Effect.fnUntraced(function* (
  settings: WitnessSettings | undefined,
  { extend, fenced, isIdle, members, node, process, registered, renewedAtMillis, renews }: Situation
): Effect.fn.Return<Attendance, never, Scope.Scope> {
  if (settings === undefined) return none
  const { key, peers, port, serveMillis } = settings
  const seats = new Seats(node, members, registered)
  const holdId = () => (renews() ? registered()?.content.holdId : undefined)
  const hasLost = (nowMillis: number) => holdId() !== undefined && nowMillis - renewedAtMillis() > serveMillis / 2
  yield* Evidence.run({ node, serveMillis, peers, key, seats, holdId, renewedAtMillis, extend })
  const isRenewed = Effect.map(monotonicMillis, (nowMillis) => nowMillis - renewedAtMillis() <= serveMillis / 2)
  const unreached = yield* Reach.follow({ node, peers, key, seats, members, holdId, isIdle, isRenewed })
  return {
    unreached,
    forWrite: Effect.gen(function* () {
      const mayVote = (yield* key) !== undefined
      const voters = seats.forWrite(mayVote && !isIdle(), yield* monotonicMillis)
      return { voters, witnessPort: mayVote ? port : undefined }
    }),
    respond: yield* Voter.make({ node, process, key, hasLost, isFenced: (each) => fenced().includes(each) })
  }
})
