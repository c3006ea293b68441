/**
 * What follows the time of faults. All heals, or a core heals and the rest stays broken for ever (L5), or all heals and one
 * object fails for ever (L6): within the bounds, all that can be served is (L1 to L3). Then each disturbance alone, whose
 * own bound is known only when nothing else goes on. Every tenth seed ends with quiet minutes, in which nothing may be
 * asked of the API but renewals (L4, S11).
 */
import { Effect } from "effect"
import { isOurs } from "../invariants/Actors.ts"
import { orphansIn, sweptMillis } from "../invariants/Clouds.ts"
import { announcedBeyondMillis, announcedMillis } from "../invariants/Registrations.ts"
import * as NodeLease from "../api/NodeLease.ts"
import { services } from "../api/Service.ts"
import { isPromised } from "../domain/Witness.ts"
import { Denied, Unavailable } from "../ports/Kubernetes.ts"
import { converge, type Demand } from "./Convergence.ts"
import { type Court, Stopped } from "./Court.ts"
import type { Prng } from "./kernel/Prng.ts"
import { deathMillis, listMillis, probes, untilDeathIsKnown } from "./Probes.ts"
import { lastService } from "./Oddities.ts"
import type { Host } from "./world/Host.ts"
import { times } from "./world/Programs.ts"
import type { World } from "./world/World.ts"

/** The longest pause that the loops which are no keys leave behind: watches, leases. */
const pauseMillis = 30_000
/** For what is done once the last key that was refused is tried again. */
const doneMillis = 1_000
/** What was converged may still be told: states that wait a second, events, retries of both. */
const settlingMillis = 60_000
const quietMillis = 600_000

/** Of seven voters three may die at once and what the fourth held still moves; beyond that a person must say who is dead. */
const deathsMax = 3

/** Whether the living may promise for each of the dead, whose lists of voters are as they left them. */
const canBeTakenOver = (dead: ReadonlySet<string>, { hosts, truth }: World): boolean => {
  const living = new Set(hosts.map(({ name }) => name).filter((name) => !dead.has(name)))
  return [...truth.leases.values()].every((lease) => {
    const content = NodeLease.read(lease)
    return content === undefined || !dead.has(content.node) || isPromised(content.voters, content.node, living)
  })
}

/** Any, but no more than the living can take over from. */
const restOf = (world: World, count: number, random: Prng): ReadonlyArray<Host> => {
  const rest: Array<Host> = []
  for (const host of random.shuffled(world.hosts)) {
    const dead = new Set([...rest, host].map(({ name }) => name))
    if (rest.length < count && canBeTakenOver(dead, world)) rest.push(host)
  }
  return rest
}

/** A voter that is dead is named for a minute more; until then it counts among those that may die at once. */
const forgottenMillis = 70_000

/**
 * Kept away from the core for ever: fewer than half of the nodes and of any voters, and at most all controllers but one.
 * Answers whether it is anybody.
 */
const breakRest = (world: World, random: Prng): boolean => {
  const { controllers, hosts, operators, story } = world
  const count = random.between(0, Math.min(deathsMax, Math.max(0, Math.ceil(hosts.length / 2) - 1)))
  const rest = restOf(world, count, random)
  for (const host of rest) {
    if (random.chance(0.5)) {
      world.powerOff(host)
      continue
    }
    for (const post of operators.filter((each) => each.host === host)) {
      post.mayRun = false
      post.kill()
    }
  }
  const [, ...spare] = random.shuffled(controllers)
  for (const post of spare) {
    if (!random.chance(0.5)) continue
    post.mayRun = false
    post.kill()
  }
  story.note("last-phase-core")
  story.tell(`for ever without ${rest.map(({ name }) => name).join(", ")}`)
  return rest.length > 0
}

/** Every write for one Service fails, in one way or another, for ever. */
const failNeighbour = Effect.fnUntraced(function* (world: World) {
  const { kubectl, links, story } = world
  links.faults.set("neighbour", ({ method, name }, random) => {
    if (name !== "neighbour" || method === "get" || method === "list") return undefined
    const refuse = random.chance(0.5)
      ? new Denied({ status: 403, message: "admission webhook" })
      : new Unavailable({ message: "503" })
    return { delayMillis: random.between(1, 3_000), refuse }
  })
  const { metadata } = yield* Effect.orDie(kubectl.create(services, lastService(world, "neighbour")))
  story.note("last-phase-neighbour")
  return new Set([`${metadata.namespace}/${metadata.name}`])
})

/** Requests of our programs that change something and renew no lease, to the API and to the provider. */
const writeRequestsOf = ({ cloud, memory }: World): number => {
  let count = 0
  for (const [key, times] of memory.requests()) {
    const [user = "", method = "", plural = ""] = key.split(" ")
    if (isOurs(user) && !["get", "list", "watch"].includes(method) && plural !== "leases") count += times
  }
  for (const [route, times] of cloud.project.requests()) if (!route.startsWith("GET ")) count += times
  return count
}

/** What somebody left at the provider, or two leaders at once, is still to be swept. */
const untilSwept = (world: World): Effect.Effect<void, Stopped> => {
  const also = () =>
    orphansIn(world.truth).map(({ network }) => ({ invariant: "L3", message: `${network} is not given back` }))
  return converge(world, { withinMillis: sweptMillis, since: "nothing was done any more", also })
}

const stayQuiet = Effect.fnUntraced(function* (world: World, court: Court): Effect.fn.Return<void, Stopped> {
  yield* untilSwept(world)
  // A machine that has just booted may not have registered yet: with it come candidates, and nodes for what had none.
  yield* Effect.sleep(settlingMillis + announcedMillis(world.truth.leases.values()))
  const before = writeRequestsOf(world) + court.takeoversCount
  const lastBefore = court.lastWrite
  yield* Effect.sleep(quietMillis)
  const count = writeRequestsOf(world) + court.takeoversCount - before
  if (count === 0) return
  const what = court.lastWrite === lastBefore ? "changed nothing" : `the last: ${court.lastWrite}`
  const message = `${count} writes in ${quietMillis / 60_000} minutes in which nobody did anything; ${what}`
  return yield* Effect.fail(new Stopped("liveness", [{ invariant: "L4", message }]))
})

/** A node whose server somebody has just made or renamed gets nothing of the cloud before that is read. */
const untilServersAreKnown = ({ cloud, kernel }: World): Effect.Effect<void> =>
  Effect.sleep(Math.max(0, cloud.serversChangedMillis + listMillis - kernel.nowMillis))

/**
 * What is demanded may be so at once, by chance, while programs still start and leases run out. It must still be so when
 * they had their time, and only then does a probe disturb nothing but what was at rest.
 */
const convergeAndRest = Effect.fnUntraced(function* (world: World, demand: Demand): Effect.fn.Return<void, Stopped> {
  const untilMillis = world.kernel.nowMillis + demand.withinMillis
  yield* converge(world, demand)
  yield* Effect.sleep(Math.max(0, untilMillis - world.kernel.nowMillis))
  yield* converge(world, { ...demand, withinMillis: 0 })
})

export const lastPhase = Effect.fnUntraced(function* (
  world: World,
  court: Court,
  { isQuiet, random }: { readonly isQuiet: boolean; readonly random: Prng }
): Effect.fn.Return<void, Stopped> {
  const kind = random.pick(["all", "all", "core", "neighbour"])
  const withinMillis = Math.max(pauseMillis, world.resting.millis() + doneMillis)
  // A node that died while its operator was being replaced is waited for as long as that one announced.
  const longerMillis = () => announcedBeyondMillis(world.truth.leases.values(), times.quietMillis)
  if (kind === "core") {
    const isAnybodyDead = breakRest(world, random)
    yield* untilDeathIsKnown
    yield* Effect.sleep(longerMillis())
    yield* convergeAndRest(world, { withinMillis, since: "the death of the rest could be known" })
    // The probes kill one more.
    if (isAnybodyDead) yield* Effect.sleep(forgottenMillis)
  } else {
    yield* convergeAndRest(world, {
      withinMillis: withinMillis + deathMillis + longerMillis(),
      since: "the last fault"
    })
  }
  yield* untilServersAreKnown(world)
  const without = kind === "neighbour" ? yield* failNeighbour(world) : new Set<string>()
  for (const probe of probes) {
    if (random.chance(0.5)) yield* probe(world, random, without)
  }
  court.look()
  if (isQuiet && kind !== "neighbour") yield* stayQuiet(world, court)
  court.look()
})
