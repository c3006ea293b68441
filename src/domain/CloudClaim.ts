/**
 * How an address that we buy is called at the provider, and labelled. The name is the same for each try of one claim, so that
 * one whose purchase was not answered is found again, and differs for a Service that is made anew under its name. Names and
 * label values are such that every provider takes them: lower case, digits and dashes, at most 63 characters.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import type { Family } from "./Address.ts"

export interface Claim {
  /** UID of namespace kube-system: two clusters in one project never touch each other's addresses. */
  readonly cluster: string
  /** What people call the cluster (`CLUSTER_NAME`); two may have the same, or none. */
  readonly clusterName: string
  readonly namespace: string
  readonly service: string
  /** UID of the IPAllocation, which exists before anything is bought. */
  readonly uid: string
  readonly family: Family
}

/** As v0.4's names begin. */
export const namePrefix = "plenuslb-ephemeral-"

const lengthMax = 63
const endDigits = 8
/** Of what says which cluster it is: "plenuslb-ephemeral-" and 20 characters of its name. */
const headMax = 39

const readable = (...parts: ReadonlyArray<string>): string =>
  parts
    .filter((part) => part !== "")
    .join("-")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")

/** Both ends tell most: of a namespace and a Service the namespace's first, which groups them, and the Service's last. */
const shortened = (text: string, max: number): string => {
  if (text.length <= max) return text
  const half = Math.floor((max - 1) / 2)
  return `${text.slice(0, half).replace(/-$/, "")}-${text.slice(-half).replace(/^-/, "")}`
}

/**
 * v0.4's name with an end of its own: v0.4's were ambiguous, and the same for a Service that was made anew. The cluster's name
 * is what v0.4 promised in it, so a long Service leaves it whole.
 */
export const nameOf = (claim: Claim): string => {
  const end = bytesToHex(sha256(utf8ToBytes(`${claim.uid}/${claim.family}`))).slice(0, endDigits)
  const head = shortened(readable(namePrefix, claim.clusterName).replace(/-$/, ""), headMax)
  const tail = shortened(readable(claim.namespace, claim.service), lengthMax - head.length - endDigits - 2)
  return `${head}-${tail}-${end}`
}

/** `created`: we bought it and may return it. `adopted`: it was there, and stays. */
export type Ownership = "created" | "adopted"

/** Names of our labels at the provider. */
export const labelNames = {
  managedBy: "managed-by",
  cluster: "cluster",
  namespace: "namespace",
  service: "service",
  claim: "claim",
  ownership: "ownership"
} as const

export const managedBy = "plenuslb"

export const labelsOf = ({ cluster, namespace, service, uid }: Claim, ownership: Ownership) => ({
  [labelNames.managedBy]: managedBy,
  [labelNames.cluster]: cluster,
  [labelNames.namespace]: namespace,
  [labelNames.service]: service,
  [labelNames.claim]: uid,
  [labelNames.ownership]: ownership
})

/** Undefined: it has no label of ours that says so. */
export const ownershipOf = (labels: { readonly [name: string]: string }): Ownership | undefined => {
  const text = labels[labelNames.ownership]
  return text === "created" || text === "adopted" ? text : undefined
}

/**
 * By which an address is known to be the claim's own, bought by us. The ownership too: what was adopted under the same claim is
 * not granted as bought, so a purchase that is content with it would be repeated at once, for ever.
 */
export const identifiedBy: ReadonlyArray<string> = [
  labelNames.managedBy,
  labelNames.cluster,
  labelNames.claim,
  labelNames.ownership
]
