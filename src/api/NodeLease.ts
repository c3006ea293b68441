/**
 * What an operator says in the Lease of its node, as a record. The Lease itself is the object that is renewed by
 * compare-and-set; a controller writes it only to fence (`fenced`) or to clear away the tombstone of a node that is gone.
 */
import { Option, Result, Schema } from "effect"
import type { HoldId as HoldIdText } from "../domain/HoldId.ts"
import * as HoldId from "../domain/HoldId.ts"
import type { Voters } from "../domain/Witness.ts"
import type { Lease } from "./Lease.ts"
import { finalizer, nodeLeaseAnnotations as keys, nodeLeaseName, nodeLeaseNamePrefix } from "./Names.ts"
import { once, onceForText } from "./Once.ts"

/** By interface name, why it cannot hold addresses; empty text: it can. Absent: the node has no such interface. */
const Interfaces = Schema.Record(Schema.String, Schema.String)
export type InterfaceReadiness = typeof Interfaces.Type

const UnreachedVoters = Schema.Record(Schema.String, Schema.String)
export type Unreached = typeof UnreachedVoters.Type

/** HEALTH_PORT unless it is set. */
export const usualWitnessPort = 8080

/** What happens when the control plane is away (domain/Witness). */
export interface Witness {
  /** Itself first; empty: it keeps nothing by their word, and nobody need promise anything. */
  readonly voters: Voters
  /** Where others may ask it; undefined: it does not vote. */
  readonly witnessPort: number | undefined
}

export const noWitness: Witness = { voters: [], witnessPort: undefined }

export interface NodeLease extends Witness {
  readonly node: string
  /** `generation.random`; survives restarts of the operator on one boot. */
  readonly holdId: HoldIdText
  readonly bootId: string
  readonly systemUuid: string
  /** Names the process: two operators on one node tell each other apart by it. */
  readonly nonce: string
  /** Counts the writes of this process, so that a lost reply is recognised. */
  readonly attempt: number
  /** Announced duration in milliseconds: how long others must see no change before they may fence. */
  readonly durationMillis: number
  /** Hold id that a controller has fenced; the operator must take a new one before it serves again. */
  readonly fenced: string | undefined
  /** Hold id under which everything was let go in peace (shutdown). */
  readonly released: string | undefined
  /** By interface name: the interfaces that pools name and this node has. */
  readonly interfaces: InterfaceReadiness
  /** Which server of its cloud provider the machine is, as that tells it. */
  readonly instanceId: string | undefined
  /** Hardware addresses by which the node answers its neighbours. */
  readonly macs: ReadonlyArray<string>
  /** Why packets may go round its kernel's lease (domain/FenceBypass). */
  readonly bypassed?: string | undefined
  /** By voter, why it has not answered for minutes (operator/Reach). */
  readonly unreached?: Unreached | undefined
}

export const isNodeLease = (lease: Lease): boolean => lease.metadata.name.startsWith(nodeLeaseNamePrefix)

const decodeInterfaces = Schema.decodeUnknownOption(Schema.fromJsonString(Interfaces))

/** The text is the same in each renewal of a node, and in those of most others. */
const interfacesIn = onceForText(1_000, (text) =>
  Option.getOrElse(decodeInterfaces(text), (): InterfaceReadiness => ({}))
)

const decodeUnreached = Schema.decodeUnknownOption(Schema.fromJsonString(UnreachedVoters))

const unreachedIn = onceForText(1_000, (text) => Option.getOrUndefined(decodeUnreached(text)))

/** The same texts, too, in all renewals of a node. */
const listIn = onceForText(2_000, (text): ReadonlyArray<string> => [
  ...new Set(text.split(",").filter((each) => each !== ""))
])

const portIn = (text: string | undefined): number | undefined => {
  const port = Number(text ?? "")
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}

/** Undefined: not a NodeLease, or one without node or hold id (foreign content). */
export const read = once((lease: Lease): NodeLease | undefined => {
  const annotations = lease.metadata.annotations ?? {}
  const node = annotations[keys.node]
  const holdId = HoldId.parse(annotations[keys.holdId] ?? "")
  if (!isNodeLease(lease) || node === undefined || Result.isFailure(holdId)) return undefined
  const announced = Number(annotations[keys.durationMillis])
  return {
    node,
    holdId: holdId.success,
    bootId: annotations[keys.bootId] ?? "",
    systemUuid: annotations[keys.systemUuid] ?? "",
    nonce: annotations[keys.nonce] ?? "",
    attempt: Number(annotations[keys.attempt] ?? "0"),
    durationMillis: Number.isFinite(announced) ? announced : (lease.spec?.leaseDurationSeconds ?? 0) * 1000,
    fenced: annotations[keys.fenced],
    released: annotations[keys.released],
    interfaces: interfacesIn(annotations[keys.interfaces] ?? "{}"),
    instanceId: annotations[keys.instanceId],
    bypassed: annotations[keys.bypassed],
    unreached: unreachedIn(annotations[keys.unreached] ?? ""),
    macs: listIn(annotations[keys.macs] ?? ""),
    voters: listIn(annotations[keys.voters] ?? ""),
    witnessPort: portIn(annotations[keys.witnessPort])
  }
})

const annotationsOf = (content: NodeLease): { readonly [key: string]: string } => ({
  [keys.node]: content.node,
  [keys.holdId]: content.holdId,
  [keys.bootId]: content.bootId,
  [keys.systemUuid]: content.systemUuid,
  [keys.nonce]: content.nonce,
  [keys.attempt]: String(content.attempt),
  [keys.durationMillis]: String(content.durationMillis),
  [keys.interfaces]: JSON.stringify(content.interfaces),
  ...(content.macs.length === 0 ? {} : { [keys.macs]: content.macs.join(",") }),
  ...(content.bypassed === undefined ? {} : { [keys.bypassed]: content.bypassed }),
  ...(content.unreached === undefined ? {} : { [keys.unreached]: JSON.stringify(content.unreached) }),
  ...(content.voters.length === 0 ? {} : { [keys.voters]: content.voters.join(",") }),
  ...(content.witnessPort === undefined ? {} : { [keys.witnessPort]: String(content.witnessPort) }),
  ...(content.instanceId === undefined ? {} : { [keys.instanceId]: content.instanceId }),
  ...(content.fenced === undefined ? {} : { [keys.fenced]: content.fenced }),
  ...(content.released === undefined ? {} : { [keys.released]: content.released })
})

/** The Lease that carries `content`; `base` gives uid and resourceVersion, the preconditions of the write. */
export const write = (content: NodeLease, namespace: string, renewTime: string, base: Lease | undefined): Lease => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: {
    ...(base?.metadata ?? { name: nodeLeaseName(content.node), namespace, finalizers: [finalizer] }),
    annotations: annotationsOf(content)
  },
  spec: {
    holderIdentity: content.node,
    leaseDurationSeconds: Math.max(1, Math.ceil(content.durationMillis / 1000)),
    acquireTime: base?.spec?.acquireTime ?? renewTime,
    renewTime
  }
})
