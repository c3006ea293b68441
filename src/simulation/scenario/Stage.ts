/** What the commands of a scenario act on: a world, who is meant by `holder of shop/web` or `leader`, and waiting. */
import { Effect } from "effect"
import { leases } from "../../api/Lease.ts"
import { leaderLeaseName } from "../../api/Names.ts"
import * as NodeLease from "../../api/NodeLease.ts"
import type { IPAllocation } from "../../api/IPAllocation.ts"
import type { KubernetesError } from "../../ports/Kubernetes.ts"
import type { Host } from "../world/Host.ts"
import { ownNamespace } from "../world/Installation.ts"
import type { Post } from "../world/Post.ts"
import type { World } from "../world/World.ts"

/** A command that cannot be carried out, or what it waits for does not come. */
export class Stuck extends Error {
  override readonly name = "Stuck"
}

export type Act = Effect.Effect<unknown, Stuck | KubernetesError>

/** Long enough for every retry that a fault may have pushed to its cap. */
const waitMaxMillis = 600_000
const pollMillis = 20

export const waitUntil = (what: string, isSo: () => boolean): Effect.Effect<void, Stuck> =>
  Effect.suspend(() => (isSo() ? Effect.succeed(true) : Effect.as(Effect.sleep(pollMillis), false))).pipe(
    Effect.repeat({ until: (done) => done, times: waitMaxMillis / pollMillis }),
    Effect.filterOrFail(
      (done) => done,
      () => new Stuck(`"${what}" is not so after ${waitMaxMillis / 1000} s`)
    ),
    Effect.asVoid
  )

export const allocationOf = ({ truth }: World, key: string): IPAllocation | undefined => truth.allocations.get(key)

const addressesOf = (world: World, key: string): ReadonlyArray<string> =>
  (allocationOf(world, key)?.spec.allocations ?? []).map(({ address }) => address).filter((each) => each !== "")

/** On one node, reached by a client, and shown. */
export const isServed = (world: World, key: string): boolean => {
  const addresses = addressesOf(world, key)
  const shown = world.truth.services.get(key)?.status?.loadBalancer?.ingress ?? []
  return (
    addresses.length > 0 &&
    addresses.every(
      (address) =>
        world.truth.holders.get(address)?.size === 1 &&
        (isOfCloud(world, address) || world.truth.answeredBy(address) !== undefined) &&
        shown.some(({ ip }) => ip === address)
    )
  )
}

/** Nobody on the segment is told of what a provider routes. */
const isOfCloud = ({ truth }: World, address: string): boolean =>
  truth.cloud.some(({ network, node }) => network === address && node !== undefined)

export const isGone = (world: World, key: string): boolean =>
  !world.truth.services.has(key) && !world.truth.allocations.has(key)

const holdersOf = (world: World, key: string): ReadonlyArray<string> =>
  addressesOf(world, key).flatMap((address) => [...(world.truth.holders.get(address) ?? [])])

/** `node-2`, or `holder of shop/web`, which is waited for. */
export const hostNamed = (world: World, operand: string): Effect.Effect<Host, Stuck> => {
  const key = /^holder of (\S+)$/.exec(operand)?.[1]
  const find = () => {
    const name = key === undefined ? operand : holdersOf(world, key)[0]
    return world.hosts.find((host) => host.name === name)
  }
  return waitUntil(`there is ${operand}`, () => find() !== undefined).pipe(
    Effect.andThen(Effect.sync(find)),
    Effect.flatMap((host) => (host === undefined ? Effect.fail(new Stuck(`no ${operand}`)) : Effect.succeed(host)))
  )
}

const leaderName = ({ memory }: World): string | undefined =>
  memory.truth.get(leases, { namespace: ownNamespace, name: leaderLeaseName })?.spec?.holderIdentity?.replace(/_.*/, "")

export const isReady = (world: World): boolean => {
  const registered = world.memory.truth.list(leases).filter((lease) => NodeLease.read(lease) !== undefined)
  return leaderName(world) !== undefined && registered.length === world.hosts.length
}

/** `controller-1`, `leader`, or `operator on NODE`. */
export const postNamed = (world: World, operand: string): Effect.Effect<Post, Stuck> => {
  const on = /^operator on (.+)$/.exec(operand)?.[1]
  if (on !== undefined) {
    return Effect.flatMap(hostNamed(world, on), (host) => found(world.operators.find((post) => post.host === host)))
  }
  const find = () => {
    const name = operand === "leader" ? leaderName(world) : operand
    return world.controllers.find(({ client }) => client === name)
  }
  return Effect.flatMap(
    waitUntil(`there is ${operand}`, () => find() !== undefined),
    () => found(find())
  )
}

const found = (post: Post | undefined): Effect.Effect<Post, Stuck> =>
  post === undefined ? Effect.fail(new Stuck("no such process")) : Effect.succeed(post)
