/**
 * The ConfigMap `plenuslb-node-config`: what operators must know of the pools. They may not read the pools themselves,
 * which can hold a token.
 */
import { Schema } from "effect"
import type { ConfigMap } from "./ConfigMap.ts"
import { nodeConfigMapName } from "./Names.ts"
import { once } from "./Once.ts"

export const PoolNetwork = Schema.Struct({
  pool: Schema.String,
  interfaceName: Schema.String,
  mode: Schema.Literals(["auto", "bridge", "uplink"]),
  /** Empty: the interfaces of the default routes. */
  uplinks: Schema.Array(Schema.String),
  startupCleaning: Schema.Literals(["all", "ours"]),
  /** Absent: true. */
  flushConntrack: Schema.optionalKey(Schema.Boolean),
  /** Absent: true. */
  addressConflictDetection: Schema.optionalKey(Schema.Boolean),
  /** By a cloud provider, to the node; absent: no. */
  isRouted: Schema.optionalKey(Schema.Boolean),
  /** Absent: as is usual for what is routed, or is not (ControlPlaneLoss). */
  onControlPlaneLoss: Schema.optionalKey(Schema.Literals(["auto", "keep", "release"]))
})
export type PoolNetwork = typeof PoolNetwork.Type

/** A node that has registered and may hold addresses: who may vote for others, and where to ask. */
export const Member = Schema.Struct({
  node: Schema.String,
  /** Of the label `topology.kubernetes.io/zone`; empty: none. */
  zone: Schema.String,
  /** Absent: it has no address that is known, or does not vote. */
  peer: Schema.optionalKey(Schema.Struct({ host: Schema.String, port: Schema.Int }))
})
export type Member = typeof Member.Type

export const NodeConfig = Schema.Struct({
  pools: Schema.Array(PoolNetwork),
  /** Names of nodes that renew every p though they hold nothing; absent: all. */
  candidates: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Absent: nobody votes (`witness: off`). */
  members: Schema.optionalKey(Schema.Array(Member)),
  /** Hold ids that are fenced and have no successor yet: for voters that were not asked for it, or have forgotten. */
  fenced: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Hardware addresses of all nodes, in lower case: whose answer says nothing against the use of an address. */
  macs: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Some Node has said by its id which server it is: names prove no project of a cloud (ProjectTrust). For the controller. */
  nodesSayIds: Schema.optionalKey(Schema.Boolean),
  /** Set by `plenuslb uninstall`: every operator lets go of all addresses and says so in its NodeLease. */
  release: Schema.optionalKey(Schema.Boolean)
})
export type NodeConfig = typeof NodeConfig.Type

const dataKey = "config.json"
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(NodeConfig))

export const read = once((configMap: ConfigMap) => decode(configMap.data?.[dataKey] ?? ""))

export const write = (config: NodeConfig, namespace: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: nodeConfigMapName, namespace },
  data: { [dataKey]: JSON.stringify(config) }
})
