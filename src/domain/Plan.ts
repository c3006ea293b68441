/**
 * What one Service and its IPAllocation still lack, as changes in the order in which they must happen.
 * Pure and total: no clock, no randomness, no I/O. The reconciler applies only the first change, then observes and plans
 * again, so a crash anywhere costs one repetition; the rest of the list is for `plenuslb explain` and tests.
 *
 * The order is the safety argument: a grant is committed before its address is used (S6); an address is shown only
 * when it is served, and leaves the status before it is released (S4); a new address is served before the one it
 * replaces goes; our finalizer goes last, when every holder has let go (S7).
 */
import { Data } from "effect"
import type { Address } from "./Address.ts"
import * as Hold from "./Hold.ts"

export type AllocationType = "ephemeral" | "persistent"

/** The part of an IPAllocation's status that the controller reports. */
export interface Report {
  readonly state: string
  readonly message: string
}

/** Stable word and sentence for what a Service lacks. */
export interface Lack {
  readonly reason: string
  readonly message: string
}

/** What our condition on a Service says, without its time. */
export interface Finding extends Lack {
  /** We write True or False; somebody else may have written anything. */
  readonly status: string
}

export interface ObservedService {
  readonly uid: string
  /** Ours by type and class, and not being deleted. */
  readonly ours: boolean
  /** Addresses in `status.loadBalancer.ingress`, in its order. */
  readonly shown: ReadonlyArray<Address>
  /** False when an entry lacks `ipMode: VIP` or carries what we never write. */
  readonly shownAsWritten: boolean
  /** Undefined: it has no condition of ours. */
  readonly finding: Finding | undefined
}

export interface ObservedAllocation {
  readonly uid: string
  /** UID of the owning Service; undefined on what v0.4 left, which is adopted by name. */
  readonly serviceUid: string | undefined
  readonly deleting: boolean
  readonly hasFinalizer: boolean
  /** It carries the labels by which its holders find it. */
  readonly isFindable: boolean
  readonly type: AllocationType
  readonly entries: ReadonlyArray<Hold.Entry>
  readonly acknowledgements: ReadonlyArray<Hold.Acknowledgement>
  /** The labels, finalizer and derived strings are those that `entries` call for. */
  readonly wellFormed: boolean
  readonly report: Report
}

export interface Wanted {
  readonly type: AllocationType
  /** Granted and assigned, present ones included, in the order in which they are shown. */
  readonly entries: ReadonlyArray<Hold.Entry>
  /** Addresses whose entries must go at once, although nothing replaces them (their pool lost them). */
  readonly withdrawn: ReadonlyArray<Address>
  readonly report: Report
  /** Undefined: all that was asked for is there or coming. */
  readonly lack: Lack | undefined
}

export interface Observed {
  readonly service: ObservedService | undefined
  readonly allocation: ObservedAllocation | undefined
  /** Hold ids that are fenced, or lower than their node's present one: nothing is awaited from them. */
  readonly isFenced: (holder: Hold.Holder) => boolean
}

export type Change = Data.TaggedEnum<{
  /** Creates the IPAllocation: the committed intent that names every later effect. */
  Create: { readonly type: AllocationType; readonly entries: ReadonlyArray<Hold.Entry> }
  /** Rewrites `spec.allocations` with what follows from it. */
  Assign: { readonly type: AllocationType; readonly entries: ReadonlyArray<Hold.Entry> }
  /** Writes the addresses of the Service status; none clears it. */
  Show: { readonly addresses: ReadonlyArray<Address> }
  /** Asks for the deletion of the IPAllocation, which its finalizer delays until every holder has let go. */
  Delete: {}
  /** Puts the labels back by which the holders find what is being deleted: who does not see it never lets go. */
  Label: {}
  Finalize: {}
  /** State and message for users; at low priority, after everything that serves. */
  Report: { readonly report: Report }
  /** The condition of the Service, after that; undefined takes it off. */
  Condition: { readonly finding: Finding | undefined }
}>
export const Change = Data.taggedEnum<Change>()

const same = <A>(a: ReadonlyArray<A>, b: ReadonlyArray<A>): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index])

/** Every holder of the allocation has let go, or can no longer serve. */
const isReleased = (allocation: ObservedAllocation, isFenced: Observed["isFenced"]): boolean => {
  const { acknowledgements, entries } = allocation
  const stillServing = acknowledgements.filter((each) => each.phase === "Serving" && !isFenced(each))
  return (
    stillServing.length === 0 &&
    entries.every((entry) => Hold.awaitedOf(entry, acknowledgements, isFenced).length === 0)
  )
}

/**
 * A released entry stays, without holder, until everybody who may still serve it has let go: it is what they are asked
 * by, and what keeps the address from being granted again (S14).
 */
const leaving = (
  entry: Hold.Entry,
  { acknowledgements }: ObservedAllocation,
  isFenced: Observed["isFenced"]
): ReadonlyArray<Hold.Entry> => {
  const previous = Hold.awaitedOf(entry, acknowledgements, isFenced)
  if (previous.length === 0) return []
  const { address, cloudProvider, interfaceName, pool } = entry
  return [{ address, cloudProvider, interfaceName, pool, previous }]
}

const planRemoval = (observed: Observed, allocation: ObservedAllocation): ReadonlyArray<Change> => {
  const { service } = observed
  const ours = new Set(allocation.entries.map((entry) => entry.address))
  const kept = service?.shown.filter((address) => !ours.has(address)) ?? []
  const released = isReleased(allocation, observed.isFenced)
  return [
    ...(service !== undefined && kept.length < service.shown.length ? [Change.Show({ addresses: kept })] : []),
    ...(allocation.deleting ? [] : [Change.Delete()]),
    ...(allocation.deleting && allocation.hasFinalizer && !released && !allocation.isFindable ? [Change.Label()] : []),
    ...(released && allocation.hasFinalizer ? [Change.Finalize()] : [])
  ]
}

const entriesEqual = (a: Hold.Entry, b: Hold.Entry): boolean =>
  a.address === b.address &&
  a.pool === b.pool &&
  a.interfaceName === b.interfaceName &&
  a.cloudProvider === b.cloudProvider &&
  a.node === b.node &&
  a.holdId === b.holdId &&
  a.epoch === b.epoch &&
  a.previous.length === b.previous.length &&
  a.previous.every((holder, index) => {
    const other = b.previous[index]
    return (
      other !== undefined &&
      holder.node === other.node &&
      holder.holdId === other.holdId &&
      holder.epoch === other.epoch
    )
  })

/** What `spec.allocations` should hold, and what of it the Service should show. */
interface Target {
  readonly entries: ReadonlyArray<Hold.Entry>
  readonly visible: ReadonlyArray<Address>
}

const targetOf = (
  service: ObservedService,
  allocation: ObservedAllocation,
  wanted: Wanted,
  isFenced: Observed["isFenced"]
): Target => {
  const { acknowledgements, entries } = allocation
  const wantedAddresses = wanted.entries.map((entry) => entry.address)
  const surplus = entries.filter((entry) => !wantedAddresses.includes(entry.address))
  const servedNow = (entry: Hold.Entry) => Hold.isServed(entry, acknowledgements)
  const secured = wanted.entries.every((entry) => entries.some((e) => e.address === entry.address && servedNow(e)))
  // Until the new ones are served the old ones stay, except those that their pool has lost.
  const stays = (entry: Hold.Entry) => !secured && !Hold.isLeaving(entry) && !wanted.withdrawn.includes(entry.address)
  const lingering = surplus.filter(stays)
  const visible = [...wanted.entries, ...lingering]
    .filter((entry) => {
      const current = entries.find((each) => each.address === entry.address)
      // A failover leaves the status as it is: the address is the same and comes back.
      return current !== undefined && (servedNow(current) || service.shown.includes(entry.address))
    })
    .map((entry) => entry.address)
  const gone = surplus.filter((entry) => !stays(entry)).flatMap((entry) => leaving(entry, allocation, isFenced))
  return { entries: [...wanted.entries, ...lingering, ...gone], visible }
}

const served: Finding = {
  status: "True",
  reason: "AddressServed",
  message: "Every address that it asks for is served."
}

/**
 * Only a Service that lacks something gets the condition, and has it from then on: what is served at once costs no
 * further write. It names no node, so that a move from one to another leaves it as it is.
 */
const findingOf = ({ lack, report }: Wanted, present: Finding | undefined): Finding | undefined => {
  if (lack !== undefined) return { status: "False", reason: lack.reason, message: lack.message }
  if (present === undefined || report.state === "success") return present && served
  // What was served moves to another node: its Service shows the same address all the time.
  if (present.status === "True") return present
  return { status: "False", reason: "WaitingForNode", message: report.message }
}

const planCondition = (present: Finding | undefined, finding: Finding | undefined): ReadonlyArray<Change> => {
  const isSame =
    present?.status === finding?.status && present?.reason === finding?.reason && present?.message === finding?.message
  return isSame ? [] : [Change.Condition({ finding })]
}

const planService = (
  service: ObservedService,
  allocation: ObservedAllocation,
  wanted: Wanted,
  isFenced: Observed["isFenced"]
): ReadonlyArray<Change> => {
  const { entries, report } = allocation
  const target = targetOf(service, allocation, wanted, isFenced)
  const { visible } = target
  const show = same(visible, service.shown) && service.shownAsWritten ? [] : [Change.Show({ addresses: visible })]
  const unchanged =
    target.entries.length === entries.length &&
    target.entries.every((entry) => {
      const current = entries.find((each) => each.address === entry.address)
      return current !== undefined && entriesEqual(entry, current)
    })
  const settled = unchanged && allocation.wellFormed && allocation.type === wanted.type
  const assign = settled ? [] : [Change.Assign({ type: wanted.type, entries: target.entries })]
  const settle =
    report.state === wanted.report.state && report.message === wanted.report.message
      ? []
      : [Change.Report({ report: wanted.report })]
  const condition = planCondition(service.finding, findingOf(wanted, service.finding))
  // Told while `spec` still names it: afterwards nothing else says that the Service had this address.
  if (wanted.report.state === "address_deleted_from_pool") return [...show, ...settle, ...assign, ...condition]
  // A new holder must be named as soon as possible; an address that goes must be hidden first.
  const hides = service.shown.some((address) => !visible.includes(address))
  return [...(hides ? [...show, ...assign] : [...assign, ...show]), ...settle, ...condition]
}

/** `wanted` is read only while the Service is ours. */
export const plan = (wanted: Wanted, observed: Observed): ReadonlyArray<Change> => {
  const { service, allocation } = observed
  if (service === undefined || !service.ours) {
    const removal = allocation === undefined ? [] : planRemoval(observed, allocation)
    return [...removal, ...planCondition(service?.finding, undefined)]
  }
  if (allocation === undefined) {
    return [Change.Create({ type: wanted.type, entries: wanted.entries })]
  }
  const foreign = allocation.serviceUid !== undefined && allocation.serviceUid !== service.uid
  if (allocation.deleting || foreign) return planRemoval(observed, allocation)
  return planService(service, allocation, wanted, observed.isFenced)
}

const renderEntry = (entry: Hold.Entry): string => {
  const holder = entry.node === undefined ? "" : `@${entry.node}/${entry.epoch ?? "-"}`
  const previous = entry.previous.map((each) => ` after ${each.node}/${each.epoch}`).join("")
  return `${entry.address}${holder}${previous}`
}

/** The one rendering of a change: tests compare it, traces and `explain` print it. */
export const render = (change: Change): string =>
  Change.$match(change, {
    Create: ({ entries, type }) => `create ${type} [${entries.map(renderEntry).join(", ")}]`,
    Assign: ({ entries }) => `assign [${entries.map(renderEntry).join(", ")}]`,
    Show: ({ addresses }) => `show [${addresses.join(", ")}]`,
    Delete: () => "delete",
    Label: () => "label",
    Finalize: () => "finalize",
    Report: ({ report }) => `report ${report.state}: ${report.message}`,
    Condition: ({ finding }) =>
      finding === undefined ? "condition off" : `condition ${finding.status} ${finding.reason}: ${finding.message}`
  })
