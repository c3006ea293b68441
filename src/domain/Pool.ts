/**
 * A pool of either kind as the decisions see it: parsed, sorted, defaults applied. A malformed entry costs that entry
 * only, and is told as a problem. What lies in another pool too, or belongs to the cluster, is found by `PoolConflicts`.
 */
import { Order, Result } from "effect"
import type { Address } from "./Address.ts"
import { keepInUse } from "./Annotations.ts"
import * as AddressRange from "./AddressRange.ts"
import * as CloudRules from "./CloudRules.ts"
import * as ControlPlaneLoss from "./ControlPlaneLoss.ts"
import * as LabelSelector from "./LabelSelector.ts"
import type { RuleRefusal } from "./Refusal.ts"

export type PoolKind = "PersistentIPPool" | "EphemeralIPPool"

/** The two kinds are named apart: a PersistentIPPool and an EphemeralIPPool may share a name. */
export interface PoolRef {
  readonly kind: PoolKind
  readonly name: string
}

export interface Pool extends PoolRef {
  readonly uid: string
  /** RFC 3339 in UTC with whole seconds, as Kubernetes writes it, so that text order is time order. */
  readonly createdAt: string
  readonly deleting: boolean
  /** No new grants; what is granted stays. */
  readonly disabled: boolean
  /** Sorted and disjoint; empty for an EphemeralIPPool. */
  readonly ranges: ReadonlyArray<AddressRange.AddressRange>
  /** Lower first. */
  readonly priority: number
  /** Also serves Services that ask for no address. */
  readonly autoAssign: boolean
  readonly avoidBuggyIPs: boolean
  /** With `allowedNamespaceSelector` absent too: every namespace. Else a namespace that is listed or selected. */
  readonly allowedNamespaces: ReadonlyArray<string>
  readonly allowedNamespaceSelector?: LabelSelector.LabelSelector | undefined
  readonly serviceSelector?: LabelSelector.LabelSelector | undefined
  readonly nodeSelector?: LabelSelector.LabelSelector | undefined
  /** Granted addresses that left `spec.addresses` stay until they are freed. */
  readonly keepInUse: boolean
  /** Undefined: its addresses are of no cloud. */
  readonly cloud: CloudRules.CloudRules | undefined
  /** Present when operators put the addresses on this interface. */
  readonly interfaceName?: string | undefined
  readonly drainOnCordon: boolean
  readonly onControlPlaneLoss: ControlPlaneLoss.ControlPlaneLoss
}

/** What is read of the custom resource; both kinds fit. */
export interface PoolObject {
  readonly metadata: {
    readonly name: string
    readonly uid?: string | undefined
    readonly creationTimestamp?: string | undefined
    readonly deletionTimestamp?: string | undefined
    readonly annotations?: LabelSelector.Labels | undefined
  }
  readonly spec: {
    readonly addresses?: ReadonlyArray<string> | undefined
    readonly allowedNamespaces?: ReadonlyArray<string> | undefined
    readonly allowedNamespaceSelector?: LabelSelector.LabelSelector | undefined
    readonly serviceSelector?: LabelSelector.LabelSelector | undefined
    readonly nodeSelector?: LabelSelector.LabelSelector | undefined
    readonly priority?: number | undefined
    readonly autoAssign?: boolean | undefined
    readonly avoidBuggyIPs?: boolean | undefined
    readonly disabled?: boolean | undefined
    readonly cloudIntegration?: CloudRules.Written | undefined
    readonly maxAddresses?: number | undefined
    readonly homeLocation?: string | undefined
    readonly options?:
      | {
          readonly hostNetworkInterface?:
            | {
                readonly addAddressesToInterface?: boolean | undefined
                readonly interfaceName?: string | undefined
              }
            | undefined
          readonly drainOnCordon?: boolean | undefined
          readonly onControlPlaneLoss?: ControlPlaneLoss.ControlPlaneLoss | undefined
        }
      | undefined
  }
}

export interface PoolProblem {
  readonly reason: "InvalidAddress" | "OverlapInPool"
  readonly message: string
}

/** Absent means after every pool with a number of two digits: a first `priority: 10` prefers its pool. */
export const defaultPriority = 100

export const make = (
  kind: PoolKind,
  { metadata, spec }: PoolObject
): { readonly pool: Pool; readonly problems: ReadonlyArray<PoolProblem> } => {
  const entries = readEntries({ kind, name: metadata.name }, spec.addresses ?? [])
  const hostInterface = spec.options?.hostNetworkInterface
  const pool: Pool = {
    kind,
    name: metadata.name,
    uid: metadata.uid ?? "",
    createdAt: metadata.creationTimestamp ?? "",
    deleting: metadata.deletionTimestamp !== undefined,
    disabled: spec.disabled ?? false,
    ranges: AddressRange.merge(entries.valid.map((entry) => entry.range)),
    priority: spec.priority ?? defaultPriority,
    autoAssign: kind === "EphemeralIPPool" || (spec.autoAssign ?? false),
    avoidBuggyIPs: spec.avoidBuggyIPs ?? false,
    allowedNamespaces: spec.allowedNamespaces ?? [],
    allowedNamespaceSelector: spec.allowedNamespaceSelector,
    serviceSelector: spec.serviceSelector,
    nodeSelector: spec.nodeSelector,
    keepInUse: metadata.annotations?.[keepInUse] === "true",
    cloud: spec.cloudIntegration === undefined ? undefined : CloudRules.make(spec.cloudIntegration, spec),
    interfaceName: hostInterface?.addAddressesToInterface === true ? hostInterface.interfaceName : undefined,
    drainOnCordon: spec.options?.drainOnCordon ?? false,
    onControlPlaneLoss: ControlPlaneLoss.lossOf(spec.options?.onControlPlaneLoss, spec.cloudIntegration !== undefined)
  }
  return { pool, problems: [...entries.problems, ...overlapsWithin(pool, entries.valid)] }
}

interface Entry {
  readonly range: AddressRange.AddressRange
  readonly text: string
  readonly index: number
}

const readEntries = (
  pool: PoolRef,
  addresses: ReadonlyArray<string>
): { readonly valid: ReadonlyArray<Entry>; readonly problems: ReadonlyArray<PoolProblem> } => {
  const valid: Array<Entry> = []
  const problems: Array<PoolProblem> = []
  const refuse = (index: number, why: string): void => {
    problems.push({ reason: "InvalidAddress", message: `${pool.kind} ${pool.name}, spec.addresses[${index}]: ${why}` })
  }
  for (const [index, text] of addresses.entries()) {
    const parsed = AddressRange.parse(text)
    if (Result.isFailure(parsed)) {
      refuse(index, parsed.failure)
      continue
    }
    const unusable = AddressRange.unusable(parsed.success)
    if (unusable === undefined) valid.push({ range: parsed.success, text, index })
    else refuse(index, `"${text}" contains ${unusable}, which no Service can have. Remove it, or leave them out.`)
  }
  return { valid, problems }
}

/** Harmless, and most likely a slip: each entry is compared with the one before it that reaches furthest. */
const overlapsWithin = (pool: PoolRef, entries: ReadonlyArray<Entry>): ReadonlyArray<PoolProblem> => {
  const problems: Array<PoolProblem> = []
  let furthest: Entry | undefined
  for (const entry of entries.toSorted(Order.mapInput(AddressRange.order, (entry: Entry) => entry.range))) {
    if (furthest !== undefined && AddressRange.overlaps(furthest.range, entry.range)) {
      const [a, b] = furthest.index < entry.index ? [furthest, entry] : [entry, furthest]
      const both = `"${a.text}" (entry ${a.index}) and "${b.text}" (entry ${b.index})`
      const message = `${pool.kind} ${pool.name}, spec.addresses: ${both} overlap. Remove one, or shorten it.`
      problems.push({ reason: "OverlapInPool", message })
    }
    const reachesFurther =
      furthest === undefined || furthest.range.family !== entry.range.family || entry.range.last > furthest.range.last
    if (reachesFurther) furthest = entry
  }
  return problems
}

/** In which pools are asked: priority, then name, then kind, so that it never depends on the order of a list. */
export const order: Order.Order<Pool> = Order.combineAll([
  Order.mapInput(Order.Number, (pool: Pool) => pool.priority),
  Order.mapInput(Order.String, (pool: Pool) => pool.name),
  Order.mapInput(Order.String, (pool: Pool) => pool.kind)
])

/** Which of two pools that list one address has it: the older; ties by name. Reverse of time would let an edit steal. */
export const seniority: Order.Order<Pool> = Order.combineAll([
  Order.mapInput(Order.String, (pool: Pool) => pool.createdAt),
  Order.mapInput(Order.String, (pool: Pool) => pool.name),
  Order.mapInput(Order.String, (pool: Pool) => pool.kind)
])

export const lists = (pool: Pool, address: Address): boolean => AddressRange.find(pool.ranges, address) !== undefined

/**
 * The pool of this name. Where both kinds have it, the one that lists the address, or else the one that buys: an entry has the
 * name alone, and what was bought under it must not become another's when a pool comes that has its name. Without an address
 * the one that lists some.
 */
export const named = (pools: ReadonlyArray<Pool>, name: string, address?: Address): Pool | undefined => {
  const both = pools.filter((pool) => pool.name === name)
  const lister = both.find(({ kind }) => kind === "PersistentIPPool")
  const buyer = both.find(({ kind }) => kind === "EphemeralIPPool")
  if (lister === undefined || buyer === undefined) return lister ?? buyer
  return address === undefined || lists(lister, address) ? lister : buyer
}

export const refOf = ({ kind, name }: PoolRef): PoolRef => ({ kind, name })

/** Whom a pool is asked to serve. */
export interface Customer {
  readonly namespace: string
  readonly namespaceLabels: LabelSelector.Labels
  readonly serviceLabels: LabelSelector.Labels
}

/**
 * Why this pool makes no *new* grant to this Service; nothing when it does. What is granted already is not asked again:
 * an edit of a pool's rules takes no address away.
 */
export const serves = (pool: Pool, customer: Customer): RuleRefusal | undefined => {
  const ref = refOf(pool)
  if (pool.deleting) return { reason: "PoolDeleting", pool: ref }
  if (pool.disabled) return { reason: "PoolDisabled", pool: ref }
  if (!allowsNamespace(pool, customer)) {
    return {
      reason: "NamespaceNotAllowed",
      pool: ref,
      allowedNamespaces: pool.allowedNamespaces,
      selector: pool.allowedNamespaceSelector
    }
  }
  return LabelSelector.matches(pool.serviceSelector, customer.serviceLabels)
    ? undefined
    : { reason: "ServiceNotSelected", pool: ref, selector: pool.serviceSelector ?? {} }
}

const allowsNamespace = (pool: Pool, customer: Customer): boolean => {
  const selector = pool.allowedNamespaceSelector
  if (pool.allowedNamespaces.length === 0 && selector === undefined) return true
  return (
    pool.allowedNamespaces.includes(customer.namespace) ||
    (selector !== undefined && LabelSelector.matches(selector, customer.namespaceLabels))
  )
}
