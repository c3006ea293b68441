/**
 * Keeps the ConfigMap from which operators know the pools' interfaces, as they may not read the pools, which can hold a
 * token; which nodes are candidates; and whom they may name as their voters.
 */
import { Effect } from "effect"
import { configMaps } from "../api/ConfigMap.ts"
import type { EphemeralIPPool } from "../api/EphemeralIPPool.ts"
import { controllerFieldManager, nodeConfigMapName } from "../api/Names.ts"
import * as NodeConfig from "../api/NodeConfig.ts"
import type { PersistentIPPool } from "../api/PersistentIPPool.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import { writing } from "../reconcile/ReadBack.ts"
import { keyOf } from "../reconcile/Reflector.ts"
import { Caches } from "./Caches.ts"

const networkOf = (pool: PersistentIPPool | EphemeralIPPool): ReadonlyArray<NodeConfig.PoolNetwork> => {
  const options = pool.spec.options?.hostNetworkInterface
  if (options?.addAddressesToInterface !== true || options.interfaceName === undefined) return []
  const mode = options.mode ?? "auto"
  return [
    {
      pool: pool.metadata.name,
      interfaceName: options.interfaceName,
      mode,
      uplinks: options.uplinks ?? [],
      startupCleaning: options.startupCleaning ?? (mode === "uplink" ? "ours" : "all"),
      ...(options.flushConntrack === false ? { flushConntrack: false } : {}),
      ...(pool.spec.cloudIntegration === undefined ? {} : { isRouted: true })
    }
  ]
}

/** What operators are told of each other, and what a controller that starts must know of the Nodes. */
export type Nodes = Pick<NodeConfig.NodeConfig, "candidates" | "macs" | "members" | "nodesSayIds">

/** Sorted, so that the order in which pools were seen writes nothing. */
export const configOf = (pools: Iterable<PersistentIPPool | EphemeralIPPool>, nodes: Nodes): NodeConfig.NodeConfig => ({
  pools: [...pools].flatMap(networkOf).toSorted((a, b) => (a.pool < b.pool ? -1 : 1)),
  ...nodes
})

/** Writes when it differs; answers whether any pool wants operators. */
export const write = Effect.fn("NodeConfigWriter.write")(function* (namespace: string, nodes: Nodes) {
  const caches = yield* Caches
  const kubernetes = yield* Kubernetes
  const config = configOf([...caches.persistentPools.values(), ...caches.ephemeralPools.values()], nodes)
  const ref = { namespace, name: nodeConfigMapName }
  const wanted = NodeConfig.write(config, namespace)
  const present = caches.configMaps.get(keyOf(ref))
  if (JSON.stringify(present?.data) !== JSON.stringify(wanted.data)) {
    const apply = kubernetes.apply(configMaps, wanted, { fieldManager: controllerFieldManager, force: true })
    yield* writing(apply, configMaps, ref, caches.configMaps)
  }
  return config.pools.length > 0
})
