/**
 * Which node holds each granted address, as entries of `spec.allocations`. Sticky: a holder is left in place while it
 * may hold, whoever else would be less loaded. A holder that is fenced is replaced without waiting; one that must leave
 * is named in `previous`, and the next one waits for its acknowledgement; in a cloud it serves on until the route has moved.
 */
import type { Address } from "./Address.ts"
import * as Hold from "./Hold.ts"

/** What the pool has granted, before a node is chosen. */
export interface Grant {
  readonly address: Address
  readonly pool: string
  readonly interfaceName?: string | undefined
  readonly cloudProvider?: string | undefined
  readonly cloudId?: string | undefined
}

/** The nodes as an assignment sees them. `choose` must not depend on anything but its arguments and the state it shows. */
export interface Nodes {
  /** The hold id under which the node's operator is registered; undefined: none, or fenced. */
  readonly holdIdOf: (node: string) => string | undefined
  readonly isFenced: (holder: Hold.Holder) => boolean
  /** Its machine is off, as somebody says who may know (a taint). */
  readonly isOutOfService: (node: string) => boolean
  /** False when a holder there must hand over (excluded, shut down, without the interface, gone). */
  readonly mayKeep: (node: string, grant: Grant) => boolean
  /** The node that a new holder of this address should be; undefined: none may. */
  readonly choose: (grant: Grant) => string | undefined
}

export interface Context {
  readonly nodes: Nodes
  readonly acknowledgements: ReadonlyArray<Hold.Acknowledgement>
  /** The Service shows it, so that it has been served. */
  readonly isShown: (address: Address) => boolean
  /** The cloud routes it to the node that the entry names. */
  readonly isRoutedThere: (entry: Hold.Entry) => boolean
  /**
   * Greater than every epoch given before within this IPAllocation. `metadata.generation + 1` is: each write of the
   * spec raises the generation, and gave at most the generation it led to.
   */
  readonly nextEpoch: number
}

const stillAwaited = (entry: Hold.Entry, context: Context): ReadonlyArray<Hold.Holder> => {
  const { acknowledgements, isRoutedThere, nodes } = context
  if (Hold.isRouted(entry) && Hold.isServed(entry, acknowledgements) && isRoutedThere(entry)) return []
  return entry.previous.filter(
    (holder) => !nodes.isFenced(holder) && !Hold.hasReleased(acknowledgements, entry.address, holder)
  )
}

interface Move {
  readonly previous: ReadonlyArray<Hold.Holder>
  /** Nobody served it before. */
  readonly isFirst: boolean
  /** Under this entry, which has stood since. */
  readonly wasServed: boolean
}

/** What a provider routes, no machine of the segment can have. */
const moveTo = (
  node: string,
  grant: Grant,
  { isFirst, previous, wasServed }: Move,
  context: Context
): Hold.Entry | undefined => {
  const holdId = context.nodes.holdIdOf(node)
  if (holdId === undefined) return undefined
  return {
    ...grant,
    node,
    holdId,
    epoch: context.nextEpoch,
    ...(isFirst && grant.cloudProvider === undefined ? { probe: true } : {}),
    ...(wasServed ? { served: true } : {}),
    previous: previous.filter((holder) => holder.node !== node || holder.holdId !== holdId)
  }
}

/** A pool without interface: the node only tells where a cloud would route to, and nobody has to let go. */
const assignWithoutInterface = (grant: Grant, current: Hold.Entry | undefined, context: Context): Hold.Entry => {
  const kept = current?.node !== undefined && context.nodes.mayKeep(current.node, grant) ? current.node : undefined
  const node = kept ?? context.nodes.choose(grant) ?? current?.node
  return { ...grant, previous: [], ...(node === undefined ? {} : { node }) }
}

/**
 * v0.4 wrote no hold id. Its node gets one once its new operator has registered; before, v0.4 may still serve there, also
 * when the Node is NotReady or deleted: it never lets go, and there is no lease whose silence would tell. Only a machine
 * that is said to be off is left without waiting (failover, "In-place upgrade").
 */
const adopt = (node: string, grant: Grant, context: Context): Hold.Entry => {
  const { nodes } = context
  const next = nodes.holdIdOf(node) === undefined && nodes.isOutOfService(node) ? nodes.choose(grant) : undefined
  return (
    moveTo(next ?? node, grant, { previous: [], isFirst: false, wasServed: false }, context) ?? {
      ...grant,
      node,
      previous: []
    }
  )
}

/**
 * A takeover of what was served must not wait for an answer that nobody gives: the address is ours. What no holder came to
 * serve is asked for again by the next.
 */
const isFirstUse = (entry: Hold.Entry, { acknowledgements, isShown }: Context): boolean =>
  entry.probe === true && !Hold.isServed(entry, acknowledgements) && !isShown(entry.address)

/**
 * Its claim has had a label since before that holder asked who else has one (R8): whoever came to claim it later saw that.
 * Of a holder that an operator speaks for; v0.4 asked nobody.
 */
const wasServed = (entry: Hold.Entry, { acknowledgements }: Context): boolean =>
  entry.served === true || (entry.interfaceName !== undefined && Hold.isServed(entry, acknowledgements))

const markOf = ({ probe, served }: Hold.Entry): Pick<Hold.Entry, "probe" | "served"> => ({
  ...(probe === true ? { probe } : {}),
  ...(served === true ? { served } : {})
})

/** The entry has its holder ask nobody for no other reason than that the Service shows the address. */
export const trustsShown = (
  entry: Hold.Entry,
  current: Hold.Entry | undefined,
  acknowledgements: ReadonlyArray<Hold.Acknowledgement>
): boolean => {
  if (Hold.holderOf(entry) === undefined || Hold.isRouted(entry)) return false
  if (entry.probe === true || entry.served === true) return false
  if (current?.node === undefined) return true
  return current.probe === true && !Hold.isServed(current, acknowledgements)
}

const assignOne = (grant: Grant, current: Hold.Entry | undefined, context: Context): Hold.Entry => {
  if (grant.interfaceName === undefined) return assignWithoutInterface(grant, current, context)
  const holder = current === undefined ? undefined : Hold.holderOf(current)
  if (current?.node !== undefined && holder === undefined) return adopt(current.node, grant, context)
  const previous = current === undefined ? [] : stillAwaited(current, context)
  const served = current !== undefined && wasServed(current, context)
  if (current === undefined || holder === undefined) {
    const node = context.nodes.choose(grant)
    const move = { previous, isFirst: !context.isShown(grant.address), wasServed: served }
    return (node && moveTo(node, grant, move, context)) || { ...grant, previous, ...(served ? { served } : {}) }
  }
  const fenced = context.nodes.isFenced(holder)
  const keep: Hold.Entry = { ...grant, ...holder, ...markOf(current), previous }
  if (!fenced && context.nodes.mayKeep(holder.node, grant)) return keep
  const next = context.nodes.choose(grant)
  if (next === undefined || (next === holder.node && !fenced)) return keep
  const move = { previous: fenced ? previous : [...previous, holder], isFirst: isFirstUse(current, context) }
  return moveTo(next, grant, { ...move, wasServed: served }, context) ?? keep
}

export const assign = (
  grants: ReadonlyArray<Grant>,
  current: ReadonlyArray<Hold.Entry>,
  context: Context
): ReadonlyArray<Hold.Entry> =>
  grants.map((grant) =>
    assignOne(
      grant,
      current.find((entry) => entry.address === grant.address),
      context
    )
  )
