/**
 * Addresses that two claim: two pools, or a pool and the cluster itself (a Node's own address, a pod CIDR, the Service
 * network). The cluster goes first, then the older pool; the loser keeps the rest of its addresses, and nothing else is
 * blocked. What a loser granted before stays: this decides new grants only.
 *
 * One sweep over the sorted ends of all ranges: O(n log n) plus the number of conflicts found.
 */
import { Order } from "effect"
import * as Address from "./Address.ts"
import * as AddressRange from "./AddressRange.ts"
import * as Pool from "./Pool.ts"

/** Addresses of the cluster's own; `owner` completes "it belongs to …", for example `Node worker-1`. */
export interface Reserved {
  readonly range: AddressRange.AddressRange
  readonly owner: string
}

export type Owner =
  | { readonly _tag: "Pool"; readonly pool: Pool.PoolRef }
  | { readonly _tag: "Cluster"; readonly owner: string }

export interface Conflict {
  readonly range: AddressRange.AddressRange
  readonly loser: Pool.PoolRef
  readonly winner: Owner
}

/** A run of addresses that one owner has for new grants. */
export interface Share extends AddressRange.AddressRange {
  readonly owner: Owner
}

export interface Shares {
  /** Who has what: sorted, disjoint. */
  readonly shares: ReadonlyArray<Share>
  /** Sorted by the first address of the range. */
  readonly conflicts: ReadonlyArray<Conflict>
}

export const conflicts = (
  pools: ReadonlyArray<Pool.Pool>,
  reserved: ReadonlyArray<Reserved>
): ReadonlyArray<Conflict> => share(pools, reserved).conflicts

/** Divides all addresses among their owners. */
export const share = (pools: ReadonlyArray<Pool.Pool>, reserved: ReadonlyArray<Reserved>): Shares => {
  const stretches = ranked(pools, reserved)
  const shares: Array<Share> = []
  const found: Array<Conflict> = []
  for (const family of Address.families) {
    for (const { first, last, present } of segments(stretches.filter(({ range }) => range.family === family))) {
      const winner = present[0]
      if (winner === undefined) continue
      const range = { family, first, last }
      shares.push({ ...range, owner: winner.owner })
      for (const { owner } of present.slice(1)) {
        if (owner._tag === "Pool") found.push({ range, winner: winner.owner, loser: owner.pool })
      }
    }
  }
  return {
    shares: joined(
      shares,
      ({ owner }) => keyOf(owner),
      asIs,
      (one, last) => ({ ...one, last })
    ),
    conflicts: joined(
      found,
      ({ winner, loser }) => `${keyOf(winner)} ${loser.kind}/${loser.name}`,
      ({ range }) => range,
      (one, last) => ({ ...one, range: { ...one.range, last } })
    )
  }
}

const asIs = (share: Share): AddressRange.AddressRange => share

const keyOf = (owner: Owner): string =>
  owner._tag === "Pool" ? `${owner.pool.kind}/${owner.pool.name}` : `cluster ${owner.owner}`

/** Neighbours with equal keys become one: where a cut divided only others, it is not to be seen. */
const joined = <A>(
  sorted: ReadonlyArray<A>,
  keyOf: (item: A) => string,
  rangeOf: (item: A) => AddressRange.AddressRange,
  extended: (item: A, last: bigint) => A
): ReadonlyArray<A> => {
  const done: Array<A> = []
  const latest = new Map<string, number>()
  for (const item of sorted) {
    const key = keyOf(item)
    const position = latest.get(key) ?? -1
    const before = done[position]
    const range = rangeOf(item)
    const touches =
      before !== undefined && rangeOf(before).family === range.family && rangeOf(before).last + 1n === range.first
    if (touches) {
      done[position] = extended(before, range.last)
    } else {
      latest.set(key, done.length)
      done.push(item)
    }
  }
  return done
}

/** One range of one owner; `rank` decides between owners, lower wins. */
interface Stretch {
  readonly range: AddressRange.AddressRange
  readonly owner: Owner
  readonly rank: number
}

/** The cluster's own by their text, so that the order of the input does not matter. */
const ranked = (pools: ReadonlyArray<Pool.Pool>, reserved: ReadonlyArray<Reserved>): ReadonlyArray<Stretch> => {
  const cluster = reserved
    .toSorted(
      Order.combine(
        Order.mapInput(AddressRange.order, (one: Reserved) => one.range),
        byOwner
      )
    )
    .map(({ range, owner }, rank): Stretch => ({ range, owner: { _tag: "Cluster", owner }, rank }))
  const owned = pools.toSorted(Pool.seniority).flatMap((pool, index) => {
    const owner: Owner = { _tag: "Pool", pool: Pool.refOf(pool) }
    return pool.ranges.map((range): Stretch => ({ range, owner, rank: reserved.length + index }))
  })
  return [...cluster, ...owned]
}

const byOwner = Order.mapInput(Order.String, (one: Reserved) => one.owner)

interface Segment {
  readonly first: bigint
  readonly last: bigint
  /** By rank. */
  readonly present: ReadonlyArray<Stretch>
}

/** Cuts one family at every end of a range; between two cuts the same stretches are present. */
function* segments(stretches: ReadonlyArray<Stretch>): Generator<Segment> {
  const cuts = stretches
    .flatMap((stretch) => [
      { at: stretch.range.first, stretch, enters: true },
      { at: stretch.range.last + 1n, stretch, enters: false }
    ])
    .toSorted(Order.mapInput(Order.BigInt, (cut: { readonly at: bigint }) => cut.at))
  let present: ReadonlyArray<Stretch> = []
  let from = 0n
  for (const { at, stretch, enters } of cuts) {
    if (present.length > 0 && from < at) yield { first: from, last: at - 1n, present }
    from = at
    present = enters ? inserted(present, stretch) : present.filter((other) => other !== stretch)
  }
}

const inserted = (present: ReadonlyArray<Stretch>, stretch: Stretch): ReadonlyArray<Stretch> => {
  const position = present.findIndex((other) => other.rank > stretch.rank)
  return present.toSpliced(position < 0 ? present.length : position, 0, stretch)
}

/** For the condition `PoolConflict` and its event, on the pool that loses. */
export const describe = ({ range, loser, winner }: Conflict): string => {
  const what = AddressRange.format(range)
  const whose = winner._tag === "Pool" ? `${winner.pool.kind} ${winner.pool.name}, which is older` : winner.owner
  return (
    `${loser.kind} ${loser.name}, spec.addresses: ${what} belongs to ${whose}, so this pool does not grant it. ` +
    `Remove it here${winner._tag === "Pool" ? ", or there" : ""}.`
  )
}
