/**
 * How an address that we buy is called at the provider, and labelled. The name is the same for each try of one claim, so that
 * one whose purchase was not answered is found again, and differs for a Service that is made anew under its name. Names and
 * label values are such that every provider takes them: lower case, digits and dashes, at most 63 characters.
 */
import type { Family } from "./Address.ts"

export interface Claim {
  /** UID of namespace kube-system: two clusters in one project never touch each other's addresses. */
  readonly cluster: string
  readonly namespace: string
  readonly service: string
  /** UID of the IPAllocation, which exists before anything is bought. */
  readonly uid: string
  readonly family: Family
}

const lengthMax = 63
/** 48 random bits of a version 4 UID (RFC 9562). */
const uidDigits = 12

export const nameOf = ({ family, namespace, service, uid }: Claim): string => {
  const end = `${family === "IPv4" ? "v4" : "v6"}-${uid.replaceAll("-", "").slice(0, uidDigits)}`
  const start = `plenuslb-${namespace}-${service}`.slice(0, lengthMax - end.length - 1)
  return `${start.replace(/-+$/, "")}-${end}`
}

/** `created`: we bought it and may return it. `adopted`: it was there, and stays. */
export type Ownership = "created" | "adopted"

export const labelsOf = ({ cluster, namespace, service, uid }: Claim, ownership: Ownership) => ({
  "managed-by": "plenuslb",
  cluster,
  namespace,
  service,
  claim: uid,
  ownership
})

/** By which an address is known to be the claim's own, bought by us. */
export const identifiedBy: ReadonlyArray<keyof ReturnType<typeof labelsOf>> = ["managed-by", "cluster", "claim"]
