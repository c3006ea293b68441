/**
 * The list of voters that this node writes into its lease, and the lists that may stand there. A write that changes it and
 * is not answered may have been acted on, or may be yet: until the lease's version is known to be another, both lists must
 * agree to anything, and there is no third.
 */
import type * as NodeConfig from "../api/NodeConfig.ts"
import * as Voters from "../domain/Voters.ts"
import type * as Witness from "../domain/Witness.ts"
import type { Peer } from "../ports/Peers.ts"
import type { Registered } from "./Registration.ts"

/** A voter that is away for less keeps its seat: it may be rebooting, and its word is missed by nobody meanwhile. */
const ABSENT_MILLIS = 60_000

interface Pending {
  /** Version of the lease that the write replaces. */
  readonly base: string | undefined
  readonly voters: Witness.Voters
}

export class Seats {
  private readonly node: string
  private readonly members: () => ReadonlyArray<NodeConfig.Member>
  private readonly registered: () => Registered | undefined
  private pending: Pending | undefined
  /** What was last written: a node that registers anew begins with it. */
  private last: Witness.Voters = []
  private readonly seenMillis = new Map<string, number>()
  /** Also of voters that are away for the moment. */
  private readonly peers = new Map<string, Peer>()

  constructor(node: string, members: () => ReadonlyArray<NodeConfig.Member>, registered: () => Registered | undefined) {
    this.node = node
    this.members = members
    this.registered = registered
  }

  /** For the write that is about to be sent. */
  forWrite(mayVote: boolean, nowMillis: number): Witness.Voters {
    const pending = this.unresolved()
    if (pending !== undefined) return pending.voters
    const registered = this.registered()
    const acknowledged = registered?.content.voters ?? this.last
    const next = mayVote ? this.choose(acknowledged, nowMillis) : []
    this.last = next
    if (registered !== undefined && next.join() !== acknowledged.join()) {
      this.pending = { base: registered.lease.metadata.resourceVersion, voters: next }
    }
    return next
  }

  /** Every list that may stand in the lease now; none while this node is not registered. */
  lists(): ReadonlyArray<Witness.Voters> {
    const registered = this.registered()
    if (registered === undefined) return []
    const pending = this.unresolved()
    return [registered.content.voters, ...(pending === undefined ? [] : [pending.voters])]
  }

  peerOf(voter: string): Peer | undefined {
    return this.peers.get(voter)
  }

  /** Whatever was sent to replace another version than the present one can never be acted on. */
  private unresolved(): Pending | undefined {
    const registered = this.registered()
    const isOpen = registered !== undefined && this.pending?.base === registered.lease.metadata.resourceVersion
    return isOpen ? this.pending : undefined
  }

  private choose(voters: Witness.Voters, nowMillis: number): Witness.Voters {
    const members = this.members().map(({ node, peer, zone }) => {
      if (peer !== undefined) {
        this.peers.set(node, peer)
        this.seenMillis.set(node, nowMillis)
      }
      return { node, zone, votes: peer !== undefined }
    })
    const absent = voters.filter((voter) => {
      const seen = this.seenMillis.get(voter)
      if (seen === undefined) this.seenMillis.set(voter, nowMillis)
      return nowMillis - (seen ?? nowMillis) >= ABSENT_MILLIS
    })
    return Voters.choose({ node: this.node, voters, members, absent: new Set(absent) })
  }
}
