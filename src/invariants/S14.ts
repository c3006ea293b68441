/**
 * S14: an address is granted anew only after its former holders have let go or are fenced: nobody of them answers for it
 * any more. And neither is one fenced, nor its lease taken over by another boot, before it was silent for the time that it
 * announces, unless its machine was off meanwhile, which a provider may have said. Where two leaders granted one address at once both claims stand, which S2 judges.
 */
import type { IPAllocation } from "../api/IPAllocation.ts"
import * as NodeLease from "../api/NodeLease.ts"
import { isController, isOperator } from "./Actors.ts"
import { claimantsOf, claimsOf, grantKey, nameOf } from "./Claims.ts"
import { Disowned } from "./Disowned.ts"
import type { GroundTruth, Safety, Violation, Written } from "./GroundTruth.ts"
import { excuseOf, whyAnswers } from "./Hindered.ts"
import { mayHaveRunOut } from "./Registrations.ts"

type LeaseWritten = Extract<Written, { readonly kind: "Lease" }>

const judgeGrant = (
  truth: GroundTruth,
  allocation: IPAllocation,
  address: string,
  disowned: Disowned
): ReadonlyArray<Violation> => {
  const others = claimantsOf(truth, address).filter(({ metadata }) => metadata.uid !== allocation.metadata.uid)
  if (others.length > 0) return []
  const nodes = [...(truth.holders.get(address) ?? [])].filter((name) =>
    isOperator(truth.nodes.get(name)?.putBy.get(address) ?? "")
  )
  const message = `${nameOf(allocation)} was granted ${address} while ${nodes.join(" and ")} still answered for it`
  const excuse = excuseOf(
    truth,
    nodes,
    (node) => whyAnswers(truth, node, address) !== undefined || disowned.has(address, node)
  )
  return nodes.length === 0 ? [] : [{ invariant: "S14", message, ...excuse }]
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

export const S14: Safety = {
  id: "S14",
  title: "an address is reused only after its fence is complete",
  judge: () => {
    /** By key of the lease, when it was written last. */
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
      const node = event.before === undefined ? undefined : NodeLease.read(event.before)?.node
      if (node !== undefined) lookForPower(node, truth)
      const violations = judgeEnd(event, renewed.get(event.key) ?? Number.NEGATIVE_INFINITY, nowMillis, wasOffSince)
      renewed.set(event.key, nowMillis)
      return violations
    }
    return {
      after: (event, truth) => {
        disowned.hear(event, truth)
        if (event.type === "Held" && !event.isHeld) lookForPower(event.node, truth)
        if (event.type !== "Written") return []
        if (event.kind === "Lease") return leaseWritten(event, truth)
        if (event.kind !== "IPAllocation" || event.after === undefined) return []
        const { after, before, by } = event
        if (!isController(by)) return []
        const old = new Set(
          before === undefined ? [] : claimsOf(before).map(({ address }) => grantKey(before, address))
        )
        return claimsOf(after)
          .filter(({ address }) => !old.has(grantKey(after, address)))
          .flatMap(({ address }) => judgeGrant(truth, after, address, disowned))
      },
      whole: () => []
    }
  }
}
