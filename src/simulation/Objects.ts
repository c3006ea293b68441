/** Objects that people find when they look at the cluster, for faults that they make. */
import { Effect, Schedule } from "effect"
import { type IPAllocation, ipAllocations } from "../api/IPAllocation.ts"
import type { ObjectRef } from "../api/KubernetesObject.ts"
import { leases } from "../api/Lease.ts"
import { leaderLeaseName } from "../api/Names.ts"
import { type Node, nodes } from "../api/Node.ts"
import { type PersistentIPPoolSpec, persistentIPPools } from "../api/PersistentIPPool.ts"
import { type Service, services } from "../api/Service.ts"
import type { Prng } from "./kernel/Prng.ts"
import { pools } from "./Users.ts"
import { ownNamespace } from "./world/Installation.ts"
import type { Post } from "./world/Post.ts"
import type { World } from "./world/World.ts"

type Alive = { readonly metadata: { readonly deletionTimestamp?: string | undefined } }
const isAlive = ({ metadata }: Alive): boolean => metadata.deletionTimestamp === undefined

export const refOf = ({ metadata }: { readonly metadata: ObjectRef }): ObjectRef =>
  metadata.namespace === undefined ? { name: metadata.name } : { namespace: metadata.namespace, name: metadata.name }

export const pickService = ({ memory }: World, random: Prng): Service | undefined =>
  random.pick(memory.truth.list(services).filter(({ spec }) => spec.type === "LoadBalancer"))

export const pickAllocation = ({ memory }: World, random: Prng): IPAllocation | undefined =>
  random.pick(memory.truth.list(ipAllocations).filter(isAlive))

export const pickNode = ({ memory }: World, random: Prng): Node | undefined =>
  random.pick(memory.truth.list(nodes).filter(isAlive))

export const leaderLease = { namespace: ownNamespace, name: leaderLeaseName }

/** Who the lease says leads. */
export const leaderOf = ({ controllers, memory }: World): Post | undefined => {
  const identity = memory.truth.get(leases, leaderLease)?.spec?.holderIdentity
  return controllers.find(({ client }) => client === identity)
}

/** `rack-1` with some of its spec otherwise. */
export const editPool = ({ kubectl }: World, spec: { readonly [key in keyof PersistentIPPoolSpec]?: unknown }) =>
  kubectl.patch(persistentIPPools, { name: "rack-1" }, { spec })

/** As the users had it in the beginning; one that is still being deleted is awaited. */
export const settlePool = ({ kubectl, memory }: World, name: string) => {
  const wanted = pools.find(({ metadata }) => metadata.name === name)
  const present = Effect.sync(() => memory.truth.get(persistentIPPools, { name }))
  return wanted === undefined
    ? Effect.void
    : Effect.flatMap(present, (pool) =>
        pool !== undefined && isAlive(pool) ? Effect.void : kubectl.create(persistentIPPools, wanted)
      ).pipe(Effect.retry({ schedule: Schedule.spaced("500 millis"), times: 60 }))
}
