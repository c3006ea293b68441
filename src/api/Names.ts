/**
 * Names that stand in a cluster: on objects of ours, on objects of others, and as objects. Each is a contract with what
 * is running (v0.4 included): a changed name is an upgrade problem.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import { type Address, toHex } from "../domain/Address.ts"
import { group } from "../domain/Annotations.ts"
import { onceForText } from "./Once.ts"

export const version = "v1alpha1"
export const apiVersion = `${group}/${version}`

/** On IPAllocations and pools. Never on a Service: its deletion is never blocked. */
export const finalizer = `${group}/cleanup`
/** Of Kubernetes' own service controller (k8s.io/cloud-provider, `LoadBalancerCleanupFinalizer`). */
export const serviceControllerFinalizer = "service.kubernetes.io/load-balancer-cleanup"
/** The value of `spec.loadBalancerClass` that is ours, unless configured otherwise. */
export const loadBalancerClass = `${group}/plenuslb`

/** On Nodes: id of the server that it is, where `spec.providerID` does not say so. */
export const hetznerServerId = `${group}/hetzner-server-id`

/**
 * On a Node: somebody says that its machine is off, and names the version of its NodeLease that this is about: one that is
 * renewed meanwhile is not fenced.
 */
export const fenceRequested = `${group}/fence-requested`

/** On an IPAllocation: `ADDRESS=NODE@EPOCH`, apart by commas; somebody asks for a planned move (domain/MoveRequest). */
export const moveTo = `${group}/move-to`

/** Annotations of a NodeLease (failover: parts). */
export const nodeLeaseAnnotations = {
  node: `${group}/node`,
  holdId: `${group}/hold-id`,
  bootId: `${group}/boot-id`,
  systemUuid: `${group}/system-uuid`,
  nonce: `${group}/nonce`,
  attempt: `${group}/attempt`,
  /** Comma list of node names, its own first: whom to ask when the control plane is away. Absent: nobody. */
  voters: `${group}/voters`,
  /** Where its operator answers what voters are asked; absent: it does not. */
  witnessPort: `${group}/witness-port`,
  /** JSON: interface name to the reason why it cannot hold addresses, empty when it can. */
  interfaces: `${group}/interfaces`,
  /** Comma list of the hardware addresses by which the node answers its neighbours. */
  macs: `${group}/macs`,
  /** What was found of its packets' way, if they may go round the kernel's lease; absent: nothing. */
  bypassed: `${group}/fence-bypassed`,
  /** JSON: voter to the reason why it has not answered for minutes; absent: all do. */
  unreached: `${group}/voters-unreached`,
  durationMillis: `${group}/duration-ms`,
  /** Which server of its cloud provider the machine is, as that tells it; absent: nobody says. */
  instanceId: `${group}/instance-id`,
  fenced: `${group}/fenced`,
  released: `${group}/released`
} as const

/**
 * 16 hex digits: a node name may have 253 characters, a label value 63 and a label name 63. Kept, since the labels of an
 * IPAllocation are worked out at each look at it, from the same few names.
 */
export const nodeHash = onceForText(10_000, (nodeName) => bytesToHex(sha256(utf8ToBytes(nodeName))).slice(0, 16))

/** Prefix of the IPAllocation labels that name the nodes which hold an address, or must still let go. */
export const nodeLabelPrefix = "node.loadbalancing.plenus.io/"
export const nodeLabel = (nodeName: string): string => `${nodeLabelPrefix}${nodeHash(nodeName)}`

/** Prefix of the IPAllocation labels that claim an address. */
export const addressLabelPrefix = "address.loadbalancing.plenus.io/"
/** `hex` is what `Address.toHex` gives: a label name allows no colon. */
export const addressLabelOfHex = (hex: string): string => `${addressLabelPrefix}${hex}`
export const addressLabel = (address: Address): string => addressLabelOfHex(toHex(address))

export const nodeLeaseNamePrefix = "plenuslb-node-"
export const nodeLeaseName = (nodeName: string): string => `${nodeLeaseNamePrefix}${nodeHash(nodeName)}`

/** As in v0.4, so that a controller of v0.4 and one of ours never lead at once. */
export const leaderLeaseName = "plenus.io-leader-lease"

export const controllerFieldManager = "plenuslb-controller"
/** Of a Service, and by a manager of its own: what it applies is the condition and nothing else, so all else stays. */
export const serviceConditionType = `${group}/Served`
export const serviceConditionFieldManager = "plenuslb-service-condition"
/** One per node: each operator applies, and thereby owns, its own entries of `status.addresses` only. */
export const operatorFieldManager = (nodeName: string): string => `plenuslb-operator-${nodeHash(nodeName)}`

export const daemonSetName = "plenuslb-operator"
/** The selector is immutable and must be v0.4's, or the object and every agent with it would have to go. */
export const daemonSetSelector = {
  "app.kubernetes.io/instance": daemonSetName,
  "app.kubernetes.io/name": daemonSetName
} as const
export const nodeConfigMapName = "plenuslb-node-config"
/** In our own namespace: the key that questions to voters are sealed with, as text under `witnessKey`. */
export const witnessSecretName = "plenuslb-witness"
export const witnessKey = "key"

/** Label of every IPAllocation, as v0.4 writes it. */
export const managedByLabel = "app.kubernetes.io/managed-by"
export const managedByValue = "plenuslb"
