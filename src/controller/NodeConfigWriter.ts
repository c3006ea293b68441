/**
 * Keeps the ConfigMap from which operators know the pools' interfaces, as they may not read the pools, which can hold a
 * token; which nodes are candidates; and whom they may name as their voters.
 */
import { Effect, Result } from "effect"
import { type ConfigMap, configMaps } from "../api/ConfigMap.ts"
import type { EphemeralIPPool } from "../api/EphemeralIPPool.ts"
import { controllerFieldManager, nodeConfigMapName } from "../api/Names.ts"
import * as NodeConfig from "../api/NodeConfig.ts"
import type { PersistentIPPool } from "../api/PersistentIPPool.ts"
import * as ControlPlaneLoss from "../domain/ControlPlaneLoss.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import { writing } from "../reconcile/ReadBack.ts"
import { keyOf } from "../reconcile/Reflector.ts"
import { Caches } from "./Caches.ts"

const networkOf = (pool: PersistentIPPool | EphemeralIPPool): ReadonlyArray<NodeConfig.PoolNetwork> => {
  const options = pool.spec.options?.hostNetworkInterface
  if (options?.addAddressesToInterface !== true || options.interfaceName === undefined) return []
  const mode = options.mode ?? "auto"
  const isRouted = pool.spec.cloudIntegration !== undefined
  const loss = ControlPlaneLoss.lossOf(pool.spec.options?.onControlPlaneLoss, isRouted)
  return [
    {
      pool: pool.metadata.name,
      interfaceName: options.interfaceName,
      mode,
      uplinks: options.uplinks ?? [],
      startupCleaning: options.startupCleaning ?? (mode === "uplink" ? "ours" : "all"),
      ...(options.flushConntrack === false ? { flushConntrack: false } : {}),
      ...(options.addressConflictDetection === false ? { addressConflictDetection: false } : {}),
      ...(isRouted ? { isRouted } : {}),
      ...(loss === ControlPlaneLoss.lossOf(undefined, isRouted) ? {} : { onControlPlaneLoss: loss })
    }
  ]
}

/** What operators are told of each other, and what a controller that starts must know of the Nodes. */
export type Nodes = Pick<NodeConfig.NodeConfig, "candidates" | "fenced" | "macs" | "members" | "nodesSayIds">

/** Two pools, one of each kind, may have a name in common. */
const identityOf = ({ interfaceName, isRouted = false, pool }: NodeConfig.PoolNetwork): string =>
  JSON.stringify([pool, isRouted, interfaceName])

/**
 * Sorted, so that the order in which pools were seen writes nothing. `unread`: as they were told of before. A pool that cannot
 * be read is not a pool that is gone, and what it said of its addresses holds for those that are served. It may be among
 * `pools` all the same, as what was readable of it last: each is told once, or every write would be the cause of the next.
 */
export const configOf = (
  pools: Iterable<PersistentIPPool | EphemeralIPPool>,
  nodes: Nodes,
  unread: ReadonlyArray<NodeConfig.PoolNetwork> = []
): NodeConfig.NodeConfig => {
  const networks = [...unread, ...[...pools].flatMap(networkOf)]
  const byIdentity = new Map(networks.map((network) => [identityOf(network), network]))
  const sorted = [...byIdentity].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { pools: sorted.map(([, network]) => network), ...nodes }
}

/** Both kinds may share a name: what is routed can be of either, the rest of one alone. */
const toldOfUnread = (present: ConfigMap | undefined, { ephemeralPools, persistentPools }: Caches["Service"]) => {
  const told = present === undefined ? undefined : NodeConfig.read(present)
  if (told === undefined || Result.isFailure(told)) return []
  return told.success.pools.filter(
    ({ isRouted, pool }) =>
      persistentPools.undecodable.has(pool) || (isRouted === true && ephemeralPools.undecodable.has(pool))
  )
}

/** Writes when it differs; answers whether any pool wants operators. */
export const write = Effect.fnUntraced(function* (namespace: string, nodes: Nodes) {
  const caches = yield* Caches
  const kubernetes = yield* Kubernetes
  const ref = { namespace, name: nodeConfigMapName }
  const present = caches.configMaps.get(keyOf(ref))
  const pools = [...caches.persistentPools.values(), ...caches.ephemeralPools.values()]
  const config = configOf(pools, nodes, toldOfUnread(present, caches))
  const wanted = NodeConfig.write(config, namespace)
  if (JSON.stringify(present?.data) !== JSON.stringify(wanted.data)) {
    const apply = kubernetes.apply(configMaps, wanted, { fieldManager: controllerFieldManager, force: true })
    yield* writing(apply, configMaps, ref, caches.configMaps)
  }
  return config.pools.length > 0
})
