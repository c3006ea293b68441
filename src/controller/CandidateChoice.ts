/** Asks the books for what the choice of candidates depends on: which nodes there are, and which may hold for whom. */
import * as Candidates from "../domain/Candidates.ts"
import * as Placement from "../domain/Placement.ts"
import type { Books } from "./Books.ts"
import type { RegisteredNode } from "./Members.ts"
import type { NodeBook } from "./NodeBook.ts"

/** Of each pool one that holds and one that can follow it at once. */
const LEAST_PER_POOL = 2

export interface Choosing {
  readonly books: Books
  readonly nodeBook: NodeBook
  readonly ignoreExcludeLabel: boolean
}

/** Pools that ask the same of a node are one group. */
const groupsOfPools = (
  { books, ignoreExcludeLabel, nodeBook }: Choosing,
  nowMillis: number
): ReadonlyArray<Candidates.Group> => {
  const byDemands = new Map<string, { readonly demands: Placement.Demands; addressesCount: number }>()
  for (const { pool } of books.pools.values()) {
    const { drainOnCordon, interfaceName, name, nodeSelector } = pool
    if (interfaceName === undefined) continue
    const demands = { nodeSelector, interfaceName, drainOnCordon, ignoreExcludeLabel }
    const key = JSON.stringify(demands)
    const known = byDemands.get(key) ?? { demands, addressesCount: 0 }
    known.addressesCount += books.keysByPool.get(name).size
    byDemands.set(key, known)
  }
  const facts = [...nodeBook.facts(nowMillis).values()]
  return [...byDemands.values()].map(({ addressesCount, demands }) => ({
    fit: new Set(facts.filter((node) => Placement.couldBeCandidate(node, demands)).map(({ name }) => name)),
    addressesCount,
    leastCount: LEAST_PER_POOL
  }))
}

const isLate = ({ content, isSilent }: RegisteredNode, nodeBook: NodeBook, nowMillis: number): boolean =>
  isSilent || (!nodeBook.leases.renewsFast(content) && nodeBook.candidates.isOverdue(content.node, nowMillis))

export interface Choice {
  /** Names; undefined: all. */
  readonly names: ReadonlyArray<string> | undefined
  /** Some of them have not begun, and are not late yet. */
  readonly isPending: boolean
}

export const choose = (choosing: Choosing, registered: ReadonlyArray<RegisteredNode>, nowMillis: number): Choice => {
  const { books, nodeBook } = choosing
  const { candidates } = nodeBook
  const there = registered.filter(({ isAbsent }) => !isAbsent)
  if (there.length <= candidates.policy.everyNodeUpTo) return { names: undefined, isPending: false }
  const called = candidates.called().map((nodes) => ({ fit: new Set(nodes), addressesCount: 0, leastCount: 1 }))
  const names = Candidates.choose(
    {
      nodes: there.map(({ node: { metadata } }) => ({
        name: metadata.name,
        zone: metadata.labels?.["topology.kubernetes.io/zone"] ?? "",
        addressesCount: books.keysByNode.get(metadata.name).size
      })),
      present: candidates.names(),
      groups: [...groupsOfPools(choosing, nowMillis), ...called],
      late: new Set(there.filter((each) => isLate(each, nodeBook, nowMillis)).map(({ content }) => content.node))
    },
    candidates.policy
  )
  const isPending = there.some(
    ({ content }) =>
      names?.includes(content.node) === true &&
      !nodeBook.leases.renewsFast(content) &&
      !candidates.isOverdue(content.node, nowMillis)
  )
  return { names, isPending }
}
