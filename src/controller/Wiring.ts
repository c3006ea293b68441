/**
 * Which change concerns whom (no scans): a Service or IPAllocation its own key; a pool the keys that hold one of its
 * addresses and those that wait for pools; a node or NodeLease the keys that name the node and those that wait for one.
 * The books follow the caches here, within the handlers, so that no reader ever sees one without the other.
 */
import { Effect, Result } from "effect"
import { type ConfigMap, configMaps } from "../api/ConfigMap.ts"
import type { DaemonSet } from "../api/DaemonSet.ts"
import { daemonSets } from "../api/DaemonSet.ts"
import { endpointSlices } from "../api/EndpointSlice.ts"
import type { EphemeralIPPool } from "../api/EphemeralIPPool.ts"
import { ephemeralIPPools } from "../api/EphemeralIPPool.ts"
import type { IPAllocation } from "../api/IPAllocation.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import type { KubernetesObject, ResourceType } from "../api/KubernetesObject.ts"
import type { Lease } from "../api/Lease.ts"
import { leases } from "../api/Lease.ts"
import type { Namespace } from "../api/Namespace.ts"
import { namespaces } from "../api/Namespace.ts"
import type { Node } from "../api/Node.ts"
import { nodes } from "../api/Node.ts"
import type { PersistentIPPool } from "../api/PersistentIPPool.ts"
import { persistentIPPools } from "../api/PersistentIPPool.ts"
import { services } from "../api/Service.ts"
import type { ServiceCIDR } from "../api/ServiceCIDR.ts"
import { serviceCIDRs } from "../api/ServiceCIDR.ts"
import { hetznerServerId, nodeConfigMapName } from "../api/Names.ts"
import * as NodeConfig from "../api/NodeConfig.ts"
import * as NodeLease from "../api/NodeLease.ts"
import type { PoolKind } from "../domain/Pool.ts"
import type { NodeIdentity } from "../ports/Cloud.ts"
import * as Reflector from "../reconcile/Reflector.ts"
import type { Adoption } from "./Adoption.ts"
import type { Books } from "./Books.ts"
import { Caches } from "./Caches.ts"
import * as FenceBypassed from "./FenceBypassed.ts"
import type { NodeBook } from "./NodeBook.ts"
import * as PoolReconciler from "./PoolReconciler.ts"
import { reservedOf, serviceNetworkOf } from "./ReservedAddresses.ts"
import * as Unreadable from "./Unreadable.ts"
import * as VotersUnreached from "./VotersUnreached.ts"
import * as Waiting from "./Waiting.ts"

/** Queues do not exist before the caches that feed them: handlers add to these sinks, which are bound later. */
export interface Sinks {
  service: (key: string) => void
  pool: (key: string) => void
  /** Pools whose cloud is to be looked at. */
  project: (poolKey: string) => void
  deployment: () => void
  operatorPods: () => void
  unreadable: (key: string) => void
}

export const newSinks = (): Sinks => ({
  service: () => {},
  pool: () => {},
  project: () => {},
  deployment: () => {},
  operatorPods: () => {},
  unreadable: () => {}
})

export interface Wiring {
  readonly adoption: Adoption
  readonly books: Books
  readonly nodeBook: NodeBook
  readonly sinks: Sinks
  readonly nowMillis: () => number
}

type AnyPool = PersistentIPPool | EphemeralIPPool

/** Its status, which we write ourselves, concerns nobody. */
const poolIsSame = (before: AnyPool | undefined, after: AnyPool | undefined): boolean =>
  before !== undefined &&
  after !== undefined &&
  before.metadata.uid === after.metadata.uid &&
  before.metadata.generation === after.metadata.generation &&
  before.metadata.deletionTimestamp === after.metadata.deletionTimestamp &&
  JSON.stringify(before.metadata.annotations) === JSON.stringify(after.metadata.annotations)

/** What of a Node matters to holders, as text to compare: its heartbeat changes none of it. */
const placementFactsOf = (node: Node | undefined): string =>
  JSON.stringify([
    node?.metadata.uid,
    node?.metadata.labels,
    node?.metadata.annotations?.[hetznerServerId],
    node?.metadata.deletionTimestamp,
    node?.spec,
    node?.status?.addresses,
    node?.status?.conditions?.map(({ status, type }) => `${type}=${status}`)
  ])

const wakeAll = (sinks: Sinks, keys: Iterable<string>): void => {
  for (const key of keys) sinks.service(key)
}

const onPool = (kind: PoolKind, { books, sinks }: Wiring): Reflector.Handlers<AnyPool> => {
  const concerns = (name: string) => {
    for (const other of books.pools.keys()) sinks.pool(other)
    sinks.deployment()
    sinks.project(PoolReconciler.keyOfPool(kind, name))
    wakeAll(sinks, books.keysByPool.get(name))
    wakeAll(sinks, books.waiting.all("pools"))
  }
  return {
    onChange: ({ after, before, key }) => {
      sinks.pool(PoolReconciler.keyOfPool(kind, key))
      const wasUnreadable = books.unreadablePools.delete(`${kind}/${key}`)
      if (poolIsSame(before, after) && !wasUnreadable) return
      books.onPool(kind, key, after)
      concerns(key)
    },
    onUndecodable: (key) => {
      books.unreadablePools.add(`${kind}/${key}`)
      wakeAll(sinks, books.keysByPool.get(key))
    },
    onUndecodableGone: (key) => {
      books.unreadablePools.delete(`${kind}/${key}`)
      concerns(key)
    }
  }
}

const onAllocation = ({ adoption, books, nodeBook, nowMillis, sinks }: Wiring): Reflector.Handlers<IPAllocation> => {
  const tellPools = (keys: ReadonlySet<string>) => {
    for (const pool of keys) {
      sinks.pool(PoolReconciler.keyOfPool("PersistentIPPool", pool))
      sinks.pool(PoolReconciler.keyOfPool("EphemeralIPPool", pool))
    }
  }
  /** With more addresses more nodes are candidates. */
  const shares = () => Math.ceil(books.heldCount / nodeBook.candidates.policy.addressesPerNode)
  const adopt = (key: string, after: IPAllocation | undefined) => {
    if (adoption.onAllocation(key, after, nowMillis())) sinks.deployment()
  }
  return {
    onChange: ({ after, before, key }) => {
      const sharesBefore = shares()
      books.onAllocation({ key, after })
      if (shares() !== sharesBefore) sinks.deployment()
      books.occupied.onAllocation({ before, after }, nowMillis())
      adopt(key, after)
      sinks.service(key)
      const pools = [before, after].flatMap((each) => each?.spec.allocations.map(({ pool }) => pool) ?? [])
      tellPools(new Set(pools))
    },
    onUndecodable: (key, { metadata }) => {
      books.onUnreadableAllocation(key, metadata)
      for (const pool of books.pools.keys()) sinks.pool(pool)
    },
    onUndecodableGone: (key) => {
      books.onAllocation({ key, after: undefined })
      for (const pool of books.pools.keys()) sinks.pool(pool)
      sinks.service(key)
    }
  }
}

/** A pool's address may have become the cluster's own, or be its own no more. */
const reservedChanged = ({ books, sinks }: Pick<Wiring, "books" | "sinks">): void => {
  for (const pool of books.pools.keys()) sinks.pool(pool)
  wakeAll(sinks, books.waiting.all("pools"))
}

const onServiceCIDR = (wiring: Wiring): Reflector.Handlers<ServiceCIDR> => ({
  onChange: ({ after, key }) => {
    const reserved = after === undefined ? [] : serviceNetworkOf(after)
    if (wiring.books.addresses.onReserved(`ServiceCIDR/${key}`, reserved)) reservedChanged(wiring)
  }
})

const identityOf = ({ metadata, spec }: Node): NodeIdentity => ({
  name: metadata.name,
  providerId: spec?.providerID,
  serverId: metadata.annotations?.[hetznerServerId],
  labels: metadata.labels
})

const lookAtClouds = ({ books, sinks }: Pick<Wiring, "books" | "sinks">): void => {
  for (const [pool, known] of books.pools) if (known.pool.cloud !== undefined) sinks.project(pool)
}

const onNode = ({ books, nodeBook, nowMillis, sinks }: Wiring): Reflector.Handlers<Node> => ({
  onChange: ({ after, before, key }) => {
    const wasUnreadable = nodeBook.unreadable.has(key)
    nodeBook.onNode(key, after, nowMillis())
    if (placementFactsOf(before) === placementFactsOf(after) && !wasUnreadable) return
    if (after === undefined) books.clouds.forgetNode(key)
    else books.clouds.identities.set(key, identityOf(after))
    lookAtClouds({ books, sinks })
    if (books.onNode(key, after, reservedOf)) reservedChanged({ books, sinks })
    // Operators are told of the nodes that vote.
    sinks.deployment()
    wakeAll(sinks, books.keysByNode.get(key))
    wakeAll(sinks, books.waiting.all("nodes"))
  },
  onUndecodable: (key) => void nodeBook.unreadable.add(key),
  onUndecodableGone: (key) => {
    nodeBook.unreadable.delete(key)
    wakeAll(sinks, books.keysByNode.get(key))
  }
})

/** What the machine says of itself; true: that is news. */
const learnInstance = ({ clouds }: Books, { after, before }: Reflector.Change<Lease>): boolean => {
  const [said, old] = [after, before].map((lease) => (lease === undefined ? undefined : NodeLease.read(lease)))
  const { instanceId, node = old?.node ?? "" } = said ?? {}
  if (clouds.instanceIds.get(node) === instanceId) return false
  if (instanceId === undefined) clouds.instanceIds.delete(node)
  else clouds.instanceIds.set(node, instanceId)
  return true
}

const onLease = (
  { books, nodeBook, nowMillis, sinks }: Wiring,
  allocationOf: (key: string) => IPAllocation | undefined
): Reflector.Handlers<Lease> => ({
  onHeard: () => nodeBook.leases.onHeard(nowMillis()),
  onChange: (change) => {
    if (learnInstance(books, change)) lookAtClouds({ books, sinks })
    const changed = nodeBook.onLease(change, nowMillis())
    if (FenceBypassed.isNews(change) || VotersUnreached.isNews(change))
      for (const pool of books.pools.keys()) sinks.pool(pool)
    if (changed === undefined) return
    sinks.deployment()
    // What a fenced holder reported claims nothing any more.
    for (const key of books.keysByNode.get(changed)) {
      const after = allocationOf(key)
      if (after !== undefined) books.onAllocation({ key, after })
      sinks.service(key)
    }
    wakeAll(sinks, books.waiting.all("nodes"))
  },
  onSynced: (listing) => nodeBook.onLeasesListed(listing, nowMillis())
})

const onNamespace = ({ books, sinks }: Wiring): Reflector.Handlers<Namespace> => ({
  onChange: ({ after, before, key }) => {
    if (JSON.stringify(before?.metadata.labels) === JSON.stringify(after?.metadata.labels)) return
    wakeAll(sinks, books.waiting.all(Waiting.namespaceTopic(key)))
  }
})

/** One that is gone or cannot be read says nothing: operators go on by what they read last, too. */
const onConfigMap = ({ books, nodeBook, nowMillis, sinks }: Wiring): Reflector.Handlers<ConfigMap> => ({
  onChange: ({ after }) => {
    sinks.deployment()
    const read = after?.metadata.name === nodeConfigMapName ? NodeConfig.read(after) : undefined
    if (read === undefined || Result.isFailure(read)) return
    if (read.success.nodesSayIds === true) books.clouds.noteSaidIds()
    if (nodeBook.onCandidates(read.success.candidates, nowMillis())) wakeAll(sinks, books.waiting.all("nodes"))
  }
})

/** Its status tells whether the operators run. */
const onDaemonSet = ({ sinks }: Wiring): Reflector.Handlers<DaemonSet> => ({
  onChange: () => {
    sinks.deployment()
    sinks.operatorPods()
  }
})

export const makeCaches = Effect.fnUntraced(function* (wiring: Wiring, namespace: string) {
  const { sinks } = wiring
  const own = { namespace }
  /** Every kind tells of what it cannot read. */
  const follow = <A extends KubernetesObject>(
    type: ResourceType<A>,
    handlers: Reflector.Handlers<A>,
    selection: { readonly namespace?: string } = {}
  ) =>
    Reflector.make({
      ...handlers,
      type,
      selection,
      onUndecodable: (key, undecodable) => {
        handlers.onUndecodable?.(key, undecodable)
        sinks.unreadable(Unreadable.keyOf(type.plural, key))
      },
      onUndecodableOver: (key) => sinks.unreadable(Unreadable.keyOf(type.plural, key))
    })
  const allocations = yield* follow(ipAllocations, onAllocation(wiring))
  return Caches.of({
    services: yield* follow(services, {
      onChange: ({ key }) => sinks.service(key),
      onUndecodableGone: (key) => sinks.service(key)
    }),
    allocations,
    persistentPools: yield* follow(persistentIPPools, onPool("PersistentIPPool", wiring)),
    ephemeralPools: yield* follow(ephemeralIPPools, onPool("EphemeralIPPool", wiring)),
    nodes: yield* follow(nodes, onNode(wiring)),
    namespaces: yield* follow(namespaces, onNamespace(wiring)),
    endpointSlices: yield* follow(endpointSlices, {
      onChange: (change) => wakeAll(sinks, wiring.books.endpoints.onSlice(change))
    }),
    serviceCIDRs: yield* Reflector.make({ ...onServiceCIDR(wiring), type: serviceCIDRs, mayBeMissing: true }),
    leases: yield* follow(leases, onLease(wiring, allocations.get), own),
    configMaps: yield* follow(configMaps, onConfigMap(wiring), own),
    daemonSets: yield* follow(daemonSets, onDaemonSet(wiring), own)
  })
})
