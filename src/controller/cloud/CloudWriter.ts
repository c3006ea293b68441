/** What is asked of the clouds for one Service: each effect is safe to repeat, and leaves others' addresses alone. */
import { Effect } from "effect"
import { type Family, familyOf } from "../../domain/Address.ts"
import * as CloudClaim from "../../domain/CloudClaim.ts"
import * as FloatingAddress from "../../domain/FloatingAddress.ts"
import type { Entry, Intent } from "../../domain/Hold.ts"
import type { Pool } from "../../domain/Pool.ts"
import type * as Cloud from "../../ports/Cloud.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"
import type { CloudBook, ProjectView } from "./CloudBook.ts"
import type { CloudView } from "./CloudView.ts"

/** The cloud of one pool, as one Service has to do with it. */
export interface Desk {
  readonly book: CloudBook
  readonly view: CloudView
  readonly pool: Pool
  readonly project: ProjectView
}

const everything = Number.POSITIVE_INFINITY

/** Whether the token may write is known after a write only. */
export const learnRight = (book: CloudBook, project: Cloud.CloudProject) =>
  Effect.map(project.refusedWrite, (refused) => book.learnRight(project, refused))

const takingNote = <A, E>({ book, project: { project } }: Desk, operation: Effect.Effect<A, E>) =>
  Effect.ensuring(
    operation,
    project.addresses(everything).pipe(
      Effect.map((addresses) => book.seeAddresses(project, addresses)),
      Effect.ignore,
      Effect.andThen(learnRight(book, project))
    )
  )

/** Under which what one claim buys of a family is missed. */
const purchaseOf = ({ view }: Desk, family: Family): string => `${view.claimOf(family).uid} ${family}`

/** Bought once, however often it is tried: the name and the labels are the claim's own. */
export const buy = <E>(desk: Desk, family: Family, location: string, permission: Effect.Effect<void, E>) => {
  const claim = desk.view.claimOf(family)
  const wish: Cloud.Wish = {
    name: CloudClaim.nameOf(claim),
    family,
    location,
    labels: CloudClaim.labelsOf(claim, "created"),
    identifiedBy: CloudClaim.identifiedBy
  }
  return Effect.suspend(() => {
    // What was missed before says nothing of what is bought now.
    desk.book.absences.find(purchaseOf(desk, family))
    return takingNote(desk, desk.project.project.ensure(wish, permission))
  })
}

/** As it is now: by a list, up to a minute old, nobody's labels are written over, nor a route taken that has become another's. */
const readAgain = Effect.fnUntraced(function* (desk: Desk, entry: Entry, id: string, priority: Cloud.Priority) {
  const { pool, project, view } = desk
  yield* takingNote(desk, project.project.address(id, priority))
  const isOpen = view.obstacle(pool, entry) === undefined
  return isOpen ? view.find(pool, entry) : undefined
})

/**
 * Says first whose it is, so that another cluster of the project sees it before anything moves. Until the end is confirmed it
 * counts as routed nowhere: who is to have it by then asks again, and nobody lets go by what an old list says.
 */
export const route = Effect.fnUntraced(function* (desk: Desk, entry: Entry, priority: Cloud.Priority) {
  const { pool, project, view } = desk
  const listed = view.find(pool, entry)
  const server = entry.node === undefined ? undefined : view.serverOf(pool, entry.node)
  if (listed === undefined || server === undefined) return
  const found = view.isMarked(listed, pool) ? listed : yield* readAgain(desk, entry, listed.id, priority)
  if (found === undefined) return
  const mark = CloudClaim.labelsOf(view.claimOf(found.family), view.ownershipIn(pool, found))
  const isMarked = view.isMarked(found, pool)
  const handover = pool.cloud?.handover ?? "direct"
  desk.book.underWay.add(found.id)
  yield* takingNote(
    desk,
    Effect.gen(function* () {
      if (!isMarked) yield* project.project.relabel(found.id, { ...found.labels, ...mark })
      yield* project.project.assign(found.id, server.id, { handover, priority })
    })
  )
  desk.book.underWay.delete(found.id)
})

export const name = Effect.fnUntraced(function* (desk: Desk, entry: Entry, text: string) {
  const { pool, project, view } = desk
  const found = view.find(pool, entry)
  if (found !== undefined) yield* takingNote(desk, project.project.setReverseName(found.id, entry.address, text))
})

const ownLabels: ReadonlySet<string> = new Set(Object.values(CloudClaim.labelNames))

const withoutOurs = (labels: Cloud.Labels): Cloud.Labels =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => !ownLabels.has(key)))

/** It goes back to its owner: routed nowhere, and not ours any more. */
const letGo = Effect.fnUntraced(function* (project: Cloud.CloudProject, { id, labels }: Cloud.CloudAddress) {
  yield* project.unassign(id, "normal")
  yield* project.relabel(id, withoutOurs(labels))
})

/** What we bought is deleted, unless somebody protects it: then it is theirs from now on. */
export const giveBack = (project: Cloud.CloudProject, found: Cloud.CloudAddress) =>
  Effect.catchIf(
    project.remove(found.id),
    ({ reason }) => reason._tag === "Protected",
    () => letGo(project, found)
  )

/** What nobody has any more goes back: what we bought as above, what is the user's own to its user. */
export const giveOrphanBack = (project: Cloud.CloudProject, found: Cloud.CloudAddress) =>
  CloudClaim.ownershipOf(found.labels) === "created" ? giveBack(project, found) : letGo(project, found)

/**
 * Nobody is granted it while it goes. One that may be gone is read, so that what is known of the project says so: a Service
 * that wants one again would be given a dead one.
 */
const returning = (desk: Desk, found: Cloud.CloudAddress) => {
  const { book, project } = desk
  const gone = giveBack(project.project, found).pipe(
    Effect.tapError(() => Effect.ignore(project.project.address(found.id, "normal")))
  )
  return Effect.suspend(() => {
    book.returning.add(found.id)
    return Effect.ensuring(
      takingNote(desk, gone),
      Effect.sync(() => book.returning.delete(found.id))
    )
  })
}

/** As it is now. What no list has by its id, one that is read now has by its address, or it is gone. */
const readNow = Effect.fnUntraced(function* ({ pool, project: { project }, view }: Desk, entry: Entry) {
  const id = entry.cloudId ?? view.find(pool, entry)?.id
  if (id !== undefined) return yield* project.address(id, "normal")
  const addresses = yield* project.addresses(0)
  const found = addresses.find(({ network }) => FloatingAddress.contains(network, entry.address))
  if (found !== undefined) return found
  const isPossible = ({ kind, network }: Cloud.Unreadable) =>
    kind === "address" && (network === undefined || FloatingAddress.contains(network, entry.address))
  const unread = (yield* project.unreadable).find(isPossible)
  return unread && (yield* Effect.fail(unread.error))
})

/** 0: it is back, or was gone. More: no read has it, and after so many ms one may prove that. */
const missing = ({ book }: Desk, what: string) => Effect.map(monotonicMillis, (now) => book.absences.miss(what, now))

/** Only what says that it is this claim's is touched: somebody may have taken it over by hand. Answers as `missing` does. */
export const returnEntry = Effect.fnUntraced(function* (
  desk: Desk,
  entry: Entry
): Effect.fn.Return<number, Cloud.CloudError> {
  const { pool, project, view } = desk
  const what = `${view.claimOf(familyOf(entry.address)).uid} ${entry.address}`
  const found = yield* readNow(desk, entry)
  if (found === undefined) return yield* missing(desk, what)
  desk.book.absences.find(what)
  const isToReturn = pool.kind === "EphemeralIPPool" && view.isOurs(found)
  if (isToReturn) yield* returning(desk, found)
  else if (view.isMarked(found, pool) || view.isBought(found)) yield* takingNote(desk, letGo(project.project, found))
  return 0
})

/** By its labels; where these are not understood, by its name. Forgotten, it would be paid for by nobody's will. */
const mayBeBought = (view: CloudView, family: Family, { kind, labels, name }: Cloud.Unreadable): boolean => {
  if (kind !== "address") return false
  if (labels !== undefined) return view.isBought({ labels })
  return name === undefined || name === CloudClaim.nameOf(view.claimOf(family))
}

/** A purchase whose reply was lost is in no list that is older, so the list is read anew. Answers as `missing` does. */
export const returnIntent = Effect.fnUntraced(function* (
  desk: Desk,
  { family }: Intent,
  kept: ReadonlyArray<Entry>
): Effect.fn.Return<number, Cloud.CloudError> {
  const { book, pool, project, view } = desk
  const what = purchaseOf(desk, family)
  const addresses = yield* project.project.addresses(0)
  const unread = (yield* project.project.unreadable).find((each) => mayBeBought(view, family, each))
  if (unread !== undefined) return yield* Effect.fail(unread.error)
  const mine = addresses.filter((each) => each.family === family && view.isBought(each))
  if (mine.length === 0) return yield* missing(desk, what)
  book.absences.find(what)
  const keeps = (found: Cloud.CloudAddress) => kept.some((entry) => view.find(pool, entry)?.id === found.id)
  yield* Effect.forEach(
    mine.filter((each) => !keeps(each)),
    (found) => returning(desk, found),
    { discard: true }
  )
  return 0
})
