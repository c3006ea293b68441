/**
 * What a change of the API server's truth means to a person, as lines. Pure: object before, object after, sentences.
 * Renewals, conditions that say that all is well and other noise give none.
 */
import { Option, Schema } from "effect"
import { EphemeralIPPool } from "../../api/EphemeralIPPool.ts"
import { IPAllocation } from "../../api/IPAllocation.ts"
import { Lease } from "../../api/Lease.ts"
import { leaderLeaseName } from "../../api/Names.ts"
import * as NodeLease from "../../api/NodeLease.ts"
import { PersistentIPPool } from "../../api/PersistentIPPool.ts"
import { Service } from "../../api/Service.ts"
import * as ServiceRequest from "../../domain/ServiceRequest.ts"
import type { Change } from "../../memory/kubernetes/Store.ts"

type Lines = ReadonlyArray<string>

/** Both states, decoded; undefined: there is none, or it does not decode. */
interface Pair<A> {
  readonly before: A | undefined
  readonly after: A | undefined
}

const nameOf = ({
  metadata
}: {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined }
}) => (metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`)

const ofLease = ({ after, before }: Pair<Lease>): Lines => {
  if (after === undefined) return []
  if (after.metadata.name === leaderLeaseName) {
    const holder = after.spec?.holderIdentity ?? ""
    return holder === "" || holder === before?.spec?.holderIdentity
      ? []
      : [`${holder} leads: it writes ${leaderLeaseName}; the other replica keeps its caches warm`]
  }
  const content = NodeLease.read(after)
  const old = before === undefined ? undefined : NodeLease.read(before)
  if (content === undefined) return []
  const seconds = content.durationMillis / 1000
  return [
    ...(old?.holdId === content.holdId
      ? []
      : [
          `${content.node}: operator registered under hold id ${content.holdId}; others may fence it after ${seconds} s`
        ]),
    ...(content.fenced === undefined || content.fenced === old?.fenced
      ? []
      : [`${content.node} is fenced: hold id ${content.fenced}, by compare-and-set of the lease that it did not renew`])
  ]
}

const interfaceOf = (pool: PersistentIPPool | EphemeralIPPool): string => {
  const options = pool.spec.options?.hostNetworkInterface
  return options?.addAddressesToInterface === true ? `, held on interface ${options.interfaceName ?? "(none)"}` : ""
}

const degradation = (pool: PersistentIPPool | EphemeralIPPool | undefined): string | undefined => {
  const found = pool?.status?.conditions?.find(({ type, status }) => type === "Degraded" && status === "True")
  return found === undefined ? undefined : `${found.reason}: ${found.message}`
}

const ofPool = ({ after, before }: Pair<PersistentIPPool | EphemeralIPPool>, kind: string): Lines => {
  if (after === undefined) return []
  const addresses = "addresses" in after.spec ? `: ${after.spec.addresses.join(", ")}` : ""
  const trouble = degradation(after)
  return [
    ...(before === undefined ? [`${kind} ${nameOf(after)}${addresses}${interfaceOf(after)}`] : []),
    ...(trouble === undefined || trouble === degradation(before)
      ? []
      : [`${kind} ${nameOf(after)} is Degraded, ${trouble}`])
  ]
}

const shownBy = (service: Service | undefined): string =>
  (service?.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? "").join(", ")

const ofService = ({ after, before }: Pair<Service>): Lines => {
  if (after === undefined) return before === undefined ? [] : [`Service ${nameOf(before)} is deleted`]
  const shown = shownBy(after)
  if (before !== undefined) {
    return shown === shownBy(before) ? [] : [`Service ${nameOf(after)} shows ${shown === "" ? "no address" : shown}`]
  }
  const { request } = ServiceRequest.readRequest(after)
  const wanted = request.addresses.join(", ")
  return [`Service ${nameOf(after)} asks for ${wanted === "" ? "any address" : wanted}`]
}

const grants = ({ after, before }: Pair<IPAllocation>): Lines =>
  (after?.spec.allocations ?? []).flatMap((entry) => {
    const old = before?.spec.allocations.find(({ address }) => address === entry.address)
    const name = after === undefined ? "" : nameOf(after)
    if (entry.address === "")
      return old === undefined ? [`${name}: an address is to be bought by pool ${entry.pool}`] : []
    const granted = old === undefined ? [`${name}: ${entry.address} granted from pool ${entry.pool}`] : []
    if (entry.nodeName === undefined || entry.nodeName === old?.nodeName) return granted
    const epoch = `epoch ${entry.epoch ?? 0}`
    return old?.nodeName === undefined
      ? [...granted, `${name}: ${entry.address} is to be held by ${entry.nodeName}, ${epoch}`]
      : [`${name}: ${entry.address} moves from ${old.nodeName} to ${entry.nodeName}, ${epoch} (was ${old.epoch ?? 0})`]
  })

const acknowledgements = ({ after, before }: Pair<IPAllocation>): Lines =>
  (after?.status?.addresses ?? []).flatMap((entry) => {
    const same = before?.status?.addresses?.some(
      (old) => old.address === entry.address && old.node === entry.node && old.phase === entry.phase
    )
    if (same === true) return []
    return [
      `${entry.node} reports: ${entry.phase.toLowerCase()} ${entry.address} under ${entry.holdId ?? "no hold id"}, ` +
        `epoch ${entry.epoch ?? 0}`
    ]
  })

const ofAllocation = (pair: Pair<IPAllocation>): Lines => {
  const { after, before } = pair
  if (after === undefined) return before === undefined ? [] : [`IPAllocation ${nameOf(before)} is gone`]
  const message = after.status?.message ?? ""
  const waits = after.status?.state !== "success" && message !== "" && message !== before?.status?.message
  const name = nameOf(after)
  const told = `${message} (state ${after.status?.state ?? "pending"})`
  return [
    ...grants(pair),
    ...acknowledgements(pair),
    ...(waits ? [told.includes(name) ? told : `${name}: ${told}`] : [])
  ]
}

const decoding = <A>(schema: Schema.Codec<A, unknown>, tell: (pair: Pair<A>) => Lines) => {
  const decode = Schema.decodeUnknownOption(schema)
  const decoded = (json: unknown): A | undefined =>
    json === undefined ? undefined : Option.getOrUndefined(decode(json))
  return ({ after, before }: Change): Lines => tell({ before: decoded(before), after: decoded(after) })
}

const ofDaemonSet = ({ after, before }: Change): Lines =>
  before === undefined && after !== undefined ? ["DaemonSet plenuslb-operator: an operator starts on each node"] : []

const tellers: { readonly [collection: string]: (change: Change) => Lines } = {
  "coordination.k8s.io/leases": decoding(Lease, ofLease),
  "loadbalancing.plenus.io/persistentippools": decoding(PersistentIPPool, (pair) => ofPool(pair, "PersistentIPPool")),
  "loadbalancing.plenus.io/ephemeralippools": decoding(EphemeralIPPool, (pair) => ofPool(pair, "EphemeralIPPool")),
  "loadbalancing.plenus.io/ipallocations": decoding(IPAllocation, ofAllocation),
  "/services": decoding(Service, ofService),
  "apps/daemonsets": ofDaemonSet
}

export const linesOf = (change: Change): Lines => tellers[change.collection]?.(change) ?? []
