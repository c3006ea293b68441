/** What one Service should have now: which addresses, on which nodes, and what its users are told. Pure over the books. */
import type * as Address from "../domain/Address.ts"
import * as AllocationDecision from "../domain/Allocation.ts"
import * as Assignment from "../domain/Assignment.ts"
import type * as Hold from "../domain/Hold.ts"
import * as MoveRequest from "../domain/MoveRequest.ts"
import { withShortMessage } from "../domain/Message.ts"
import type { Pool } from "../domain/Pool.ts"
import * as Placement from "../domain/Placement.ts"
import type { AllocationType, Lack, Observed, Report, Wanted } from "../domain/PlanInput.ts"
import * as Refusal from "../domain/Refusal.ts"
import type { RequestProblem, ServiceRequest } from "../domain/ServiceRequest.ts"
import * as Target from "../domain/Target.ts"
import type { Books } from "./Books.ts"
import type { CloudView } from "./cloud/CloudView.ts"
import * as CloudWishes from "./cloud/CloudWishes.ts"
import * as HolderLack from "./HolderLack.ts"
import type { NodeBook } from "./NodeBook.ts"
import * as Rivalry from "./Rivalry.ts"
import { demandsOf, isOutOfService, nodesFor } from "./NodeChoice.ts"
import * as Waiting from "./Waiting.ts"

export interface Inputs {
  /** `shop/web`. */
  readonly key: string
  readonly request: ServiceRequest
  readonly problems: ReadonlyArray<RequestProblem>
  readonly namespaceLabels: { readonly [key: string]: string }
  /** Of the IPAllocation as it stands; undefined while there is none. */
  readonly type: AllocationType | undefined
  readonly entries: ReadonlyArray<Hold.Entry>
  readonly acknowledgements: ReadonlyArray<Hold.Acknowledgement>
  /** In the status of the Service. */
  readonly shown: ReadonlyArray<Address.Address>
  /** What its status says now; both texts empty while there is none. */
  readonly reported: Report
  /** `metadata.generation` of the IPAllocation; 0 while there is none. */
  readonly generation: number
  /** What a person has asked for. */
  readonly moves: ReadonlyArray<MoveRequest.MoveRequest>
  readonly ignoreExcludeLabel: boolean
  readonly nowMillis: number
}

export interface WantedState extends Wanted {
  /** Granted here for the first time: to be claimed in the index before they are written. */
  readonly fresh: ReadonlyArray<Assignment.Grant>
  /** What may bring it. */
  readonly awaits: ReadonlyArray<Waiting.Topic>
  /** Names of nodes of which one should become a candidate: none that is one may hold an address here. */
  readonly calls: ReadonlyArray<string>
}

type Granted = Extract<AllocationDecision.Outcome, { readonly _tag: "Keep" | "Grant" | "Retain" }>

const isGranted = (outcome: AllocationDecision.Outcome): outcome is Granted =>
  outcome._tag === "Keep" || outcome._tag === "Grant" || outcome._tag === "Retain"

const grantOf = (
  books: Books,
  { address, pool }: Granted,
  present: ReadonlyArray<Hold.Entry>,
  cloud: CloudView
): Assignment.Grant => {
  const known = books.poolNamed(pool, address)
  const entry = present.find((each) => each.address === address)
  if (known === undefined && entry !== undefined) {
    const { cloudId, cloudProvider, interfaceName } = entry
    return { address, pool, interfaceName, cloudProvider, cloudId }
  }
  const cloudId = known?.cloud && idOf(known, address, entry, cloud)
  return {
    address,
    pool,
    ...(known?.interfaceName === undefined ? {} : { interfaceName: known.interfaceName }),
    ...(known?.cloud === undefined ? {} : { cloudProvider: known.cloud.provider }),
    ...(cloudId === undefined ? {} : { cloudId })
  }
}

/** The id that is written stays, since a list that is read later must cost no write; unless another has the address now. */
const idOf = (pool: Pool, address: Address.Address, entry: Hold.Entry | undefined, cloud: CloudView) => {
  if (entry === undefined) return cloud.find(pool, { address })?.id
  return entry.cloudId && (cloud.find(pool, entry)?.id ?? entry.cloudId)
}

const candidatesOf = (
  what: Parameters<typeof demandsOf>[1],
  books: Books,
  nodeBook: NodeBook,
  inputs: Inputs
): ReadonlyArray<string> => {
  const demands = demandsOf(books, what, inputs)
  const facts = [...nodeBook.facts(inputs.nowMillis).values()]
  return facts.filter((node) => Placement.candidacy(node, demands).length === 0).map(({ name }) => name)
}

const explainNode = (
  entry: Hold.Entry,
  { books, cloud }: CloudWishes.Surroundings,
  nodeBook: NodeBook,
  inputs: Inputs
): Lack => {
  const { address, pool } = entry
  const candidates = candidatesOf(entry, books, nodeBook, inputs)
  if (candidates.length > 0) return CloudWishes.noServer(pool, address, { books, candidates, cloud })
  const facts = [...nodeBook.facts(inputs.nowMillis).values()]
  return Placement.explainNone(pool, facts, demandsOf(books, entry, inputs))
}

const exists = (node: string, nodeBook: NodeBook, inputs: Inputs): boolean =>
  nodeBook.unreadable.has(node) || nodeBook.facts(inputs.nowMillis).has(node)

/** An entry that no node holds or will hold as things are. */
const isHomeless = (entry: Hold.Entry, nodeBook: NodeBook, inputs: Inputs): boolean => {
  if (entry.interfaceName === undefined) return entry.cloudProvider !== undefined && entry.node === undefined
  if (HolderLack.isLeftOnNode(entry)) return isOutOfService(entry.node, nodeBook, inputs)
  if (entry.node === undefined) return true
  return (
    entry.holdId !== undefined &&
    entry.epoch !== undefined &&
    nodeBook.isFenced({ node: entry.node, holdId: entry.holdId, epoch: entry.epoch })
  )
}

const reportOf = (
  entries: ReadonlyArray<Hold.Entry>,
  lack: WantedState["lack"],
  homeless: boolean,
  { isWithNode, served }: { readonly isWithNode: boolean; readonly served: boolean }
): Report => {
  if (lack?.reason === "AddressRemovedFromPool") return { state: "address_deleted_from_pool", message: lack.message }
  const isOfNodes = homeless || lack?.reason === "HolderGone" || lack?.reason === "TakeoverAwaitsVoters"
  if (lack !== undefined) return { state: isOfNodes ? "node_error" : "pending", message: lack.message }
  if (entries.length === 0) return { state: "pending", message: "Waiting for allocator" }
  if (served) return { state: "success", message: "Allocated" }
  return { state: "pending", message: isWithNode ? "Waiting for the cloud" : "Waiting for the node" }
}

const isRefusal = ({ severity }: RequestProblem): boolean => severity === "refusal"

/** What cannot be read comes first: it is the user's to correct, and may be why the rest is refused. */
const lackOf = ({ pending }: AllocationDecision.Decision, inputs: Inputs): Lack | undefined => {
  const unreadable = inputs.problems.find(isRefusal)
  if (unreadable !== undefined) return { reason: unreadable.reason, message: unreadable.message }
  if (pending === undefined) return undefined
  const told = removalTold(pending, inputs.reported)
  return told === undefined
    ? { reason: pending.reason, message: Refusal.describe(inputs.request, pending) }
    : { reason: "AddressRemovedFromPool", message: told }
}

/**
 * Once an address was taken from its Service, only the status says that it had it: what was told stays until the address
 * can be granted again, or another is asked for.
 */
const removalTold = (pending: Refusal.Refusal, reported: Report): string | undefined =>
  pending.reason === "AddressNotInAnyPool" &&
  reported.state === "address_deleted_from_pool" &&
  reported.message.split(/[\s,]+/).includes(pending.address)
    ? reported.message
    : undefined

/**
 * What is granted to this Service already, without what another's IPAllocation has: two leaders can each grant one address,
 * and one of the two must let go (failover R8). And apart from it, what stays whatever is decided: a pool that cannot be
 * read is not a pool that is gone.
 */
const standingOf = ({ entries, key }: Inputs, books: Books) => {
  const lost = entries.filter((entry) => books.addresses.claims.rivalOf(entry.address, key) !== undefined)
  const frozen = entries.filter((entry) => !lost.includes(entry) && books.isUnreadable(entry.pool))
  return { lost, frozen, current: entries.filter((entry) => !lost.includes(entry)) }
}

const frozenLack = (frozen: ReadonlyArray<Hold.Entry>): Lack | undefined => {
  const [first] = frozen
  return first === undefined
    ? undefined
    : {
        reason: "PoolUnreadable",
        message:
          `${first.address} stays as it is: pool ${first.pool} cannot be read by this version. ` +
          "Look at the events of the pool, and correct the field that they name."
      }
}

/**
 * A Service that names addresses of which none can be read has not asked for just any: it keeps what it has, and gets
 * nothing until it is corrected.
 */
const decide = (
  inputs: Inputs,
  books: Books,
  current: ReadonlyArray<Hold.Entry>,
  cloud: CloudView
): AllocationDecision.Decision => {
  const { namespaceLabels, problems, request, type } = inputs
  const unreadable = request.addresses.length === 0 && problems.some(isRefusal)
  if (unreadable && current.length === 0) return { type: "persistent", outcomes: [], pending: undefined }
  const asked = unreadable ? { ...request, addresses: current.map(({ address }) => address) } : request
  const boughtBy: AllocationDecision.Situation["boughtBy"] = (name, family) => {
    const pool = books.buyerNamed(name)
    const held = current.map(({ address }) => address)
    return pool && cloud.boughtAddress(pool, family, held)
  }
  const mayPromote: AllocationDecision.Situation["mayPromote"] = (address, name) => {
    const pool = books.poolNamed(name, address)
    const entry = current.find((each) => each.address === address)
    const present = entry && books.poolOfEntry(entry)
    if (pool === undefined || entry === undefined || present === undefined) return false
    const found = cloud.find(pool, { address })
    return found !== undefined && found.id === cloud.find(present, entry)?.id
  }
  const isDeleted: AllocationDecision.Situation["isDeleted"] = ({ address, pool: name }) => {
    const pool = books.poolNamed(name, address)
    const entry = current.find((each) => each.address === address)
    return pool?.kind === "EphemeralIPPool" && entry !== undefined && cloud.isDeleted(pool, entry)
  }
  const { index } = books.addresses
  const isInUse = HolderLack.inUseAmong(current, inputs.acknowledgements)
  const occupation = { isInUse, avoided: books.occupied.addresses(inputs.nowMillis) }
  const situation = { request: asked, namespaceLabels, type, current, index, boughtBy, isDeleted, mayPromote }
  return AllocationDecision.decide({ ...situation, ...occupation })
}

/** Frozen entries stand as they are; the wishes that they meet are not decided again. */
const decideAround = (
  inputs: Inputs,
  books: Books,
  standing: ReturnType<typeof standingOf>,
  cloud: CloudView
): AllocationDecision.Decision => {
  const { current, frozen } = standing
  if (frozen.length === 0) return decide(inputs, books, current, cloud)
  return {
    type: inputs.type ?? "persistent",
    outcomes: current.map(({ address, pool }) => ({ _tag: "Keep", address, pool })),
    pending: undefined
  }
}

/** Nobody can route it any more, and so nobody need serve it until that has been done. */
const isDeletedThere = (entry: Hold.Entry, books: Books, cloud: CloudView): boolean => {
  const pool = books.poolOfEntry(entry)
  return pool !== undefined && cloud.isDeleted(pool, entry)
}

const removedIn = ({ outcomes }: AllocationDecision.Decision): ReadonlyArray<Address.Address> =>
  outcomes.flatMap((outcome) =>
    outcome._tag === "Release" && outcome.reason === "RemovedFromPool" ? [outcome.address] : []
  )

export const wantedState = (
  inputs: Inputs,
  books: Books,
  nodeBook: NodeBook,
  cloud: CloudView,
  routeOf: Observed["routeOf"]
): WantedState => {
  const { acknowledgements, entries: present, generation, request } = inputs
  const standing = standingOf(inputs, books)
  const decision = decideAround(inputs, books, standing, cloud)
  const granted = decision.outcomes.filter(isGranted)
  const grants = granted.map((outcome) => grantOf(books, outcome, present, cloud))
  const nodes = nodesFor(books, nodeBook, inputs, cloud)
  const entries = Assignment.assign(grants, standing.current, {
    nodes,
    acknowledgements,
    isShown: (address) => inputs.shown.includes(address),
    isRoutedThere: (entry) => routeOf(entry) === "inPlace" || isDeletedThere(entry, books, cloud),
    nextEpoch: generation + 1
  })
  const candidatesIn = (pool: string) => candidatesOf({ pool }, books, nodeBook, inputs)
  const asking = { books, cloud, nodes, candidatesOf: candidatesIn }
  const buying = CloudWishes.purchasesOf(decision, asking)
  const hindrance = CloudWishes.hindranceOf(inputs.key, entries, { books, cloud, routeOf })
  const homeless = entries.find((entry) => isHomeless(entry, nodeBook, inputs))
  // It serves on where it should not, for want of another node: the first that may hold it must be heard of.
  const isStranded = entries.some((entry) => entry.node !== undefined && !nodes.mayKeep(entry.node, entry))
  const isToMove = entries.some((entry) => MoveRequest.targetOf(inputs.moves, entry) !== undefined)
  const inUse = HolderLack.inUse(inputs.key, present, entries, acknowledgements)
  const longLack =
    Rivalry.lost(inputs, books.addresses.claims, standing.lost) ??
    Rivalry.contested(inputs, books.addresses.claims, entries) ??
    frozenLack(standing.frozen) ??
    lackOf(decision, inputs) ??
    CloudWishes.firstOf(hindrance, buying) ??
    (nodes.calls.length > 0 ? undefined : homeless && explainNode(homeless, { books, cloud }, nodeBook, inputs)) ??
    HolderLack.abandoned(entries, (node) => exists(node, nodeBook, inputs), inputs.key) ??
    HolderLack.awaitsPromises(entries, nodeBook) ??
    HolderLack.unrecognised(entries, nodeBook) ??
    inUse ??
    CloudWishes.deletionOf(present, { books, cloud })
  const lack = longLack && withShortMessage(longLack)
  const served = entries.every((entry) => isServedAsPlanned(entry, present, acknowledgements, routeOf))
  // By its type a Service keeps what it has: as long as the successor is only to be bought, that is judged as it was.
  const isBuying = decision.outcomes.some(({ _tag }) => _tag === "Buy")
  const type: AllocationType = (isBuying ? inputs.type : undefined) ?? decision.type
  return {
    type,
    entries,
    purchases: buying.purchases,
    withdrawn: [...removedIn(decision), ...standing.lost.map(({ address }) => address)],
    report: reportOf(entries, lack, homeless !== undefined, {
      served: served && buying.purchases.length === 0,
      isWithNode: entries.every((entry) => isServedAsPlanned(entry, present, acknowledgements, () => "inPlace"))
    }),
    fresh: grants.filter((_, index) => granted[index]?._tag === "Grant"),
    lack,
    calls: [...new Set(nodes.calls)],
    awaits: [
      ...decision.outcomes.flatMap((outcome) =>
        outcome._tag === "Refuse" ? Waiting.topicsOf(outcome.refusal, request) : []
      ),
      ...buying.awaits,
      ...hindrance.awaits,
      ...(homeless !== undefined || isStranded || isToMove ? (["nodes", "clouds"] as const) : []),
      ...(inUse === undefined ? [] : (["occupied", "pools"] as const)),
      ...(standing.frozen.length === 0 ? [] : (["pools"] as const))
    ]
  }
}

/** Served, and what serves it is what is planned: not the holder that it is about to leave. */
const isServedAsPlanned = (
  entry: Hold.Entry,
  current: ReadonlyArray<Hold.Entry>,
  acknowledgements: ReadonlyArray<Hold.Acknowledgement>,
  routeOf: Observed["routeOf"]
): boolean =>
  current.some((each) => each.address === entry.address) && Target.isServed(entry, acknowledgements, routeOf)
