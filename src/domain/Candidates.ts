/**
 * Which nodes may become holders, and renew their lease every p for it (failover, "Candidates"): all of a small cluster; of
 * a larger one a few, since each renewal is a write and a node that holds nothing need not be taken over quickly. Who holds
 * something renews every p whether it is chosen or not.
 *
 * Stable: who is chosen stays while it is there, up to twice as many as are needed; when too few are, a quarter more than
 * that is added at once, so that a cluster that grows does not have the list written for each address.
 */
import { hash32, mixed } from "./Hash32.ts"

export interface Policy {
  /** Up to so many nodes all are candidates. */
  readonly everyNodeUpTo: number
  readonly leastCount: number
  readonly leastPerZone: number
  readonly addressesPerNode: number
}

export const policy: Policy = { everyNodeUpTo: 20, leastCount: 3, leastPerZone: 2, addressesPerNode: 50 }

/** A node that is registered, and neither fenced nor away for long. */
export interface Node {
  readonly name: string
  /** Empty: it has none. */
  readonly zone: string
  /** How many it holds or is about to hold. */
  readonly addressesCount: number
}

/** Nodes of which some must be candidates: those that a pool may use, or a Service that found none. */
export interface Group {
  /** Names; also of nodes that are no candidates yet. */
  readonly fit: ReadonlySet<string>
  readonly addressesCount: number
  readonly leastCount: number
}

export interface Situation {
  readonly nodes: ReadonlyArray<Node>
  /** Names; undefined: all were. */
  readonly present: ReadonlyArray<string> | undefined
  readonly groups: ReadonlyArray<Group>
  /** Names of nodes that do not renew as candidates do, though they have had the time: they stay, and do not count. */
  readonly late: ReadonlySet<string>
}

interface Need {
  readonly nodes: ReadonlyArray<Node>
  readonly count: number
}

/** Names in order; undefined: all. */
export const choose = (
  { groups, late, nodes, present }: Situation,
  { addressesPerNode, everyNodeUpTo, leastCount, leastPerZone }: Policy = policy
): ReadonlyArray<string> | undefined => {
  if (nodes.length <= everyNodeUpTo) return undefined
  const chosen = new Set(nodes.filter(({ name }) => present?.includes(name)).map(({ name }) => name))
  const ranked = nodes.toSorted(byRank)
  const needOf = (isOf: (node: Node) => boolean, count: number): Need => {
    const able = ranked.filter((node) => isOf(node) && !late.has(node.name))
    return { nodes: able, count: Math.min(count, able.length) }
  }
  const share = (addressesCount: number) => Math.ceil(addressesCount / addressesPerNode)
  const isFit = ({ name }: Node) => groups.some(({ fit }) => fit.has(name))
  const addressesCount = groups.reduce((sum, group) => sum + group.addressesCount, 0)
  const wanted = Math.max(leastCount, share(addressesCount))
  // Whoever may hold nothing may vote, and with one voter nothing could ever be taken over.
  const voting = needOf(() => true, leastCount)
  const overall = needOf(isFit, wanted)
  const zones = [...new Set(nodes.map(({ zone }) => zone))]
  const needs = [
    ...groups.map((group) =>
      needOf(({ name }) => group.fit.has(name), Math.max(group.leastCount, share(group.addressesCount)))
    ),
    ...zones.map((each) => needOf((node) => node.zone === each && isFit(node), leastPerZone)),
    overall,
    voting
  ]
  for (const need of needs) fill(chosen, need)
  trim(chosen, ranked, needs, 2 * wanted)
  return [...chosen].toSorted()
}

/** Who holds something renews every p anyway; then a draw that depends on the name alone. */
const byRank = (a: Node, b: Node): number =>
  Math.sign(b.addressesCount) - Math.sign(a.addressesCount) || draw(a) - draw(b) || (a.name < b.name ? -1 : 1)

const draw = ({ name }: Node): number => mixed(hash32(name))

const countOf = (chosen: ReadonlySet<string>, { nodes }: Need): number =>
  nodes.filter(({ name }) => chosen.has(name)).length

/** From the zone that has the fewest, again and again. */
const fill = (chosen: Set<string>, need: Need): void => {
  let missing = need.count - countOf(chosen, need)
  if (missing <= 0) return
  missing += Math.floor(need.count / 4)
  const inZone = new Map<string, number>()
  for (const { name, zone } of need.nodes) inZone.set(zone, (inZone.get(zone) ?? 0) + (chosen.has(name) ? 1 : 0))
  const left = need.nodes.filter(({ name }) => !chosen.has(name))
  for (; missing > 0 && left.length > 0; missing--) {
    const fewest = Math.min(...left.map(({ zone }) => inZone.get(zone) ?? 0))
    const index = left.findIndex(({ zone }) => (inZone.get(zone) ?? 0) === fewest)
    for (const { name, zone } of left.splice(index, 1)) {
      chosen.add(name)
      inZone.set(zone, fewest + 1)
    }
  }
}

/** Of those that hold nothing, the last by rank first, and nobody who is needed. */
const trim = (chosen: Set<string>, ranked: ReadonlyArray<Node>, needs: ReadonlyArray<Need>, atMost: number): void => {
  for (const { addressesCount, name } of ranked.toReversed()) {
    if (chosen.size <= atMost) return
    if (addressesCount > 0 || !chosen.has(name)) continue
    const concerned = needs.filter(({ nodes }) => nodes.some((node) => node.name === name))
    if (concerned.every((need) => countOf(chosen, need) > need.count)) chosen.delete(name)
  }
}
