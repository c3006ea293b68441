/** Which nodes can hold an address, by what the machines and their Node objects are, not by what an operator says. */
import type { Node } from "../api/Node.ts"
import * as LabelSelector from "../domain/LabelSelector.ts"
import type { GroundTruth, PoolTruth } from "./GroundTruth.ts"
import { isHindered } from "./Hindered.ts"

export const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers"
const lastTaints = ["node.kubernetes.io/out-of-service", "node.cloudprovider.kubernetes.io/shutdown"]

const isTrue = ({ status }: Node, type: string): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True")

export const mayHold = ({ metadata, spec, ...node }: Node, pool: PoolTruth): boolean =>
  metadata.deletionTimestamp === undefined &&
  !Object.hasOwn(metadata.labels ?? {}, excludeLabel) &&
  !(spec?.taints ?? []).some(({ key }) => lastTaints.includes(key)) &&
  spec?.unschedulable !== true &&
  isTrue({ metadata, ...node }, "Ready") &&
  !isTrue({ metadata, ...node }, "NetworkUnavailable") &&
  LabelSelector.matches(pool.spec.nodeSelector, metadata.labels)

/** Its machine runs, is on the segment, has the interface, and no fault keeps its operator from acting now. */
export const isAble = (truth: GroundTruth, node: string, interfaceName: string): boolean => {
  const machine = truth.nodes.get(node)
  return (
    machine !== undefined &&
    machine.isOn &&
    machine.isOnLan &&
    machine.interfaces.has(interfaceName) &&
    machine.impairedSince === undefined
  )
}

/** Able, and for long enough to have registered and to act as it was told meanwhile. */
export const isHealthy = (truth: GroundTruth, node: string, interfaceName: string): boolean =>
  isAble(truth, node, interfaceName) && !isHindered(truth, node)

export const someoneCanHold = (truth: GroundTruth, pool: PoolTruth, interfaceName: string): boolean =>
  [...truth.nodeObjects.values()].some(
    (node) => mayHold(node, pool) && isHealthy(truth, node.metadata.name, interfaceName)
  )
