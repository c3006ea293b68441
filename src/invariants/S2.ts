/**
 * S2: one live claim per address, in canonical form; nobody shares one yet. Two leaders may each create an IPAllocation
 * for one address, one while what the other sent is under way, which no compare-and-set of one object can see: operators
 * refuse both until the controller has withdrawn one (failover R8). So this is excused until both are said to be served, or
 * are shown to clients.
 */
import { Result } from "effect"
import type { IPAllocation } from "../api/IPAllocation.ts"
import * as Address from "../domain/Address.ts"
import { isOurs, rivalryMillis } from "./Actors.ts"
import { claimsOf, grantKey, keyOf, nameOf, ownerUidOf, shownBy } from "./Claims.ts"
import type { GroundTruth, Safety, Violation } from "./GroundTruth.ts"

const isCanonical = (address: string): boolean => {
  const parsed = Address.parse(address)
  return Result.isSuccess(parsed) && parsed.success === address
}

const isShown = (truth: GroundTruth, allocation: IPAllocation, address: string): boolean => {
  const service = truth.services.get(keyOf(allocation))
  return service?.metadata.uid === ownerUidOf(allocation) && shownBy(service).includes(address)
}

/** Some node says that it serves it for this claim. */
const isServed = ({ spec, status }: IPAllocation, address: string): boolean =>
  (status?.addresses ?? []).some(
    (said) =>
      said.phase === "Serving" &&
      said.address === address &&
      spec.allocations.some(
        (claim) => claim.address === address && claim.nodeName === said.node && claim.holdId === said.holdId
      )
  )

interface Grant {
  readonly by: string
  readonly atMillis: number
}

/** By grant, who made it, and when. */
type Grants = ReadonlyMap<string, Grant>

/** By leaders of which each may not have known of the other's; or one is a person's. */
const areRivals = (grants: ReadonlyArray<Grant>): boolean => {
  const times = grants.map(({ atMillis }) => atMillis)
  const isTogether = Math.max(...times) - Math.min(...times) <= rivalryMillis
  return (
    grants.some(({ by }) => !isOurs(by)) || (isTogether && new Set(grants.map(({ by }) => by)).size === grants.length)
  )
}

const judgeClaims = (
  truth: GroundTruth,
  grants: Grants,
  address: string,
  claimants: ReadonlyArray<IPAllocation>
): ReadonlyArray<Violation> => {
  const rule = { invariant: "S2" }
  const [first] = claimants
  if (first !== undefined && !isCanonical(address)) {
    return [{ ...rule, message: `${nameOf(first)} claims ${address}, which is not canonical` }]
  }
  if (claimants.length < 2) return []
  const message = `${address} is claimed by ${claimants.map(nameOf).join(" and ")}`
  const of = claimants.map((each) => grants.get(grantKey(each, address)) ?? { by: "", atMillis: 0 })
  const shown = claimants.filter((each) => isShown(truth, each, address))
  const served = claimants.filter((each) => isServed(each, address))
  return [
    areRivals(of) && shown.length < 2 && served.length < 2
      ? { ...rule, message, excuse: "granted by two leaders at once" }
      : { ...rule, message }
  ]
}

const judgeAll = (
  truth: GroundTruth,
  grants: Grants,
  isConcerned: (address: string) => boolean
): ReadonlyArray<Violation> => {
  const claimants = new Map<string, Array<IPAllocation>>()
  for (const allocation of truth.allocations.values()) {
    for (const { address } of claimsOf(allocation)) {
      if (!isConcerned(address)) continue
      const known = claimants.get(address)
      if (known === undefined) claimants.set(address, [allocation])
      else known.push(allocation)
    }
  }
  return [...claimants].flatMap(([address, all]) => judgeClaims(truth, grants, address, all))
}

export const S2: Safety = {
  id: "S2",
  title: "one live claim per address, in canonical form",
  judge: () => {
    const grants = new Map<string, Grant>()
    return {
      after: (event, truth) => {
        if (event.type !== "Written" || (event.kind !== "IPAllocation" && event.kind !== "Service")) return []
        if (event.kind === "Service") {
          const shown = new Set(shownBy(event.after))
          for (const address of shownBy(event.before)) shown.delete(address)
          return shown.size === 0 ? [] : judgeAll(truth, grants, (address) => shown.has(address))
        }
        const { after, before, by } = event
        const old = new Set(
          before === undefined ? [] : claimsOf(before).map(({ address }) => grantKey(before, address))
        )
        const next = after === undefined ? [] : claimsOf(after).map(({ address }) => address)
        if (after === undefined) return []
        const fresh = next.filter((address) => !old.has(grantKey(after, address)))
        for (const address of fresh) grants.set(grantKey(after, address), { by, atMillis: truth.nowMillis })
        const wasServed = (address: string) => before !== undefined && isServed(before, address)
        const served = next.filter((address) => isServed(after, address) && !wasServed(address))
        const concerned = new Set([...fresh, ...served])
        return concerned.size === 0 ? [] : judgeAll(truth, grants, (address) => concerned.has(address))
      },
      whole: (truth) => judgeAll(truth, grants, () => true)
    }
  }
}
