/** What one Service should have now: which addresses, on which nodes, and what its users are told. Pure over the books. */
import * as AllocationDecision from "../domain/Allocation.ts"
import * as Assignment from "../domain/Assignment.ts"
import * as Hold from "../domain/Hold.ts"
import * as Placement from "../domain/Placement.ts"
import type { AllocationType, Report, Wanted } from "../domain/Plan.ts"
import * as Pool from "../domain/Pool.ts"
import * as Refusal from "../domain/Refusal.ts"
import type { RequestProblem, ServiceRequest } from "../domain/ServiceRequest.ts"
import type { Books } from "./Books.ts"
import type { NodeBook } from "./NodeBook.ts"

export interface Inputs {
  readonly request: ServiceRequest
  readonly problems: ReadonlyArray<RequestProblem>
  readonly namespaceLabels: { readonly [key: string]: string }
  /** Of the IPAllocation as it stands; undefined while there is none. */
  readonly type: AllocationType | undefined
  readonly entries: ReadonlyArray<Hold.Entry>
  readonly acknowledgements: ReadonlyArray<Hold.Acknowledgement>
  /** `metadata.generation` of the IPAllocation; 0 while there is none. */
  readonly generation: number
  readonly ignoreExcludeLabel: boolean
  readonly nowMillis: number
}

export interface WantedState extends Wanted {
  /** Granted here for the first time: to be claimed in the index before they are written. */
  readonly fresh: ReadonlyArray<Assignment.Grant>
  /** Stable word and sentence while something is lacking; undefined: all that was asked for is there or coming. */
  readonly lack: { readonly reason: string; readonly message: string } | undefined
}

type Granted = Extract<AllocationDecision.Outcome, { readonly _tag: "Keep" | "Grant" | "Retain" }>

const isGranted = (outcome: AllocationDecision.Outcome): outcome is Granted =>
  outcome._tag === "Keep" || outcome._tag === "Grant" || outcome._tag === "Retain"

const poolNamed = (books: Books, name: string): Pool.Pool | undefined =>
  books.pools.get(`PersistentIPPool/${name}`)?.pool ?? books.pools.get(`EphemeralIPPool/${name}`)?.pool

const demandsOf = (pool: Pool.Pool | undefined, ignoreExcludeLabel: boolean): Placement.Demands => ({
  nodeSelector: pool?.nodeSelector,
  interfaceName: pool?.interfaceName,
  drainOnCordon: pool?.drainOnCordon ?? false,
  ignoreExcludeLabel
})

/** Loads as they will be: what this very decision places counts already. */
const nodesFor = (books: Books, nodeBook: NodeBook, inputs: Inputs): Assignment.Nodes => {
  const facts = [...nodeBook.nodes.values()].map((node) => nodeBook.factsOf(node, inputs.nowMillis))
  const placedHere = new Map<string, number>()
  const demands = (grant: Assignment.Grant) => demandsOf(poolNamed(books, grant.pool), inputs.ignoreExcludeLabel)
  return {
    holdIdOf: (node) => nodeBook.holdIdOf(node),
    isFenced: (holder) => nodeBook.isFenced(holder),
    mayKeep: (node, grant) => {
      const found = facts.find((each) => each.name === node)
      return found !== undefined && Placement.mustHandOver(found, demands(grant)).length === 0
    },
    choose: (grant) => {
      const candidates = facts
        .filter((node) => Placement.candidacy(node, demands(grant)).length === 0)
        .map((node) => ({
          name: node.name,
          zone: Placement.zoneOf(node),
          addresses: (books.loadByNode.get(node.name) ?? 0) + (placedHere.get(node.name) ?? 0)
        }))
      const key = `${inputs.request.uid}/${grant.address}`
      const chosen = Placement.choose({ key, candidates, preferred: inputs.request.preferredNode })
      if (chosen !== undefined) placedHere.set(chosen, (placedHere.get(chosen) ?? 0) + 1)
      return chosen
    }
  }
}

const grantOf = (books: Books, { address, pool }: Granted): Assignment.Grant => {
  const known = poolNamed(books, pool)
  return {
    address,
    pool,
    ...(known?.interfaceName === undefined ? {} : { interfaceName: known.interfaceName }),
    ...(known?.cloud === true ? { cloudProvider: "hetzner" } : {})
  }
}

const explainNode = (
  entry: Hold.Entry,
  books: Books,
  nodeBook: NodeBook,
  inputs: Inputs
): { readonly reason: string; readonly message: string } => {
  const facts = [...nodeBook.nodes.values()].map((node) => nodeBook.factsOf(node, inputs.nowMillis))
  return Placement.explainNone(entry.pool, facts, demandsOf(poolNamed(books, entry.pool), inputs.ignoreExcludeLabel))
}

/** An entry that no node holds or will hold as things are. */
const isHomeless = (entry: Hold.Entry, nodeBook: NodeBook): boolean => {
  if (entry.interfaceName === undefined) return false
  if (entry.node === undefined) return true
  return (
    entry.holdId !== undefined &&
    entry.epoch !== undefined &&
    nodeBook.isFenced({ node: entry.node, holdId: entry.holdId, epoch: entry.epoch })
  )
}

const reportOf = (
  decision: AllocationDecision.Decision,
  entries: ReadonlyArray<Hold.Entry>,
  lack: WantedState["lack"],
  homeless: boolean,
  served: boolean
): Report => {
  const removed = decision.outcomes.find(
    (outcome) => outcome._tag === "Refuse" && outcome.refusal.reason === "AddressRemovedFromPool"
  )
  if (removed !== undefined && lack !== undefined) {
    return { state: "address_deleted_from_pool", message: lack.message }
  }
  if (lack !== undefined) return { state: homeless ? "node_error" : "pending", message: lack.message }
  if (entries.length === 0) return { state: "pending", message: "Waiting for allocator" }
  return served ? { state: "success", message: "Allocated" } : { state: "pending", message: "Waiting for the node" }
}

const lackOf = (
  decision: AllocationDecision.Decision,
  problems: ReadonlyArray<RequestProblem>,
  service: Refusal.ServiceName
): WantedState["lack"] => {
  if (decision.pending !== undefined) {
    return { reason: decision.pending.reason, message: Refusal.describe(service, decision.pending) }
  }
  const refusal = problems.find((problem) => problem.severity === "refusal")
  return refusal === undefined ? undefined : { reason: refusal.reason, message: refusal.message }
}

export const wantedState = (inputs: Inputs, books: Books, nodeBook: NodeBook): WantedState => {
  const { acknowledgements, entries: current, generation, namespaceLabels, request } = inputs
  const decision = AllocationDecision.decide({
    request,
    namespaceLabels,
    type: inputs.type,
    current,
    index: books.index
  })
  const granted = decision.outcomes.filter(isGranted)
  const grants = granted.map((outcome) => grantOf(books, outcome))
  const nodes = nodesFor(books, nodeBook, inputs)
  const entries = Assignment.assign(grants, current, { nodes, acknowledgements, nextEpoch: generation + 1 })
  const homeless = entries.find((entry) => isHomeless(entry, nodeBook))
  const lack =
    lackOf(decision, inputs.problems, request) ??
    (homeless === undefined ? undefined : explainNode(homeless, books, nodeBook, inputs))
  const served = entries.every((entry) => isServedAsPlanned(entry, current, acknowledgements))
  const type: AllocationType = decision.type
  return {
    type,
    entries,
    withdrawn: decision.outcomes.flatMap((outcome) =>
      outcome._tag === "Release" && outcome.reason === "RemovedFromPool" ? [outcome.address] : []
    ),
    report: reportOf(decision, entries, lack, homeless !== undefined, served),
    fresh: grants.filter((_, index) => granted[index]?._tag === "Grant"),
    lack
  }
}

/** Served, and what serves it is what is planned: not the holder that it is about to leave. */
const isServedAsPlanned = (
  entry: Hold.Entry,
  current: ReadonlyArray<Hold.Entry>,
  acknowledgements: ReadonlyArray<Hold.Acknowledgement>
): boolean => current.some((each) => each.address === entry.address) && Hold.isServed(entry, acknowledgements)
