/** One disturbance at a time of a cluster in which all is well, each with its own bound (L1, L2, L3, S13). */
import { Effect } from "effect"
import { ipAllocations } from "../api/IPAllocation.ts"
import { nodes } from "../api/Node.ts"
import * as NodeLease from "../api/NodeLease.ts"
import { persistentIPPools } from "../api/PersistentIPPool.ts"
import { services } from "../api/Service.ts"
import { claimsOf, shownBy } from "../invariants/Claims.ts"
import type { Violation } from "../invariants/GroundTruth.ts"
import { graceMillis, isHindered } from "../invariants/Hindered.ts"
import { excludeLabel } from "../invariants/Hosts.ts"
import { type KubernetesError, NotFound } from "../ports/Kubernetes.ts"
import { converge } from "./Convergence.ts"
import type { Stopped } from "./Court.ts"
import type { Prng } from "./kernel/Prng.ts"
import { badPool, lastService } from "./Oddities.ts"
import { refused, resetWatches } from "./RequestTrouble.ts"
import type { Host } from "./world/Host.ts"
import { pool } from "./Users.ts"
import type { World } from "./world/World.ts"

type Probe = (world: World, random: Prng, without: ReadonlySet<string>) => Effect.Effect<void, Stopped>

const createMillis = 5_000
const planMillis = 1_000
const unservedMillis = 2_000
export const deathMillis = 7_000
/**
 * Until its silence has lasted for that long, a dead node is chosen like any other, and what was given to it waits: with a
 * shorter bound, only what is asked for afterwards can be measured.
 */
export const untilDeathIsKnown = Effect.sleep(deathMillis)
/** A list is a minute old at most, and some more where requests are rationed. */
export const listMillis = 70_000
/** What is bought and owned has been routed by then, one address after the other on each server. */
const routesMillis = 25_000
/** What a machine needs to come back: it waits for as long as the lease of its former boot may last. */
const bootMillis = 30_000

const asKubectl = <A>(call: Effect.Effect<A, KubernetesError>): Effect.Effect<A> => Effect.orDie(call)

/** After a reboot an operator waits for as long as the lease of the boot before may last. */
const isRegistered = (world: World, host: Host): boolean =>
  [...world.truth.leases.values()].some((lease) => {
    const content = NodeLease.read(lease)
    return content?.node === host.name && content.bootId === host.bootId && content.fenced !== content.holdId
  })

const healthy = (world: World): ReadonlyArray<Host> =>
  world.hosts.filter(
    (host) => host.isOn && host.isOnLan && !isHindered(world.truth, host.name) && isRegistered(world, host)
  )

/** A machine whose addresses another one can take. */
const victimOf = (world: World, random: Prng): Host | undefined => {
  const candidates = healthy(world)
  return candidates.length < 2 ? undefined : random.pick(candidates)
}

const create: Probe = (world, _, without) =>
  asKubectl(world.kubectl.create(services, lastService(world, "created"))).pipe(
    Effect.andThen(converge(world, { withinMillis: createMillis, since: "a Service was created", without }))
  )

/** Claims that name the node. */
const namedOn = ({ truth }: World, name: string, without: ReadonlySet<string>): ReadonlyArray<Violation> =>
  [...truth.allocations].flatMap(([key, allocation]) =>
    claimsOf(allocation).flatMap(({ address, networkInterface, nodeName }) =>
      nodeName === name && networkInterface !== undefined && !without.has(key)
        ? [{ invariant: "L1", message: `${key}: ${address} did not leave ${name}, which is excluded` }]
        : []
    )
  )

const move: Probe = Effect.fnUntraced(function* (world, random, without) {
  const victim = victimOf(world, random)
  if (victim === undefined) return
  const label = (value: string | null) =>
    asKubectl(world.kubectl.patch(nodes, { name: victim.name }, { metadata: { labels: { [excludeLabel]: value } } }))
  yield* label("")
  const also = () => namedOn(world, victim.name, without)
  yield* converge(world, { withinMillis: planMillis, since: `${victim.name} was excluded`, without, also })
  yield* label(null)
})

const death: Probe = Effect.fnUntraced(function* (world, random, without) {
  const victim = victimOf(world, random)
  if (victim === undefined) return
  world.powerOff(victim)
  const also = () => namedOn(world, victim.name, without)
  yield* converge(world, { withinMillis: deathMillis, since: `${victim.name} lost power`, without, also })
  yield* untilDeathIsKnown
  world.powerOn(victim)
  yield* converge(world, { withinMillis: bootMillis, since: `${victim.name} booted`, without })
})

const remove: Probe = Effect.fnUntraced(function* (world, random, without) {
  const key = random.pick([...world.truth.services.keys()].filter((each) => !without.has(each)))
  if (key === undefined) return
  const [namespace = "", name = ""] = key.split("/")
  yield* asKubectl(world.kubectl.delete(services, { namespace, name }))
  yield* converge(world, { withinMillis: createMillis, since: `Service ${key} was deleted`, without })
})

/** What nobody could have before can be had now. One that was deleted, and gone too late for who waited to make it anew, is made now. */
const grow: Probe = (world, _, without) => {
  const grown = { addresses: ["192.0.2.1-192.0.2.120", "2001:db8::/120"] }
  const { kubectl, truth } = world
  const exists = truth.pools.has("PersistentIPPool/rack-1")
  return asKubectl(
    exists
      ? kubectl.patch(persistentIPPools, { name: "rack-1" }, { spec: grown })
      : kubectl.create(persistentIPPools, pool("rack-1", grown))
  ).pipe(Effect.andThen(converge(world, { withinMillis: createMillis, since: "the pool grew", without })))
}

const revert: Probe = (world, _, without) =>
  asKubectl(
    world.kubectl.patch(persistentIPPools, { name: badPool }, { spec: { addresses: ["203.0.113.200-203.0.113.209"] } })
  ).pipe(Effect.andThen(converge(world, { withinMillis: createMillis, since: "the bad pool was put right", without })))

/**
 * A CRD is replaced, and just then somebody takes an address out of a Service's status: it is shown again once the kind is
 * served again. Nothing else changes that would bring the Service back to anybody's mind.
 */
const unserved: Probe = Effect.fnUntraced(function* (world, random, without) {
  const { kubectl, resting, truth } = world
  const keys = [...truth.services].flatMap(([key, each]) =>
    shownBy(each).length > 0 && !without.has(key) ? [key] : []
  )
  const [namespace = "", name] = random.pick(keys)?.split("/") ?? []
  if (name === undefined) return
  const plural = ipAllocations.plural
  const reason = new NotFound({ kindMissing: true })
  resetWatches(world, (watch) => watch.plural === plural)
  const emptied = { status: { loadBalancer: { ingress: null } } }
  const missing = refused(world, "last-phase-unserved", undefined, unservedMillis, (request) =>
    request.plural === plural ? reason : undefined
  )
  const edit = asKubectl(kubectl.patch(services, { namespace, name }, emptied, { subresource: "status" }))
  yield* Effect.all([missing, edit], { concurrency: "unbounded", discard: true })
  const withinMillis = createMillis + resting.millis()
  // Whoever was refused something counts as hindered, and of a Service that nobody can hold nothing is demanded.
  yield* Effect.sleep(graceMillis + 1)
  yield* converge(world, { withinMillis, since: "IPAllocations were served again", without })
})

/** Of the servers, once a minute. */
const listed = ({ cloud }: World): Effect.Effect<void> => {
  const count = () => cloud.project.requests().get("GET /servers") ?? 0
  return Effect.suspend(() => {
    const before = count()
    return Effect.sleep(100).pipe(Effect.repeat({ while: () => count() === before }), Effect.timeoutOption(listMillis))
  })
}

/**
 * All machines lose power, and have it again just when their servers were listed as off: who renews its lease is not kept from
 * an address of a cloud by a list that is not read again for a minute.
 */
const blackout: Probe = Effect.fnUntraced(function* (world, _, without) {
  const on = world.hosts.filter(({ isOn }) => isOn)
  for (const host of on) world.powerOff(host)
  yield* untilDeathIsKnown
  yield* listed(world)
  for (const host of on) world.powerOn(host)
  const cloudMillis = routesMillis
  yield* converge(world, { withinMillis: bootMillis, cloudMillis, since: "all machines booted", without })
})

export const probes: ReadonlyArray<Probe> = [create, move, death, remove, grow, revert, unserved, blackout]
