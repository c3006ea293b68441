/** Situations that show in Leases: nodes that are fenced and return, operators that restart, leaders that change. */
import { leases } from "../../api/Lease.ts"
import { leaderLeaseName } from "../../api/Names.ts"
import * as NodeLease from "../../api/NodeLease.ts"
import { idleTimes } from "../../domain/FailoverTimes.ts"
import { textAt } from "../../memory/kubernetes/Json.ts"
import { times } from "../world/Programs.ts"
import type { World } from "../world/World.ts"
import type { Commit, Situation } from "./Sights.ts"

const collection = `${leases.group}/${leases.plural}`

interface Contents {
  readonly before: NodeLease.NodeLease | undefined
  readonly after: NodeLease.NodeLease | undefined
}

const contentsOf = ({ memory }: World, { after, before, collection: of }: Commit): Contents | undefined => {
  if (of !== collection) return undefined
  const read = (json: Commit["before"]) => {
    const lease = json === undefined ? undefined : memory.truth.decode(leases, json)
    return lease === undefined ? undefined : NodeLease.read(lease)
  }
  return { before: read(before), after: read(after) }
}

/** What is written to a NodeLease that was there and stays. */
const onRewrite =
  (is: (before: NodeLease.NodeLease, after: NodeLease.NodeLease, world: World, commit: Commit) => boolean) =>
  (world: World, note: () => void) => ({
    change: (commit: Commit) => {
      const { after, before } = contentsOf(world, commit) ?? {}
      if (before !== undefined && after !== undefined && is(before, after, world, commit)) note()
    }
  })

const isFenced = ({ fenced, holdId }: NodeLease.NodeLease): boolean => fenced === holdId

const isIdle = ({ durationMillis }: NodeLease.NodeLease): boolean => durationMillis === idleTimes(times).quietMillis

/** The holder of the leader's lease; empty and undefined alike: nobody. */
const leaderIn = ({ memory }: World, json: Commit["before"]): string =>
  (json === undefined ? undefined : memory.truth.decode(leases, json)?.spec?.holderIdentity) ?? ""

const namesFenced = ({ memory, truth }: World): boolean => {
  const fenced = new Set(
    memory.truth.list(leases).flatMap((lease) => {
      const content = NodeLease.read(lease)
      return content !== undefined && isFenced(content) ? [content.holdId as string] : []
    })
  )
  return [...truth.allocations.values()].some(({ spec }) =>
    spec.allocations.some(({ holdId }) => holdId !== undefined && fenced.has(holdId))
  )
}

export const ofLeases: ReadonlyArray<Situation> = [
  {
    name: "a fenced node returns",
    title: "a node takes a new hold id after it was fenced",
    detect: onRewrite((before, after) => isFenced(before) && before.holdId !== after.holdId)
  },
  {
    name: "an operator restarts under its hold id",
    title: "another process of the same boot goes on under the hold id of the one before",
    detect: onRewrite((before, after) => before.nonce !== after.nonce && before.holdId === after.holdId)
  },
  {
    name: "a node is fenced while its operator runs",
    title: "what was fenced is alive: it must let go by itself",
    detect: onRewrite(
      (before, after, { operators }) =>
        !isFenced(before) &&
        isFenced(after) &&
        operators.some((each) => each.host?.name === after.node && each.isRunning)
    )
  },
  {
    name: "a node goes idle",
    title: "a node that holds nothing, and is no candidate, announces that it will renew seldom",
    detect: onRewrite((before, after) => !isIdle(before) && isIdle(after))
  },
  {
    name: "an idle node becomes a candidate",
    title: "the leader has chosen it, since others died or a Service needs it, and it renews every second again",
    detect: onRewrite((before, after) => isIdle(before) && !isIdle(after) && before.nonce === after.nonce)
  },
  {
    name: "the leader changes during a takeover",
    title: "leadership moves while allocations still name a fenced hold id",
    detect: (world, note) => {
      let leader = ""
      return {
        change: ({ after, collection: of, object }) => {
          const isLeaders = of === collection && textAt(object, "metadata", "name") === leaderLeaseName
          const next = isLeaders ? leaderIn(world, after) : ""
          if (next === "" || next === leader) return
          if (leader !== "" && namesFenced(world)) note()
          leader = next
        }
      }
    }
  }
]
