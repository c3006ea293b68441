/** The nodes as the placement of one Service's addresses sees them, and who must become a candidate for it. Pure over the books. */
import type { Address } from "../domain/Address.ts"
import type * as Assignment from "../domain/Assignment.ts"
import * as MoveRequest from "../domain/MoveRequest.ts"
import * as Placement from "../domain/Placement.ts"
import type { Books } from "./Books.ts"
import type { CloudView } from "./cloud/CloudView.ts"
import * as CloudWishes from "./cloud/CloudWishes.ts"
import type { NodeBook } from "./NodeBook.ts"
import type { Inputs } from "./WantedState.ts"

/** Without an address: of one that is to be bought. */
export const demandsOf = (
  books: Books,
  { address, pool: name }: { readonly address?: Address; readonly pool: string },
  inputs: Inputs
): Placement.Demands => {
  const pool = books.poolNamed(name, address)
  return {
    nodeSelector: pool?.nodeSelector,
    interfaceName: pool?.interfaceName,
    drainOnCordon: pool?.drainOnCordon ?? false,
    isKept: pool?.interfaceName !== undefined && pool.onControlPlaneLoss === "keep",
    ignoreExcludeLabel: inputs.ignoreExcludeLabel,
    endpointNodes: inputs.request.localTraffic ? books.endpoints.nodesOf(inputs.key) : undefined
  }
}

/** Of the candidates, those nearest to where the address is at home; all where it is of no cloud. */
const nearest = <A extends { readonly name: string }>(
  candidates: ReadonlyArray<A>,
  distanceOf: (node: string) => number
): ReadonlyArray<A> => {
  const distances = candidates.map(({ name }) => distanceOf(name))
  const least = Math.min(...distances)
  return candidates.filter((_, index) => distances[index] === least)
}

export interface Nodes extends Assignment.Nodes {
  /** Those that `choose` would have liked to choose, and could not yet. */
  readonly calls: ReadonlyArray<string>
}

/** Loads as they will be: what this very decision places counts already. */
export const nodesFor = (books: Books, nodeBook: NodeBook, inputs: Inputs, cloud: CloudView): Nodes => {
  const placedHere = new Map<string, number>()
  const calls: Array<string> = []
  const demands = (grant: Assignment.Grant) => demandsOf(books, grant, inputs)
  const barTo = (node: string, grant: Assignment.Grant) => {
    const found = books.poolOfEntry(grant)
    return found && cloud.barTo(found, node, grant.address, placedHere.get(node) ?? 0)
  }
  const mayStayOn = (node: string, grant: Assignment.Grant) => {
    const found = books.poolOfEntry(grant)
    return found === undefined || cloud.mayStayOn(found, node, grant.address)
  }
  const couldHold = (grant: Assignment.Grant) => {
    const wanted = demands(grant)
    const couldBe = [...nodeBook.facts(inputs.nowMillis).values()].filter(
      (node) => Placement.couldBeCandidate(node, wanted) && barTo(node.name, grant) === undefined
    )
    const isCandidate = (node: Placement.NodeFacts) => Placement.candidacy(node, wanted).length === 0
    const others = couldBe.filter((node) => !isCandidate(node))
    const mayCall = ({ name }: Placement.NodeFacts) => nodeBook.candidates.mayCall(name, inputs.nowMillis)
    return { candidates: couldBe.filter(isCandidate), others: others.filter(mayCall) }
  }
  /** Whoever is asked to move goes nowhere else: a node that may not hold the address is no reason to leave. */
  const askedTarget = (grant: Assignment.Grant) => {
    const entry = inputs.entries.find(({ address }) => address === grant.address)
    const target = MoveRequest.targetOf(inputs.moves, entry)
    if (target === undefined) return undefined
    const { candidates, others } = couldHold(grant)
    return [...candidates, ...others].some(({ name }) => name === target) ? target : undefined
  }
  return {
    calls,
    holdIdOf: (node) => nodeBook.leases.holdIdOf(node),
    isFenced: (holder) => nodeBook.isFenced(holder),
    isOutOfService: (node) => isOutOfService(node, nodeBook, inputs),
    mayKeep: (node, grant) => {
      if (nodeBook.unreadable.has(node)) return true
      const found = nodeBook.facts(inputs.nowMillis).get(node)
      return (
        found !== undefined &&
        Placement.mustHandOver(found, demands(grant)).length === 0 &&
        !CloudWishes.isLostToCloud(found, books.poolOfEntry(grant), inputs.nowMillis) &&
        mayStayOn(node, grant) &&
        askedTarget(grant) === undefined
      )
    },
    choose: (grant) => {
      const could = couldHold(grant)
      const target = askedTarget(grant)
      const preferred = target ?? inputs.request.preferredNode
      const called = Placement.callsOf({ ...could, key: grant.pool, preferred })
      calls.push(...called)
      if (called.length > 0) return undefined
      const candidates = could.candidates.map((node) => ({
        name: node.name,
        zone: Placement.zoneOf(node),
        addresses: (books.loadByNode.get(node.name) ?? 0) + (placedHere.get(node.name) ?? 0)
      }))
      const key = `${inputs.request.uid}/${grant.address}`
      const pool = books.poolOfEntry(grant)
      const near =
        pool?.cloud === undefined || target !== undefined
          ? candidates
          : nearest(candidates, (node) => cloud.distance(pool, node, grant.address))
      const chosen = Placement.choose({ key, candidates: near, preferred })
      if (chosen !== undefined) placedHere.set(chosen, (placedHere.get(chosen) ?? 0) + 1)
      return chosen
    }
  }
}

export const isOutOfService = (node: string, nodeBook: NodeBook, inputs: Inputs): boolean => {
  const facts = nodeBook.facts(inputs.nowMillis).get(node)
  return facts !== undefined && Placement.isOutOfService(facts.taints)
}
