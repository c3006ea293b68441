/**
 * S3: an address is granted only from a pool that listed it, allowed the namespace and was not being deleted. "Was": a
 * controller decides by what it saw, which may be as old as a watch that died unnoticed.
 */
import { Result } from "effect"
import type { IPAllocation } from "../api/IPAllocation.ts"
import type { Namespace } from "../api/Namespace.ts"
import * as Address from "../domain/Address.ts"
import { isController } from "./Actors.ts"
import { claimsOf, grantKey, nameOf, staleMillis } from "./Claims.ts"
import { isOf, labelledFor } from "./Clouds.ts"
import type { CloudAddressTruth, GroundTruth, PoolTruth, Safety, Violation } from "./GroundTruth.ts"
import { allows, lists } from "./Pools.ts"

interface Former<A> {
  readonly object: A
  readonly untilMillis: number
}

/** What stood under each key within the time that may be seen; the present one is in the truth. */
class Past<A> {
  private readonly former = new Map<string, ReadonlyArray<Former<A>>>()

  replaced(key: string, object: A | undefined, nowMillis: number): void {
    if (object === undefined) return
    this.former.set(key, [...this.recent(key, nowMillis), { object, untilMillis: nowMillis }])
  }

  recent(key: string, nowMillis: number): ReadonlyArray<Former<A>> {
    return (this.former.get(key) ?? []).filter(({ untilMillis }) => nowMillis - untilMillis <= staleMillis)
  }

  /** Under whatever key. */
  everything(nowMillis: number): ReadonlyArray<A> {
    return [...this.former.keys()].flatMap((key) => this.recent(key, nowMillis).map(({ object }) => object))
  }

  all(key: string, present: A | undefined, nowMillis: number): ReadonlyArray<A> {
    const past = this.recent(key, nowMillis).map(({ object }) => object)
    return present === undefined ? past : [...past, present]
  }
}

/** A pool that buys lists nothing: it has what the provider says was bought for this very IPAllocation. */
const isBought = (
  cloud: ReadonlyArray<CloudAddressTruth>,
  { metadata }: IPAllocation,
  address: Address.Address
): boolean => cloud.some((found) => labelledFor(found) === metadata.uid && isOf(found, address))

const whyNot = (pool: PoolTruth, hasIt: boolean, namespace: Namespace): string | undefined => {
  if (pool.metadata.deletionTimestamp !== undefined) return "is being deleted"
  if (!hasIt) return "does not list it"
  return allows(pool, namespace) ? undefined : `does not allow namespace ${namespace.metadata.name}`
}

export const S3: Safety = {
  id: "S3",
  title: "a granted address was in a pool that listed it, allowed the namespace and was not being deleted",
  judge: () => {
    const pools = new Past<PoolTruth>()
    const namespaces = new Past<Namespace>()
    /** By id. */
    const cloud = new Past<CloudAddressTruth>()
    const judgeGrant = (
      truth: GroundTruth,
      allocation: IPAllocation,
      address: string,
      pool: string
    ): ReadonlyArray<Violation> => {
      const parsed = Address.parse(address)
      const place = allocation.metadata.namespace ?? ""
      const seen = (key: string) => pools.all(key, truth.pools.get(key), truth.nowMillis)
      const [listing, buying] = [seen(`PersistentIPPool/${pool}`), seen(`EphemeralIPPool/${pool}`)]
      const seenPlaces = namespaces.all(place, truth.namespaces.get(place), truth.nowMillis)
      if (Result.isFailure(parsed)) return []
      const bought = [...truth.cloud, ...cloud.everything(truth.nowMillis)]
      const reasons = [...listing, ...buying].flatMap((each) => {
        const hasIt = buying.includes(each) ? isBought(bought, allocation, parsed.success) : lists(each, parsed.success)
        return seenPlaces.map((where) => whyNot(each, hasIt, where))
      })
      if (reasons.includes(undefined)) return []
      const why = reasons.at(-1) ?? "does not exist"
      return [
        { invariant: "S3", message: `${nameOf(allocation)} was granted ${address} from pool ${pool}, which ${why}` }
      ]
    }
    return {
      after: (event, truth) => {
        if (event.type === "CloudChanged") {
          const isStill = (each: CloudAddressTruth) =>
            truth.cloud.some((now) => now.id === each.id && labelledFor(now) === labelledFor(each))
          for (const each of event.before) if (!isStill(each)) cloud.replaced(each.id, each, truth.nowMillis)
        }
        if (event.type !== "Written") return []
        if (event.kind === "Pool") pools.replaced(event.key, event.before, truth.nowMillis)
        if (event.kind === "Namespace") namespaces.replaced(event.key, event.before, truth.nowMillis)
        if (event.kind !== "IPAllocation" || event.after === undefined) return []
        const { after, before, by } = event
        const old = new Set(
          before === undefined ? [] : claimsOf(before).map(({ address }) => grantKey(before, address))
        )
        const fresh = claimsOf(after).filter(({ address }) => !old.has(grantKey(after, address)))
        return isController(by) ? fresh.flatMap(({ address, pool }) => judgeGrant(truth, after, address, pool)) : []
      },
      whole: () => []
    }
  }
}
