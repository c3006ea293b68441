/**
 * Why a Service has not (yet) the address that it wants. Data with a stable reason; the one sentence made of it is what
 * condition, event and `explain` print, so that all three say the same. Each names object, field, reason and remedy.
 */
import type { Address, Family } from "./Address.ts"
import { keepInUse, serviceAnnotations } from "./Annotations.ts"
import * as LabelSelector from "./LabelSelector.ts"
import type { PoolRef } from "./Pool.ts"

export interface ServiceName {
  readonly namespace: string
  readonly name: string
}

/** `address` stands where one address was asked for, and is absent where any would do. */
export type Refusal =
  | {
      readonly reason: "NamespaceNotAllowed"
      readonly pool: PoolRef
      readonly allowedNamespaces: ReadonlyArray<string>
      readonly selector?: LabelSelector.LabelSelector | undefined
      readonly address?: Address
    }
  | {
      readonly reason: "ServiceNotSelected"
      readonly pool: PoolRef
      readonly selector: LabelSelector.LabelSelector
      readonly address?: Address
    }
  | { readonly reason: "PoolDisabled" | "PoolDeleting"; readonly pool: PoolRef; readonly address?: Address }
  | { readonly reason: "PoolNotFound"; readonly name: string }
  | { readonly reason: "AddressNotInAnyPool"; readonly address: Address }
  | { readonly reason: "AddressRemovedFromPool"; readonly address: Address; readonly pool: string }
  /** Listed by a pool, but it is the cluster's own; `owner` says whose: `Node worker-1`. */
  | { readonly reason: "AddressReserved"; readonly address: Address; readonly pool: PoolRef; readonly owner: string }
  | { readonly reason: "AddressTaken"; readonly address: Address; readonly holder: ServiceName }
  | { readonly reason: "PoolExhausted"; readonly family: Family; readonly pools: ReadonlyArray<PoolRef> }
  | { readonly reason: "FamilyNotAvailable"; readonly family: Family; readonly pools: ReadonlyArray<PoolRef> }
  | {
      readonly reason: "FamilyNotRequested"
      readonly address: Address
      readonly families: ReadonlyArray<Family>
    }
  /** No address was asked for, and no pool gives one unasked; `others` would if their rules allowed it. */
  | { readonly reason: "NoPool"; readonly others: ReadonlyArray<PoolRef> }

/** What a pool's own rules may say, whichever address is asked for. */
export type RuleRefusal = Extract<
  Refusal,
  { readonly reason: "NamespaceNotAllowed" | "ServiceNotSelected" | "PoolDisabled" | "PoolDeleting" }
>

export const describe = (service: ServiceName, refusal: Refusal): string =>
  `${service.namespace}/${service.name} waits: ${sentence(service, refusal)}`

const sentence = (service: ServiceName, refusal: Refusal): string => {
  switch (refusal.reason) {
    case "NamespaceNotAllowed":
      return (
        `${has(refusal)}, but only for ${namespaces(refusal.allowedNamespaces, refusal.selector)}. ` +
        `Add "${service.namespace}" to spec.allowedNamespaces of ${title(refusal.pool)}, or ask for ${other(refusal)}.`
      )
    case "ServiceNotSelected":
      return (
        `${has(refusal)}, but only for Services with the labels ${LabelSelector.format(refusal.selector)} ` +
        `(spec.serviceSelector of ${title(refusal.pool)}). Label the Service so, or ask for ${other(refusal)}.`
      )
    case "PoolDisabled":
      return (
        `${has(refusal)}, but grants nothing new while spec.disabled is true. ` +
        `Set spec.disabled of ${title(refusal.pool)} to false, or ask for ${other(refusal)}.`
      )
    case "PoolDeleting":
      return (
        `${has(refusal)}, but is being deleted (metadata.deletionTimestamp) and grants nothing new. ` +
        `Create a pool with another name that lists it in spec.addresses, or ask for ${other(refusal)}.`
      )
    case "NoPool":
      return noPool(refusal.others)
    default:
      return sentenceOfAddress(service, refusal)
  }
}

type OfAddress = Exclude<Refusal, RuleRefusal | { readonly reason: "NoPool" }>

const sentenceOfAddress = (service: ServiceName, refusal: OfAddress): string => {
  switch (refusal.reason) {
    case "PoolNotFound":
      return (
        `its annotation ${serviceAnnotations.pool} names "${refusal.name}", and there is no pool of that name. ` +
        `Create it, or correct the annotation.`
      )
    case "AddressNotInAnyPool":
      return (
        `no PersistentIPPool lists ${refusal.address}. Add it to spec.addresses of a pool that allows namespace ` +
        `${service.namespace}, or ask for an address that a pool has.`
      )
    case "AddressRemovedFromPool":
      return (
        `${refusal.address} was removed from spec.addresses of pool ${refusal.pool} and is taken from the Service. ` +
        `Put it back, or ask for another address. (The annotation ${keepInUse}: "true" on the ` +
        `pool, set before the removal, keeps addresses in use.)`
      )
    case "AddressReserved":
      return (
        `pool ${refusal.pool.name} lists ${refusal.address}, which belongs to ${refusal.owner}. ` +
        `Remove it from spec.addresses of ${title(refusal.pool)} and ask for another address.`
      )
    case "AddressTaken":
      return (
        `${refusal.address} is held by Service ${refusal.holder.namespace}/${refusal.holder.name}. ` +
        `Delete that one or ask it for another address, or ask for another here.`
      )
    case "PoolExhausted":
      return (
        `${poolList(refusal.pools)} no free ${refusal.family} address left. ` +
        `Add some to spec.addresses, or delete a Service that holds one.`
      )
    case "FamilyNotAvailable":
      return (
        `spec.ipFamilies asks for ${refusal.family}, and ${poolList(refusal.pools)} no address of that family. ` +
        `Add some to spec.addresses, or take ${refusal.family} out of spec.ipFamilies.`
      )
    case "FamilyNotRequested":
      return (
        `it asks for ${refusal.address}, but its spec.ipFamilies is ${list(refusal.families)} only, so no node would ` +
        `forward that address. Set spec.ipFamilyPolicy to PreferDualStack, or ask for an address of its own family.`
      )
  }
}

const noPool = (others: ReadonlyArray<PoolRef>): string =>
  others.length === 0
    ? "it asks for no address, and no pool gives addresses unasked. Set spec.autoAssign of a PersistentIPPool to " +
      `true, or name an address or a pool in the annotations ${serviceAnnotations.addresses} or …/pool.`
    : `it asks for no address, and the rules of ${list(others.map((pool) => `pool ${pool.name}`))} do not admit it ` +
      "(spec.allowedNamespaces, spec.allowedNamespaceSelector, spec.serviceSelector, spec.disabled). Change them, or " +
      `name an address or another pool in the annotations ${serviceAnnotations.addresses} or …/pool.`

type WithPool = { readonly pool: PoolRef; readonly address?: Address }

const has = ({ pool, address }: WithPool): string =>
  address === undefined ? `pool ${pool.name} has addresses` : `pool ${pool.name} has ${address}`

const other = ({ address }: WithPool): string => (address === undefined ? "another pool" : "another address")

const title = (pool: PoolRef): string => `${pool.kind} ${pool.name}`

const poolList = (pools: ReadonlyArray<PoolRef>): string =>
  `${list(pools.map((pool) => `pool ${pool.name}`))} ${pools.length === 1 ? "has" : "have"}`

const namespaces = (allowed: ReadonlyArray<string>, selector: LabelSelector.LabelSelector | undefined): string => {
  const named = allowed.length === 0 ? [] : [`the namespace${allowed.length === 1 ? "" : "s"} ${list(allowed)}`]
  const selected = selector === undefined ? [] : [`namespaces with the labels ${LabelSelector.format(selector)}`]
  return [...named, ...selected].join(" and ")
}

/** "a, b and c". */
const list = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`
