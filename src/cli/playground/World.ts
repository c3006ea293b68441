/** Everything a scene of the story acts on and looks at. */
import { Clock, Effect, Result } from "effect"
import type { Scope } from "effect"
import type { IPAllocation } from "../../api/IPAllocation.ts"
import { ipAllocations } from "../../api/IPAllocation.ts"
import type { Service } from "../../api/Service.ts"
import { services } from "../../api/Service.ts"
import * as Address from "../../domain/Address.ts"
import type { Profile } from "../../domain/FailoverTimes.ts"
import { Kubernetes } from "../../ports/Kubernetes.ts"
import type { KubernetesError } from "../../ports/Kubernetes.ts"
import { refOf } from "../../reconcile/Reflector.ts"
import * as Cluster from "./Cluster.ts"
import { Expectations, NotAsTold } from "./Expectations.ts"
import { Ledger } from "./Ledger.ts"
import * as Manifests from "./Manifests.ts"
import * as Narrator from "./Narrator.ts"
import * as Probes from "./Probes.ts"
import type { Screen } from "./Screen.ts"

export interface Options {
  readonly profile: Profile
  readonly examples: ReadonlyArray<Manifests.Manifest>
}

export interface World {
  readonly cluster: Cluster.Cluster
  readonly screen: Screen
  readonly probes: Probes.Probes
  readonly ledger: Ledger
  readonly expectations: Expectations
  readonly examples: ReadonlyArray<Manifests.Manifest>
}

export const make = Effect.fnUntraced(function* (
  options: Options,
  screen: Screen
): Effect.fn.Return<World, KubernetesError, Scope.Scope> {
  const clock = yield* Clock.Clock
  const ledger = new Ledger(() => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n))
  const cluster = yield* Cluster.make({
    profile: options.profile,
    nodesCount: 3,
    replicasCount: 2,
    onRequest: (request) => ledger.onRequest(request),
    onAnnouncement: (node, { address, mac, uplink }) => {
      if (!ledger.onAnnouncement(node, address)) return
      screen.event(`${node}: gratuitous ARP on ${uplink}, "${address} is at ${mac}", the first of six in 30 s`)
    },
    onHeld: (node, { address, interfaceName }) => screen.event(`${node}: ${address} is put on ${interfaceName}`)
  })
  const unsubscribe = cluster.api.truth.subscribe((change) => {
    ledger.onChange(change, cluster.api)
    for (const line of Narrator.linesOf(change)) screen.event(line)
  })
  yield* Effect.addFinalizer(() => Effect.sync(unsubscribe))
  const probes = yield* Probes.make(cluster.segment)
  return { cluster, screen, probes, ledger, expectations: new Expectations(), examples: options.examples }
})

export const allocationOf = ({ cluster }: World, key: string): IPAllocation | undefined =>
  cluster.api.truth.get(ipAllocations, refOf(key))

export const serviceOf = ({ cluster }: World, key: string): Service | undefined =>
  cluster.api.truth.get(services, refOf(key))

/** The first address that the Service shows its users. */
export const shownAddress = (world: World, key: string): Address.Address | undefined => {
  const ip = serviceOf(world, key)?.status?.loadBalancer?.ingress?.[0]?.ip
  const parsed = ip === undefined ? undefined : Address.parse(ip)
  return parsed !== undefined && Result.isSuccess(parsed) ? parsed.success : undefined
}

export const holderOf = (world: World, key: string): string | undefined =>
  allocationOf(world, key)?.spec.allocations[0]?.nodeName

export const epochOf = (world: World, key: string): number => allocationOf(world, key)?.spec.allocations[0]?.epoch ?? 0

export const apply = Effect.fnUntraced(function* (world: World, manifest: Manifests.Manifest) {
  const applied = yield* Manifests.apply(manifest).pipe(Effect.provideService(Kubernetes, world.cluster.kubectl))
  for (const { kind, name, skipped } of applied) {
    if (skipped !== undefined) world.screen.event(`${kind} ${name} of ${manifest.file} is left out: ${skipped}`)
  }
})

export const example = (world: World, file: string): Effect.Effect<Manifests.Manifest, NotAsTold> => {
  const found = world.examples.find((each) => each.file === file)
  return found === undefined
    ? Effect.fail(new NotAsTold({ message: `the folder of examples has no ${file}` }))
    : Effect.succeed(found)
}

export const applyExample = Effect.fnUntraced(function* (world: World, file: string) {
  world.screen.heading(`        $ kubectl apply -f examples/${file}`)
  yield* apply(world, yield* example(world, file))
})
