/**
 * S4: the status of a Service shows only addresses that are granted to its UID, have been live since the grant and are
 * not being released. A failover changes no Service status: the address is the same and comes back. Services of another
 * class are not touched. Source: PlenusLB v0.4 matched by name and showed addresses of a Service that was gone.
 */
import { loadBalancerClass } from "../api/Names.ts"
import type { IPAllocation } from "../api/IPAllocation.ts"
import type { Service } from "../api/Service.ts"
import { isController, isOurs, rivalryMillis } from "./Actors.ts"
import { claimsOf, grantKey, isDeleting, isLeaving, keyOf, ownerUidOf, shownBy, staleMillis } from "./Claims.ts"
import { ofClaim } from "./Clouds.ts"
import type { GroundTruth, Safety, TruthEvent, Violation, Written } from "./GroundTruth.ts"

type ServiceWritten = Extract<Written, { readonly kind: "Service" }>
type AllocationWritten = Extract<Written, { readonly kind: "IPAllocation" }>

const isForeign = ({ spec }: Service): boolean =>
  spec.type !== "LoadBalancer" || (spec.loadBalancerClass !== undefined && spec.loadBalancerClass !== loadBalancerClass)

const violation = (key: string, message: string): Violation => ({
  invariant: "S4",
  about: key,
  message: `${key}: ${message}`
})

/** By key of the Service, since when nothing of what decides about its addresses was changed by others than us. */
class Calm {
  private readonly byKey = new Map<string, number>()
  private everywhereMillis = 0

  disturb(key: string | undefined, nowMillis: number): void {
    if (key === undefined) this.everywhereMillis = nowMillis
    else this.byKey.set(key, nowMillis)
  }

  lasts(key: string, nowMillis: number): boolean {
    return nowMillis - Math.max(this.everywhereMillis, this.byKey.get(key) ?? 0) > staleMillis
  }
}

class JudgeOfStatus {
  /** Grants whose address was on a node since they were made; whether its cable was in is more than anybody can tell. */
  private readonly live = new Set<string>()
  /** Grants of a cloud whose address was routed to a node since they were made. */
  private readonly routed = new Set<string>()
  /** Services whose status, or whose IPAllocation, was last changed by others. */
  private readonly meddled = new Set<string>()
  private readonly calm = new Calm()
  /** By key, which controllers wrote the Service or its IPAllocation last, and when. */
  private readonly leaders = new Map<string, ReadonlyMap<string, number>>()

  after(event: TruthEvent, truth: GroundTruth): ReadonlyArray<Violation> {
    if (event.type === "Placed" && event.isPresent) this.noteLive(truth, event.address)
    if (event.type === "CloudChanged")
      for (const allocation of truth.allocations.values()) this.noteRoutes(truth, allocation)
    if (event.type !== "Written") return []
    if (event.kind === "Service" || event.kind === "IPAllocation") this.noteLeader(event, truth)
    if (event.kind === "Pool" || event.kind === "Namespace") {
      if (!isOurs(event.by)) this.calm.disturb(undefined, truth.nowMillis)
    }
    if (event.kind === "Service") return this.serviceWritten(event, truth)
    return event.kind === "IPAllocation" ? this.allocationWritten(event, truth) : []
  }

  whole(truth: GroundTruth): ReadonlyArray<Violation> {
    return [...truth.services.keys()].flatMap((key) => (this.meddled.has(key) ? [] : this.wrongOf(key, truth)))
  }

  /** One that was stopped writes what it decided as the leader that it was before: another one may lead since. */
  private noteLeader({ by, key }: Written, { nowMillis, wasStopped }: GroundTruth): void {
    if (!isController(by)) return
    const leaders = wasStopped(by) ? [by, `${by} before it was stopped`] : [by]
    this.leaders.set(
      key,
      new Map([...(this.leaders.get(key) ?? []), ...leaders.map((each) => [each, nowMillis] as const)])
    )
  }

  /** What one leader shows another may release in the same moment: no compare-and-set spans two objects. */
  private excuseOf(key: string, { nowMillis }: GroundTruth): { readonly excuse?: string } {
    const recent = [...(this.leaders.get(key) ?? [])].filter(([, atMillis]) => nowMillis - atMillis <= rivalryMillis)
    return recent.length < 2 ? {} : { excuse: "written by two leaders at once" }
  }

  private noteLive(truth: GroundTruth, address: string): void {
    for (const allocation of truth.allocations.values()) {
      if (claimsOf(allocation).some((claim) => claim.address === address)) this.live.add(grantKey(allocation, address))
    }
  }

  private noteRoutes(truth: GroundTruth, allocation: IPAllocation): void {
    for (const claim of claimsOf(allocation)) {
      const isRouted = claim.cloudProvider !== undefined && ofClaim(truth, claim)?.node !== undefined
      if (isRouted) this.routed.add(grantKey(allocation, claim.address))
    }
  }

  private serviceWritten(event: ServiceWritten, truth: GroundTruth): ReadonlyArray<Violation> {
    const { after, before, by, key } = event
    if (!isOurs(by)) {
      this.meddled.add(key)
      this.calm.disturb(key, truth.nowMillis)
      return []
    }
    if (after === undefined || before === undefined) return [violation(key, `${by} created or removed it`)]
    const fresh = shownBy(after).filter((address) => !shownBy(before).includes(address))
    if (isForeign(after)) return fresh.map((address) => violation(key, `${by} shows ${address}, and it is not ours`))
    // A condition may be written beside addresses that others put there.
    if (shownBy(before).join() === shownBy(after).join()) return []
    this.meddled.delete(key)
    const hidden = shownBy(before).filter((address) => !shownBy(after).includes(address))
    return [...this.wrongOf(key, truth), ...hidden.flatMap((address) => this.hiddenWrongly(key, address, truth))]
  }

  private allocationWritten(event: AllocationWritten, truth: GroundTruth): ReadonlyArray<Violation> {
    const { after, before, by, key } = event
    if (after !== undefined) {
      this.noteRoutes(truth, after)
      for (const { address } of claimsOf(after)) this.noteHeldAlready(truth, after, address)
    }
    const isSpecOrLife = after?.metadata.generation !== before?.metadata.generation || after === undefined
    if (isSpecOrLife && !isOurs(by)) {
      this.meddled.add(key)
      this.calm.disturb(key, truth.nowMillis)
    }
    if (before !== undefined && after === undefined) {
      for (const { address } of claimsOf(before)) {
        this.live.delete(grantKey(before, address))
        this.routed.delete(grantKey(before, address))
      }
    }
    return this.meddled.has(key) ? [] : this.wrongOf(key, truth)
  }

  /** What v0.4 put on a node, or an earlier grant, is there when the claim is made. */
  private noteHeldAlready(truth: GroundTruth, allocation: IPAllocation, address: string): void {
    const isSomewhere = [...truth.nodes.values()].some(({ held }) => held.has(address))
    if (isSomewhere) this.live.add(grantKey(allocation, address))
  }

  /** What the Service shows and must not. */
  private wrongOf(key: string, truth: GroundTruth): ReadonlyArray<Violation> {
    const service = truth.services.get(key)
    if (service === undefined || isForeign(service) || isDeleting(service)) return []
    const allocation = truth.allocations.get(key)
    return shownBy(service).flatMap((address) => {
      const why = this.whyNotShown(service, allocation, address)
      return why === undefined
        ? []
        : [{ ...violation(key, `shows ${address}, which ${why}`), ...this.excuseOf(key, truth) }]
    })
  }

  private whyNotShown(service: Service, allocation: IPAllocation | undefined, address: string): string | undefined {
    if (allocation === undefined) return "nothing grants"
    const owner = ownerUidOf(allocation)
    if (owner !== undefined && owner !== service.metadata.uid) return `is granted to the UID ${owner}`
    if (isDeleting(allocation)) return "is being released: its IPAllocation is being deleted"
    const claim = claimsOf(allocation).find((each) => each.address === address)
    if (claim === undefined) return "is not granted to it"
    if (isLeaving(claim)) return "is being released"
    if (claim.cloudProvider !== undefined && !this.routed.has(grantKey(allocation, address))) {
      return "was routed to no node since it was granted"
    }
    const isLive = claim.networkInterface === undefined || this.live.has(grantKey(allocation, address))
    return isLive ? undefined : "was on no node since it was granted"
  }

  /** An address that nobody took from the Service stays in its status, whoever holds it. */
  private hiddenWrongly(key: string, address: string, truth: GroundTruth): ReadonlyArray<Violation> {
    const [service, allocation] = [truth.services.get(key), truth.allocations.get(key)]
    if (service === undefined || allocation === undefined || !this.calm.lasts(key, truth.nowMillis)) return []
    const isGranted = claimsOf(allocation).some((claim) => claim.address === address && !isLeaving(claim))
    const isOwn = ownerUidOf(allocation) === service.metadata.uid && !isDeleting(allocation) && !isDeleting(service)
    const isRivalled = [...truth.allocations.values()].some(
      (other) => keyOf(other) !== key && claimsOf(other).some((claim) => claim.address === address)
    )
    if (!isGranted || !isOwn || isRivalled) return []
    return [
      violation(key, `${address} left its status, though it is granted and nothing of it was changed for minutes`)
    ]
  }
}

export const S4: Safety = {
  id: "S4",
  title: "Service status shows only addresses granted to that UID, live since the grant and not being released",
  judge: () => {
    const judge = new JudgeOfStatus()
    return {
      after: (event, truth) => judge.after(event, truth),
      whole: (truth) => judge.whole(truth)
    }
  }
}
