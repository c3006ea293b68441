/** Situations that show in IPAllocations, Services and on the nodes. */
import type { Allocation, IPAllocation } from "../../api/IPAllocation.ts"
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import type { World } from "../world/World.ts"
import type { Sights, Situation } from "./Sights.ts"

const minuteMillis = 60_000
const secondMillis = 1_000

type Written = Extract<TruthEvent, { readonly type: "Written" }>

const onAllocation = (
  look: (before: IPAllocation | undefined, after: IPAllocation | undefined, event: Written) => void
): Sights => ({
  event: (event) => {
    if (event.type !== "Written" || event.kind !== "IPAllocation") return
    look(event.before as IPAllocation | undefined, event.after as IPAllocation | undefined, event)
  }
})

/** Pairs of what the same address was and is. */
const rewritten = (
  before: IPAllocation | undefined,
  after: IPAllocation | undefined
): ReadonlyArray<readonly [Allocation, Allocation]> =>
  (after?.spec.allocations ?? []).flatMap((next) => {
    const old = before?.spec.allocations.find(({ address }) => address === next.address)
    return old === undefined ? [] : [[old, next] as const]
  })

const isServed = ({ status }: IPAllocation, { address, epoch, holdId }: Allocation): boolean =>
  (status?.addresses ?? []).some(
    (each) => each.address === address && each.phase === "Serving" && each.epoch === epoch && each.holdId === holdId
  )

const isFoundInUse = (allocation: IPAllocation | undefined): boolean =>
  (allocation?.status?.addresses ?? []).some(({ phase }) => phase === "InUse")

const isMoving = (allocation: IPAllocation): boolean =>
  allocation.spec.allocations.some(
    (each) => (each.previous ?? []).length > 0 || (each.networkInterface !== undefined && !isServed(allocation, each))
  )

const addressesOf = (allocation: IPAllocation | undefined): ReadonlySet<string> =>
  new Set(allocation?.spec.allocations.map(({ address }) => address))

const isStamped = ([old, next]: readonly [Allocation, Allocation]): boolean =>
  old.nodeName !== undefined && old.holdId === undefined && next.holdId !== undefined

const becomes = (state: string) => (_: World, note: () => void) =>
  onAllocation((before, after) => {
    if (after?.status?.state === state && before?.status?.state !== state) note()
  })

export const ofAllocations: ReadonlyArray<Situation> = [
  {
    name: "an address moves twice within a minute",
    title: "and the second holder may not have served yet",
    detect: ({ kernel }, note) => {
      const movedAt = new Map<string, number>()
      return onAllocation((before, after) => {
        for (const [old, next] of rewritten(before, after)) {
          if (old.nodeName === undefined || next.nodeName === undefined || old.nodeName === next.nodeName) continue
          if (kernel.nowMillis - (movedAt.get(next.address) ?? 0) < minuteMillis) note()
          movedAt.set(next.address, kernel.nowMillis)
        }
      })
    }
  },
  {
    name: "a Service is deleted while its address moves",
    title: "what it was given must be let go by more than one node",
    detect: ({ truth }, note) => ({
      event: (event) => {
        if (event.type !== "Written" || event.kind !== "Service" || event.after !== undefined) return
        const allocation = truth.allocations.get(event.key)
        if (allocation !== undefined && isMoving(allocation)) note()
      }
    })
  },
  {
    name: "an IPAllocation waits for a node to let go",
    title: "its deletion was held for more than a second",
    detect: ({ kernel }, note) => {
      const since = new Map<string, number>()
      return onAllocation((_, after, { key }) => {
        if (after?.metadata.deletionTimestamp !== undefined) since.set(key, since.get(key) ?? kernel.nowMillis)
        if (after !== undefined) return
        if (kernel.nowMillis - (since.get(key) ?? kernel.nowMillis) > secondMillis) note()
        since.delete(key)
      })
    }
  },
  {
    name: "two controllers write within a second",
    title: "leadership is tidiness; the compare-and-set must do",
    detect: ({ kernel }, note) => {
      let last: { readonly by: string; readonly atMillis: number } | undefined
      return onAllocation((_, __, { by }) => {
        if (!by.startsWith("controller-")) return
        if (last !== undefined && last.by !== by && kernel.nowMillis - last.atMillis < secondMillis) note()
        last = { by, atMillis: kernel.nowMillis }
      })
    }
  },
  {
    name: "one address is granted twice",
    title: "two leaders each created an IPAllocation; one of them must withdraw (R8)",
    detect: ({ truth }, note) =>
      onAllocation((before, after, { key }) => {
        const had = new Set(before?.spec.allocations.map(({ address }) => address))
        for (const { address } of after?.spec.allocations ?? []) {
          if (address === "" || had.has(address)) continue
          const claims = ([other, { spec }]: readonly [string, IPAllocation]) =>
            other !== key && spec.allocations.some((each) => each.address === address)
          if ([...truth.allocations].some(claims)) note()
        }
      })
  },
  {
    name: "an address goes to another Service",
    title: "within ten seconds of its release",
    detect: ({ kernel }, note) => {
      const released = new Map<string, { readonly key: string; readonly atMillis: number }>()
      return onAllocation((before, after, { key }) => {
        const [had, has] = [addressesOf(before), addressesOf(after)]
        for (const address of had) if (!has.has(address)) released.set(address, { key, atMillis: kernel.nowMillis })
        for (const address of has) {
          const last = had.has(address) ? undefined : released.get(address)
          if (last !== undefined && last.key !== key && kernel.nowMillis - last.atMillis < 10 * secondMillis) note()
        }
      })
    }
  },
  {
    name: "what v0.4 wrote is stamped",
    title: "an entry without hold id gets one",
    detect: (_, note) =>
      onAllocation((before, after) => {
        if (rewritten(before, after).some(isStamped)) note()
      })
  },
  {
    name: "an address is taken from its pool",
    title: "its Service is told so",
    detect: becomes("address_deleted_from_pool")
  },
  { name: "no node can hold an address", title: "its Service is told why", detect: becomes("node_error") },
  {
    name: "a foreign machine answers for an address",
    title: "when it was to be used for the first time",
    detect: (_, note) =>
      onAllocation((before, after) => {
        if (isFoundInUse(after) && !isFoundInUse(before)) note()
      })
  },
  {
    name: "a second holder answers",
    title: "which S1 excuses or not",
    detect: ({ truth }, note) => ({
      event: (event) => {
        if (event.type === "Held" && event.isHeld && (truth.holders.get(event.address)?.size ?? 0) > 1) note()
      }
    })
  }
]
