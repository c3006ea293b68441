/**
 * S14: an address is granted anew only after its former holders have let go or are fenced: nobody of them answers for it
 * any more. And neither is one fenced, nor its lease taken over by another boot, before it was silent for the time that it
 * announces, unless its machine was off meanwhile, which a provider may have said. When a node is fenced its kernel answers
 * for nothing that is claimed any more but what a provider routes and the pool keeps: the provider alone knows who serves that.
 *
 * Two leaders may grant one address at once, which S2 judges. Of two claims it is granted anew to the one that stays when
 * the other goes: by then that one's holders must have let go, and until then no node serves it for the former (R8, S1).
 */
import type { IPAllocation } from "../api/IPAllocation.ts"
import * as NodeLease from "../api/NodeLease.ts"
import { isController, isOperator } from "./Actors.ts"
import { claimantsOf, claimsOf, grantKey, nameOf } from "./Claims.ts"
import { Disowned } from "./Disowned.ts"
import { isSaidToBeOff } from "./GivenUp.ts"
import type { GroundTruth, Safety, Violation, Written } from "./GroundTruth.ts"
import { excuseOf, whyAnswers } from "./Hindered.ts"
import { isBound } from "./Losses.ts"
import { mayHaveRunOut } from "./Registrations.ts"

type LeaseWritten = Extract<Written, { readonly kind: "Lease" }>

/** Nodes of which an operator put it there. */
const answeringFor = (truth: GroundTruth, address: string): ReadonlyArray<string> =>
  [...(truth.holders.get(address) ?? [])].filter((name) => isOperator(truth.nodes.get(name)?.putBy.get(address) ?? ""))

const judgeGrant = (
  truth: GroundTruth,
  allocation: IPAllocation,
  address: string,
  disowned: Disowned
): ReadonlyArray<Violation> => {
  const others = claimantsOf(truth, address).filter(({ metadata }) => metadata.uid !== allocation.metadata.uid)
  if (others.length > 0) return []
  const nodes = answeringFor(truth, address)
  const what = `${nameOf(allocation)} was granted ${address}`
  return whileAnswering(truth, address, nodes, what, disowned)
}

const whileAnswering = (
  truth: GroundTruth,
  address: string,
  nodes: ReadonlyArray<string>,
  what: string,
  disowned: Disowned
): ReadonlyArray<Violation> => {
  const message = `${what} while ${nodes.join(" and ")} still answered for it`
  const excuse = excuseOf(
    truth,
    nodes,
    (node) => whyAnswers(truth, node, address) !== undefined || disowned.has(address, node)
  )
  return nodes.length === 0 ? [] : [{ invariant: "S14", message, ...excuse }]
}

/** A claim went, and another one stays. */
const judgeLoss = (
  truth: GroundTruth,
  before: IPAllocation,
  address: string,
  disowned: Disowned
): ReadonlyArray<Violation> => {
  const others = claimantsOf(truth, address).filter(({ metadata }) => metadata.uid !== before.metadata.uid)
  const [heir] = others
  if (heir === undefined) return []
  const named = new Set(
    others.flatMap(claimsOf).flatMap((claim) => [claim.nodeName, ...(claim.previous ?? []).map(({ node }) => node)])
  )
  const nodes = answeringFor(truth, address).filter((node) => !named.has(node))
  const what = `${nameOf(heir)} alone has ${address} since ${nameOf(before)} lost it`
  return whileAnswering(truth, address, nodes, what, disowned)
}

/** What ends the right of the former registration: undefined where nothing does. */
const endOf = (old: NodeLease.NodeLease, next: NodeLease.NodeLease, by: string): string | undefined => {
  if (isController(by) && old.fenced !== next.fenced) return "fenced"
  return isOperator(by) && old.bootId !== next.bootId ? "took over from another boot" : undefined
}

const judgeEnd = (
  { after, before, by, key }: LeaseWritten,
  renewedMillis: number,
  nowMillis: number,
  wasOffSince: (node: string, millis: number) => boolean
): ReadonlyArray<Violation> => {
  const [old, next] = [before, after].map((each) => (each === undefined ? undefined : NodeLease.read(each)))
  const what = old === undefined || next === undefined ? undefined : endOf(old, next, by)
  const elapsedMillis = nowMillis - renewedMillis
  if (old === undefined || what === undefined || mayHaveRunOut(elapsedMillis, old.durationMillis)) return []
  if (isController(by) && wasOffSince(old.node, renewedMillis)) return []
  const message = `${by} ${what} ${key} ${elapsedMillis} ms after its renewal, and it announced ${old.durationMillis} ms`
  return [{ invariant: "S14", message }]
}

const judgeCompletion = (
  { after, before, by }: LeaseWritten,
  truth: GroundTruth,
  disowned: Disowned
): ReadonlyArray<Violation> => {
  const [old, next] = [before, after].map((each) => (each === undefined ? undefined : NodeLease.read(each)))
  if (old === undefined || next === undefined || endOf(old, next, by) !== "fenced") return []
  const { node } = old
  if (isSaidToBeOff(truth, node)) return []
  return [...truth.holders.keys()].flatMap((address): ReadonlyArray<Violation> => {
    const isAnswered = answeringFor(truth, address).includes(node) && claimantsOf(truth, address).length > 0
    if (!isAnswered || isBound(truth, address, "keep")) return []
    return whileAnswering(truth, address, [node], `${by} fenced ${node}`, disowned)
  })
}

export const S14: Safety = {
  id: "S14",
  title: "an address is reused only after its fence is complete",
  judge: () => {
    /** By key of the lease, when it was renewed last: a fence prolongs nothing. */
    const renewed = new Map<string, number>()
    /** By node, when it was last seen without power. */
    const off = new Map<string, number>()
    const lookForPower = (node: string, { nodes, nowMillis }: GroundTruth) => {
      if (nodes.get(node)?.isOn === false) off.set(node, nowMillis)
    }
    const wasOffSince = (node: string, millis: number) => (off.get(node) ?? Number.NEGATIVE_INFINITY) >= millis
    const disowned = new Disowned()
    const leaseWritten = (event: LeaseWritten, truth: GroundTruth): ReadonlyArray<Violation> => {
      const { nowMillis } = truth
      const violations = judgeEnd(event, renewed.get(event.key) ?? Number.NEGATIVE_INFINITY, nowMillis, wasOffSince)
      if (!isController(event.by)) renewed.set(event.key, nowMillis)
      return [...violations, ...judgeCompletion(event, truth, disowned)]
    }
    return {
      after: (event, truth) => {
        disowned.hear(event, truth)
        if (event.type === "Held" && !event.isHeld) lookForPower(event.node, truth)
        if (event.type !== "Written") return []
        // One that holds nothing goes without a trace.
        for (const node of truth.nodes.keys()) lookForPower(node, truth)
        if (event.kind === "Lease") return leaseWritten(event, truth)
        if (event.kind !== "IPAllocation" || !isController(event.by)) return []
        const { after, before } = event
        const [old, next] = [before, after].map(
          (each) => new Map(each && claimsOf(each).map(({ address }) => [grantKey(each, address), address]))
        )
        const lost = [...(old ?? [])].filter(([grant]) => next?.has(grant) !== true)
        const fresh = [...(next ?? [])].filter(([grant]) => old?.has(grant) !== true)
        return [
          ...lost.flatMap(([, address]) => (before === undefined ? [] : judgeLoss(truth, before, address, disowned))),
          ...fresh.flatMap(([, address]) => (after === undefined ? [] : judgeGrant(truth, after, address, disowned)))
        ]
      },
      whole: () => []
    }
  }
}
