/**
 * The story of the playground, scene by scene. Each scene acts as a user or as fate, and waits for what must follow; what
 * does not follow ends the story with a sentence.
 */
import { Effect } from "effect"
import { ephemeralIPPools } from "../../api/EphemeralIPPool.ts"
import { daemonSets } from "../../api/DaemonSet.ts"
import { daemonSetName } from "../../api/Names.ts"
import { namespaces } from "../../api/Namespace.ts"
import { nodes } from "../../api/Node.ts"
import { services } from "../../api/Service.ts"
import { refOf } from "../../reconcile/Reflector.ts"
import { NAMESPACE } from "./Cluster.ts"
import { NotAsTold } from "./Expectations.ts"
import { allocationOf, applyExample, apply, epochOf, holderOf, serviceOf, shownAddress } from "./World.ts"
import type { World } from "./World.ts"

/** The Services of the story, by key; the first two stand in `examples/`. */
export const byExternalIp = "default/hello-kubernetes-persistent"
export const byAnnotation = "default/hello-kubernetes"
export const byPool = "web/shop"
const bought = "default/edge"
export const refused = "default/guest"

const manifestOf = (key: string, wish: string): string => {
  const { name, namespace } = refOf(key)
  return [
    "apiVersion: v1",
    "kind: Service",
    `metadata: { name: ${name}, namespace: ${namespace ?? "default"}${wish} }`,
    "spec: { type: LoadBalancer, ports: [{ port: 80 }], selector: { app: demo } }"
  ].join("\n")
}

const untilServed = (world: World, keys: ReadonlyArray<string>) =>
  world.expectations.until(
    `${keys.join(", ")}: a client gets an answer from the address that the Service shows`,
    Effect.sync(() =>
      keys.every((key) => {
        const address = shownAddress(world, key)
        if (address === undefined) return false
        world.probes.watch(address)
        return world.probes.seen(address)?.answeredBy === holderOf(world, key)
      })
    )
  )

const untilWaiting = (world: World, key: string, reason: string) =>
  world.expectations.until(
    `${key} waits, and says why (${reason})`,
    Effect.sync(() => (allocationOf(world, key)?.status?.message ?? "").includes(reason))
  )

const start = Effect.fnUntraced(function* ({ cluster, expectations, screen }: World) {
  screen.heading("\nTwo replicas of the controller start; one leads.")
  yield* expectations.until(
    "exactly one of two replicas leads",
    Effect.map(
      Effect.forEach(cluster.replicas, ({ controller }) => controller.isLeader),
      (leads) => leads.filter(Boolean).length === 1
    )
  )
})

const deployOperators = Effect.fnUntraced(function* (world: World) {
  const { cluster, expectations, screen } = world
  screen.heading("\nThe first pool that puts addresses on an interface brings the operators, one on each node.")
  yield* applyExample(world, "auto-assign.yaml")
  yield* expectations.until(
    "the DaemonSet of the operators appears",
    Effect.sync(() => cluster.api.truth.get(daemonSets, { namespace: NAMESPACE, name: daemonSetName }) !== undefined)
  )
  yield* expectations.until(
    "the operator of each node is ready",
    Effect.map(cluster.operatorsReady, (ready) => ready === cluster.nodeNames.length)
  )
})

const waitForPool = Effect.fnUntraced(function* (world: World) {
  world.screen.heading("\nA Service that asks for an address which no pool has: it waits, and says for what.")
  yield* applyExample(world, "service-annotation.yaml")
  yield* untilWaiting(world, byAnnotation, "192.0.2.11")
  world.screen.heading("\nThe pool comes, with another Service: both are served.")
  yield* applyExample(world, "bare-metal.yaml")
  yield* untilServed(world, [byAnnotation, byExternalIp])
})

const serveFromPool = Effect.fnUntraced(function* (world: World) {
  const { cluster, expectations, ledger, screen } = world
  screen.heading(
    "\nA Service that asks for nothing in particular gets the first free address of a pool with autoAssign."
  )
  yield* cluster.kubectl.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "web" } })
  yield* apply(world, { file: "shop", text: manifestOf(byPool, "") })
  yield* untilServed(world, [byPool])
  const writes = ledger.writesUntilShown.get(byPool) ?? 0
  screen.event(
    `${byPool} cost ${writes} writes: IPAllocation (controller), its status (operator), Service (controller)`
  )
  yield* expectations.check("a Service costs three writes from create to served", writes === 3)
})

const refuse = Effect.fnUntraced(function* (world: World) {
  const { screen } = world
  screen.heading("\nA pool for some namespaces only, and a Service of another one that asks for its address.")
  yield* applyExample(world, "reserved-namespaces.yaml")
  yield* apply(world, {
    file: "guest",
    text: manifestOf(refused, ", annotations: { loadbalancing.plenus.io/addresses: 192.0.2.12 }")
  })
  yield* untilWaiting(world, refused, "namespace")
})

/** Name of the server to which the provider routes the address. */
const routedTo = ({ cluster: { project } }: World, address: string | undefined): string | undefined => {
  const found = project.truth.floatingIps().find(({ ip }) => ip === address)
  return project.truth.servers().find(({ id }) => id === found?.server)?.name
}

const buy = Effect.fnUntraced(function* (world: World) {
  const { cluster, expectations, probes, screen } = world
  screen.heading("\nA pool of Hetzner Cloud (a project in memory): a floating IP is bought for a Service, and routed.")
  yield* applyExample(world, "hetzner-ephemeral.yaml")
  yield* expectations.until(
    "the pool has read its project",
    Effect.sync(() =>
      cluster.api.truth
        .list(ephemeralIPPools)
        .some(({ status }) => status?.conditions?.some(({ reason }) => reason === "Accepted"))
    )
  )
  yield* apply(world, { file: "edge", text: manifestOf(bought, "") })
  yield* untilServed(world, [bought])
  const address = shownAddress(world, bought)
  screen.event(`the provider routes ${address ?? "nothing"} to ${routedTo(world, address) ?? "no server"}`)
  yield* expectations.check(
    "the provider routes it to its holder",
    routedTo(world, address) === holderOf(world, bought)
  )
  screen.heading("        $ kubectl delete service edge")
  if (address !== undefined) probes.stop(address)
  yield* cluster.kubectl.delete(services, refOf(bought))
  yield* expectations.until(
    `${bought} is gone, and its floating IP given back`,
    Effect.sync(() => allocationOf(world, bought) === undefined && cluster.project.truth.floatingIps().length === 0)
  )
})

export interface Move {
  readonly from: string
  readonly to: string
  /** For how long the lease had not changed when the node was fenced. */
  readonly fencedAfterMillis: number
}

/** On a terminal the line is overwritten; in a file a line every other second is enough. */
const countdown = ({ cluster, ledger, screen }: World, node: string, everyMillis: number) => {
  let told = -everyMillis
  return Effect.sync(() => {
    const quiet = ledger.quietMillis(node)
    if (quiet - told < everyMillis || quiet < 1000) return
    told = quiet
    const limit = (cluster.times.quietMillis / 1000).toFixed(1)
    screen.progress(`the lease of ${node} has not changed for ${(quiet / 1000).toFixed(1)} of ${limit} s`)
  })
}

const powerOff = Effect.fnUntraced(function* (world: World, isTerminal: boolean) {
  const { cluster, expectations, ledger, screen } = world
  const address = shownAddress(world, byExternalIp)
  const from = holderOf(world, byExternalIp)
  if (address === undefined || from === undefined) return yield* new NotAsTold({ message: "nobody holds the address" })
  const limit = cluster.times.quietMillis
  screen.heading(
    `\n${from}, which holds ${address}, loses its power: operator and network are gone, without a word.\n` +
      `No kubelet is asked. Both replicas count for how long its lease does not change; after ${limit / 1000} s it may serve no more.`
  )
  yield* cluster.powerOff(from)
  screen.event(`${from} is off; the client's neighbour table still names it`)
  yield* expectations.until(
    `${from} is fenced`,
    Effect.sync(() => ledger.fencedAfterMillis(from) !== undefined),
    countdown(world, from, isTerminal ? 100 : 2000)
  )
  const fencedAfterMillis = ledger.fencedAfterMillis(from) ?? 0
  yield* expectations.check(`no fence before the lease was unchanged for ${limit} ms`, fencedAfterMillis >= limit)
  const ready = cluster.api.truth.get(nodes, { name: from })?.status?.conditions?.[0]?.status === "True"
  yield* expectations.check("the move does not wait for Kubernetes, for which the node is still Ready", ready)
  return { address, from, fencedAfterMillis }
})

const move = Effect.fnUntraced(function* (world: World, isTerminal: boolean) {
  const { cluster, expectations, ledger, probes, screen } = world
  const epoch = epochOf(world, byExternalIp)
  const version = serviceOf(world, byExternalIp)?.metadata.resourceVersion
  const { address, fencedAfterMillis, from } = yield* powerOff(world, isTerminal)
  yield* expectations.until(
    `${address} is moved to another node, under a higher epoch`,
    Effect.sync(() => holderOf(world, byExternalIp) !== from && epochOf(world, byExternalIp) > epoch)
  )
  const to = holderOf(world, byExternalIp) ?? ""
  yield* expectations.until(
    `${to} announces ${address} and answers the client`,
    Effect.sync(() => ledger.wasAnnounced(to, address) && probes.seen(address)?.answeredBy === to)
  )
  const outage = ((probes.seen(address)?.outageMillis ?? 0) / 1000).toFixed(2)
  screen.event(
    `the client has its answers back, from ${to}: the outage was ${outage} s (the count begins at the last renewal, ` +
      `up to ${cluster.times.renewMillis / 1000} s before the power went)`
  )
  yield* expectations.until(
    `${to} reports that it serves ${address}`,
    Effect.sync(
      () =>
        allocationOf(world, byExternalIp)?.status?.addresses?.some(
          (entry) => entry.node === to && entry.phase === "Serving" && entry.epoch === epochOf(world, byExternalIp)
        ) ?? false
    )
  )
  const unchanged = serviceOf(world, byExternalIp)?.metadata.resourceVersion === version
  yield* expectations.check("the Service was not written: its address is the same, wherever it is held", unchanged)
  screen.event(`Service ${byExternalIp} was not touched; ${cluster.nodeNames.length - 1} nodes hold what three held`)
  return { from, to, fencedAfterMillis } satisfies Move
})

const remove = Effect.fnUntraced(function* (world: World) {
  const { cluster, expectations, probes, screen } = world
  const address = shownAddress(world, byPool)
  screen.heading("\nA Service is deleted: its address leaves the node, then its IPAllocation goes.")
  screen.heading("        $ kubectl delete service -n web shop")
  if (address !== undefined) probes.stop(address)
  yield* cluster.kubectl.delete(services, refOf(byPool))
  yield* expectations.until(
    `nothing is left of ${byPool}: no IPAllocation, no address on a node`,
    Effect.sync(
      () =>
        allocationOf(world, byPool) === undefined &&
        (address === undefined || cluster.segment.holders(address).length === 0)
    )
  )
})

/** What nobody may have seen at any time of the story. `spared`: Services that were not on the dead node. */
const verify = Effect.fnUntraced(function* (world: World, spared: ReadonlyArray<string>) {
  const seen = (key: string) => {
    const address = shownAddress(world, key)
    return address === undefined ? undefined : world.probes.seen(address)
  }
  yield* world.expectations.check(
    "no address was on two live nodes at any probe",
    [byExternalIp, byAnnotation].every((key) => seen(key)?.twiceHeldCount === 0)
  )
  yield* world.expectations.check(
    "Services on other nodes lost no probe",
    spared.every((key) => seen(key)?.lostCount === 0)
  )
})

export const tell = Effect.fnUntraced(function* (world: World, isTerminal: boolean) {
  yield* start(world)
  yield* deployOperators(world)
  yield* waitForPool(world)
  yield* serveFromPool(world)
  yield* refuse(world)
  yield* buy(world)
  const spared = [byAnnotation].filter((key) => holderOf(world, key) !== holderOf(world, byExternalIp))
  const moved = yield* move(world, isTerminal)
  yield* remove(world)
  yield* verify(world, spared)
  return moved
})
