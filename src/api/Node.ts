/** The parts of a Node that decide whether it may hold addresses, and which addresses are its own. */
import { Schema } from "effect"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"

export const Taint = Schema.Struct({
  key: Schema.String,
  value: Schema.optionalKey(Schema.String),
  effect: Schema.String
})
export type Taint = typeof Taint.Type

export const NodeCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  reason: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  lastTransitionTime: Schema.optionalKey(Schema.String)
})
export type NodeCondition = typeof NodeCondition.Type

export const Node = Schema.Struct({
  ...objectFields,
  spec: Schema.optionalKey(
    Schema.Struct({
      providerID: Schema.optionalKey(Schema.String),
      podCIDR: Schema.optionalKey(Schema.String),
      podCIDRs: Schema.optionalKey(Schema.Array(Schema.String)),
      taints: Schema.optionalKey(Schema.Array(Taint)),
      /** Cordoned. */
      unschedulable: Schema.optionalKey(Schema.Boolean)
    })
  ),
  status: Schema.optionalKey(
    Schema.Struct({
      addresses: Schema.optionalKey(Schema.Array(Schema.Struct({ type: Schema.String, address: Schema.String }))),
      conditions: Schema.optionalKey(Schema.Array(NodeCondition)),
      nodeInfo: Schema.optionalKey(
        Schema.Struct({
          bootID: Schema.optionalKey(Schema.String),
          systemUUID: Schema.optionalKey(Schema.String),
          machineID: Schema.optionalKey(Schema.String),
          operatingSystem: Schema.optionalKey(Schema.String),
          kernelVersion: Schema.optionalKey(Schema.String),
          kubeletVersion: Schema.optionalKey(Schema.String)
        })
      )
    })
  )
})
export type Node = typeof Node.Type

export const nodes: ResourceType<Node> = {
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  namespaced: false,
  schema: Node
}
