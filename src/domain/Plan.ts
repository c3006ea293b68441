/**
 * What one Service and its IPAllocation still lack, as changes in the order in which they must happen.
 * Pure and total: no clock, no randomness, no I/O. The reconciler applies only the first change, then observes and plans
 * again, so a crash anywhere costs one repetition; the rest of the list is for `plenuslb explain` and tests.
 *
 * The order is the safety argument: a grant is committed before its address is used (S6); an address is shown only
 * when it is served, and leaves the status before it is released (S4); a new address is served before the one it
 * replaces goes; our finalizer goes last, when every holder has let go (S7). In a cloud: the intent, the purchase, the
 * holder, then the route, since it alone decides who gets the packets; back in the other order (S5).
 *
 * What the cloud is asked for takes seconds. Such a change and the others of one plan do not depend on each other, so that
 * neither need wait.
 */
import { Data } from "effect"
import type { Address } from "./Address.ts"
import * as CorrelationId from "./CorrelationId.ts"
import * as Hold from "./Hold.ts"
import type {
  AllocationType,
  Finding,
  Observed,
  ObservedAllocation,
  ObservedService,
  Purchase,
  Report,
  Wanted
} from "./PlanInput.ts"
import { sameIntent, type Target, targetOf } from "./Target.ts"

/** What `spec.allocations` says. */
interface Content {
  readonly type: AllocationType
  readonly entries: ReadonlyArray<Hold.Entry>
  readonly intents: ReadonlyArray<Hold.Intent>
}

export type Change = Data.TaggedEnum<{
  /** Creates the IPAllocation: the committed intent that names every later effect. */
  Create: Content
  /** Rewrites `spec.allocations` with what follows from it. */
  Assign: Content
  /** Buys what is intended, or finds what was bought for it. */
  Buy: { readonly intent: Hold.Intent; readonly location: string }
  /** Has the cloud route the address to the node that serves it. */
  Route: { readonly entry: Hold.Entry; readonly isShown: boolean }
  /** Tells the cloud the name of the address (PTR). */
  Name: { readonly entry: Hold.Entry; readonly name: string }
  /** Ends the routes of what nobody serves any more, returns what was bought for this claim, then takes it off the list. */
  Return: { readonly entries: ReadonlyArray<Hold.Entry>; readonly intents: ReadonlyArray<Hold.Intent> }
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

/** The changes that the cloud makes. */
export type CloudChange = Extract<Change, { readonly _tag: "Buy" | "Route" | "Name" | "Return" }>

export const isOfCloud = (change: Change): change is CloudChange =>
  change._tag === "Buy" || change._tag === "Route" || change._tag === "Name" || change._tag === "Return"

/** All that the cloud is asked for, to compare. */
export const renderOfCloud = (changes: ReadonlyArray<Change>): string =>
  changes.filter(isOfCloud).map(render).join("; ")

/** Every holder of the allocation has let go, or can no longer serve. */
const isReleased = (allocation: ObservedAllocation, isFenced: Observed["isFenced"]): boolean => {
  const { acknowledgements, entries } = allocation
  const stillServing = acknowledgements.filter((each) => each.phase === "Serving" && !isFenced(each))
  return (
    stillServing.length === 0 &&
    entries.every((entry) => Hold.awaitedOf(entry, acknowledgements, isFenced).length === 0)
  )
}

const planReturn = (
  entries: ReadonlyArray<Hold.Entry>,
  intents: ReadonlyArray<Hold.Intent>
): ReadonlyArray<CloudChange> => {
  const ofCloud = entries.filter(({ cloudProvider }) => cloudProvider !== undefined)
  return ofCloud.length + intents.length === 0 ? [] : [Change.Return({ entries: ofCloud, intents })]
}

const planRemoval = (observed: Observed, allocation: ObservedAllocation): ReadonlyArray<Change> => {
  const { service } = observed
  const ours = new Set(allocation.entries.map((entry) => entry.address))
  const kept = service?.shown.filter((address) => !ours.has(address)) ?? []
  const released = isReleased(allocation, observed.isFenced)
  const isHidden = service === undefined || kept.length === service.shown.length
  const returns = allocation.deleting && released && isHidden ? planReturn(allocation.entries, allocation.intents) : []
  const owesNothing = planReturn(allocation.entries, allocation.intents).length === 0
  return [
    ...(service !== undefined && kept.length < service.shown.length ? [Change.Show({ addresses: kept })] : []),
    ...(allocation.deleting ? [] : [Change.Delete()]),
    ...(allocation.deleting && allocation.hasFinalizer && !released && !allocation.isFindable ? [Change.Label()] : []),
    ...(allocation.hasFinalizer ? returns : []),
    ...(released && allocation.hasFinalizer && owesNothing ? [Change.Finalize()] : [])
  ]
}

const entriesEqual = (a: Hold.Entry, b: Hold.Entry): boolean =>
  a.address === b.address &&
  a.pool === b.pool &&
  a.interfaceName === b.interfaceName &&
  a.cloudProvider === b.cloudProvider &&
  a.cloudId === b.cloudId &&
  a.node === b.node &&
  a.holdId === b.holdId &&
  a.epoch === b.epoch &&
  a.probe === b.probe &&
  a.served === b.served &&
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

/** Nothing is bought before the intent is written. */
const planPurchases = (
  purchases: ReadonlyArray<Purchase>,
  intents: ReadonlyArray<Hold.Intent>
): ReadonlyArray<Change> =>
  purchases.flatMap(({ intent, location }) =>
    location !== undefined && intents.some((each) => sameIntent(each, intent)) ? [Change.Buy({ intent, location })] : []
  )

/** The route follows the node: packets go to one that already has the address. */
const planRoutes = (
  service: ObservedService,
  { acknowledgements, entries }: ObservedAllocation,
  { entries: wanted }: Target,
  routeOf: Observed["routeOf"]
): ReadonlyArray<Change> =>
  entries
    .filter(
      (entry) =>
        entry.cloudProvider !== undefined &&
        entry.node !== undefined &&
        wanted.some(({ address, node }) => address === entry.address && node === entry.node) &&
        Hold.isServed(entry, acknowledgements) &&
        routeOf(entry) === "elsewhere"
    )
    .map((entry) => Change.Route({ entry, isShown: service.shown.includes(entry.address) }))

/** Last of all: whether it succeeds or not, the address is served. */
const planNames = (
  entries: ReadonlyArray<Hold.Entry>,
  { entries: wanted }: Target,
  { nameToSet, routeOf }: Observed
): ReadonlyArray<Change> =>
  entries.flatMap((entry) => {
    const isKept = wanted.some(({ address, node }) => address === entry.address && node !== undefined)
    const name = isKept && routeOf(entry) === "inPlace" ? nameToSet(entry) : undefined
    return name === undefined ? [] : [Change.Name({ entry, name })]
  })

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
    present?.status === finding?.status &&
    present?.reason === finding?.reason &&
    CorrelationId.isSameBut(present?.message, finding?.message)
  return isSame ? [] : [Change.Condition({ finding })]
}

const planService = (
  service: ObservedService,
  allocation: ObservedAllocation,
  wanted: Wanted,
  observed: Observed
): ReadonlyArray<Change> => {
  const { entries, intents, report } = allocation
  const target = targetOf(service, allocation, wanted, observed)
  const { visible } = target
  const show = same(visible, service.shown) && service.shownAsWritten ? [] : [Change.Show({ addresses: visible })]
  const unchanged =
    target.intents.length === intents.length &&
    target.intents.every((intent) => intents.some((each) => sameIntent(each, intent))) &&
    target.entries.length === entries.length &&
    target.entries.every((entry) => {
      const current = entries.find((each) => each.address === entry.address)
      return current !== undefined && entriesEqual(entry, current)
    })
  const settled = unchanged && allocation.wellFormed && allocation.type === wanted.type
  const { type } = wanted
  const assign = settled ? [] : [Change.Assign({ type, entries: target.entries, intents: target.intents })]
  // A purchase may wait for the project's budget of requests; a route may be that of what is served already.
  const ofCloud = [
    ...planRoutes(service, allocation, target, observed.routeOf),
    ...planPurchases(wanted.purchases, intents),
    ...planReturn(target.returned, target.abandoned),
    ...planNames(entries, target, observed)
  ]
  const settle =
    report.state === wanted.report.state && CorrelationId.isSameBut(report.message, wanted.report.message)
      ? []
      : [Change.Report({ report: wanted.report })]
  const condition = planCondition(service.finding, findingOf(wanted, service.finding))
  // Told while `spec` still names it: afterwards nothing else says that the Service had this address.
  if (wanted.report.state === "address_deleted_from_pool") {
    return [...show, ...settle, ...assign, ...ofCloud, ...condition]
  }
  // A new holder must be named as soon as possible; an address that goes must be hidden first.
  const hides = service.shown.some((address) => !visible.includes(address))
  return [...(hides ? [...show, ...assign] : [...assign, ...show]), ...ofCloud, ...settle, ...condition]
}

/** `wanted` is read only while the Service is ours. */
export const plan = (wanted: Wanted, observed: Observed): ReadonlyArray<Change> => {
  const { service, allocation } = observed
  if (service === undefined || !service.ours) {
    const removal = allocation === undefined ? [] : planRemoval(observed, allocation)
    return [...removal, ...planCondition(service?.finding, undefined)]
  }
  if (allocation === undefined) {
    const intents = wanted.purchases.flatMap(({ intent, location }) => (location === undefined ? [] : [intent]))
    return [Change.Create({ type: wanted.type, entries: wanted.entries, intents })]
  }
  const foreign = allocation.serviceUid !== undefined && allocation.serviceUid !== service.uid
  if (allocation.deleting || foreign) return planRemoval(observed, allocation)
  return planService(service, allocation, wanted, observed)
}

const renderEntry = (entry: Hold.Entry): string => {
  const holder = entry.node === undefined ? "" : `@${entry.node}/${entry.epoch ?? "-"}`
  const previous = entry.previous.map((each) => ` after ${each.node}/${each.epoch}`).join("")
  return `${entry.address}${holder}${previous}`
}

const renderList = ({ entries, intents }: Content): string =>
  `[${[...entries.map(renderEntry), ...intents.map(renderIntent)].join(", ")}]`

const renderIntent = ({ family, pool }: Hold.Intent): string => `one ${family} of ${pool}`

/** The one rendering of a change: tests compare it, traces and `explain` print it. */
export const render = (change: Change): string =>
  Change.$match(change, {
    Create: (content) => `create ${content.type} ${renderList(content)}`,
    Assign: (content) => `assign ${renderList(content)}`,
    Buy: ({ intent }) => `buy ${renderIntent(intent)}`,
    Route: ({ entry }) => `route ${renderEntry(entry)}`,
    Name: ({ entry, name }) => `name ${entry.address} ${name}`,
    Return: ({ entries, intents }) =>
      `return [${[...entries.map(({ address }) => address), ...intents.map(renderIntent)].join(", ")}]`,
    Show: ({ addresses }) => `show [${addresses.join(", ")}]`,
    Delete: () => "delete",
    Label: () => "label",
    Finalize: () => "finalize",
    Report: ({ report }) => `report ${report.state}: ${report.message}`,
    Condition: ({ finding }) =>
      finding === undefined ? "condition off" : `condition ${finding.status} ${finding.reason}: ${finding.message}`
  })
