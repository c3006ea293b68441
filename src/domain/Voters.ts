/**
 * Whom a node names as its voters: itself and up to six others, spread over zones, the same ones for as long as they are
 * there. Which list stands in the lease is the other half of the safety (Witness); this choice is for availability only.
 */
import { hash32, mixed } from "./Hash32.ts"
import type { Voters } from "./Witness.ts"

/** A node that has registered, as the leader tells it to all. */
export interface Member {
  readonly node: string
  /** Empty: it has none. */
  readonly zone: string
  /** Its operator has the key and answers; others are never asked, and never named. */
  readonly votes: boolean
}

/** An odd number: with seven, three may die at once. */
export const votersMax = 7

export interface Choice {
  readonly node: string
  /** The list now; empty: none yet. */
  readonly voters: Voters
  readonly members: ReadonlyArray<Member>
  /** Voters that were away for so long that they lose their seats. */
  readonly absent: ReadonlySet<string>
}

/**
 * The list for the next write. Whoever is absent leaves, one at a time; empty seats are filled. A node that is known to be
 * alone names itself, and always keeps; one that only does not know yet who else can vote names nobody, or nothing could
 * be taken over from it while it waits.
 */
export const choose = ({ absent, members, node, voters }: Choice): Voters => {
  const leaving = voters.find((voter) => voter !== node && absent.has(voter))
  const kept = voters.filter((voter) => voter !== node && voter !== leaving)
  const others = members.filter((member) => member.votes && member.node !== node && !kept.includes(member.node))
  const seats = votersMax - 1 - kept.length
  const chosen = [...kept, ...spread(node, others, zonesOf(kept, members), seats)]
  const isAlone = members.length === 1 && members[0]?.node === node
  return chosen.length > 0 || isAlone ? [node, ...chosen] : []
}

const zonesOf = (voters: Voters, members: ReadonlyArray<Member>): ReadonlyArray<string> =>
  members.filter(({ node }) => voters.includes(node)).map(({ zone }) => zone)

/** From the zone that has the fewest so far, again and again; ties and the order within a zone by rendezvous hash. */
const spread = (
  node: string,
  candidates: ReadonlyArray<Member>,
  taken: ReadonlyArray<string>,
  seats: number
): ReadonlyArray<string> => {
  const ranked = candidates.toSorted((a, b) => rank(node, b.node) - rank(node, a.node) || (a.node < b.node ? -1 : 1))
  const inZone = new Map<string, number>()
  for (const zone of taken) inZone.set(zone, (inZone.get(zone) ?? 0) + 1)
  const chosen: Array<string> = []
  while (chosen.length < seats) {
    const left = ranked.filter((member) => !chosen.includes(member.node))
    const fewest = Math.min(...left.map(({ zone }) => inZone.get(zone) ?? 0))
    const next = left.find(({ zone }) => (inZone.get(zone) ?? 0) === fewest)
    if (next === undefined) return chosen
    chosen.push(next.node)
    inZone.set(next.zone, fewest + 1)
  }
  return chosen
}

const rank = (node: string, voter: string): number => mixed(hash32(voter, hash32(`${node}\n`)))
