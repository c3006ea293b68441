/**
 * What a Service asks for, read from spec and annotations. Total: what cannot be understood becomes a problem with a
 * sentence, costs only itself, and everything else is read all the same.
 */
import { Result } from "effect"
import * as Address from "./Address.ts"
import * as AddressRange from "./AddressRange.ts"
import { group, serviceAnnotations as annotation } from "./Annotations.ts"
import type { Labels } from "./LabelSelector.ts"

const known: ReadonlyArray<string> = Object.values(annotation)

/** What is read of a Service. */
export interface ServiceObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string | undefined
    readonly uid?: string | undefined
    readonly labels?: Labels | undefined
    readonly annotations?: Labels | undefined
  }
  readonly spec: {
    readonly type?: string | undefined
    readonly loadBalancerClass?: string | undefined
    readonly externalIPs?: ReadonlyArray<string> | undefined
    readonly loadBalancerIP?: string | undefined
    readonly ipFamilies?: ReadonlyArray<string> | undefined
    readonly ipFamilyPolicy?: string | undefined
    readonly externalTrafficPolicy?: string | undefined
  }
}

export interface ClassRules {
  /** Services without a class are ours, too. */
  readonly defaultLoadBalancer: boolean
  readonly loadBalancerClass: string
}

export const isOurs = (spec: ServiceObject["spec"], rules: ClassRules): boolean =>
  spec.type === "LoadBalancer" &&
  (spec.loadBalancerClass === undefined
    ? rules.defaultLoadBalancer
    : spec.loadBalancerClass === rules.loadBalancerClass)

export interface ServiceRequest {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly labels: Labels
  /** Asked for by name, each once, in the order of asking. Not empty: these and no others. */
  readonly addresses: ReadonlyArray<Address.Address>
  /** Asked for by annotation, of either kind. */
  readonly pool?: string | undefined
  /** One address of each. Empty (no ipFamilies, as for some headless Services): one of either, IPv4 if there is one. */
  readonly families: ReadonlyArray<Address.Family>
  /** A second family that no pool has is then no reason to wait. */
  readonly prefersDualStack: boolean
  /** The holder must have a ready endpoint. */
  readonly localTraffic: boolean
  readonly preferredNode?: string | undefined
  /** What a cloud is to answer who asks for the name of its addresses; in lower case. */
  readonly reverseName?: string | undefined
}

export interface RequestProblem {
  readonly reason:
    | "MalformedAddress"
    | "TooManyAddresses"
    | "MalformedAnnotation"
    | "UnknownAnnotation"
    | "PoolAnnotationIgnored"
    | "SharingNotYetSupported"
  /** `warning`: the Service gets what it asks for otherwise; `refusal`: a part of its wish cannot be met. */
  readonly severity: "warning" | "refusal"
  readonly message: string
}

export const readRequest = (
  service: ServiceObject
): { readonly request: ServiceRequest; readonly problems: ReadonlyArray<RequestProblem> } => {
  const { metadata, spec } = service
  const annotations = metadata.annotations ?? {}
  const wanted = readAddresses(service)
  const pool = nonBlank(annotations[annotation.pool])
  const request: ServiceRequest = {
    namespace: metadata.namespace ?? "default",
    name: metadata.name,
    uid: metadata.uid ?? "",
    labels: metadata.labels ?? {},
    addresses: wanted.addresses,
    pool,
    families: (spec.ipFamilies ?? []).filter((family) => family === "IPv4" || family === "IPv6"),
    prefersDualStack: spec.ipFamilyPolicy === "PreferDualStack",
    localTraffic: spec.externalTrafficPolicy === "Local",
    preferredNode: nonBlank(annotations[annotation.preferredNode]),
    reverseName: reverseNameIn(annotations[annotation.reverseDns])
  }
  return { request, problems: [...wanted.problems, ...annotationProblems(service, request)] }
}

/** Labels of RFC 1123, at least two. */
const hostName = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

const reverseNameIn = (text: string | undefined): string | undefined => {
  const name = nonBlank(text)?.toLowerCase().replace(/\.$/, "")
  return name !== undefined && hostName.test(name) ? name : undefined
}

const nonBlank = (text: string | undefined): string | undefined => {
  const trimmed = text?.trim()
  return trimmed === undefined || trimmed === "" ? undefined : trimmed
}

/** externalIPs first: v0.4's way, and where both name an address its order stays. */
const readAddresses = (
  service: ServiceObject
): { readonly addresses: ReadonlyArray<Address.Address>; readonly problems: ReadonlyArray<RequestProblem> } => {
  const { metadata, spec } = service
  const addresses = new Set<Address.Address>()
  const problems: Array<RequestProblem> = []
  const read = (field: string, text: string): void => {
    if (problems.length >= PROBLEMS_MAX) return
    const parsed = Address.parse(text)
    if (Result.isFailure(parsed)) {
      problems.push(malformed(service, field, parsed.failure))
      return
    }
    const unusable = AddressRange.unusable(AddressRange.single(parsed.success))
    if (unusable === undefined) addresses.add(parsed.success)
    else
      problems.push(
        malformed(service, field, `"${text}" lies in ${unusable}. Write an address that clients can reach.`)
      )
  }
  for (const [index, text] of (spec.externalIPs ?? []).entries()) read(`spec.externalIPs[${index}]`, text)
  const list = nonBlank(metadata.annotations?.[annotation.addresses])
  for (const text of list?.split(",") ?? []) read(`annotation ${annotation.addresses}`, text.trim())
  const single = nonBlank(spec.loadBalancerIP)
  if (single !== undefined) read("spec.loadBalancerIP", single)
  if (addresses.size > ADDRESSES_MAX) problems.push(tooMany(service, addresses.size))
  return { addresses: [...addresses].slice(0, ADDRESSES_MAX), problems }
}

/** Fewer than `Hold.ENTRIES_MAX`: while a Service changes what it asks for, what goes stands beside what comes. */
const ADDRESSES_MAX = 200

/** Who has made so many mistakes is told of the first; an annotation may hold 130,000, which take more than a second to describe. */
const PROBLEMS_MAX = 100

const tooMany = (service: ServiceObject, count: number): RequestProblem => ({
  reason: "TooManyAddresses",
  severity: "refusal",
  message:
    `${title(service)} asks for ${count} addresses (spec.externalIPs, annotation ${annotation.addresses}), and one ` +
    `Service can have ${ADDRESSES_MAX}: the others are not granted. Ask for them with further Services.`
})

const malformed = (service: ServiceObject, field: string, why: string): RequestProblem => ({
  reason: "MalformedAddress",
  severity: "refusal",
  message: `${title(service)}, ${field}: ${why}`
})

const title = ({ metadata }: ServiceObject): string => `Service ${metadata.namespace ?? "default"}/${metadata.name}`

const annotationProblems = (service: ServiceObject, request: ServiceRequest): ReadonlyArray<RequestProblem> => {
  const annotations = service.metadata.annotations ?? {}
  const warnings: Array<RequestProblem> = []
  const warn = (reason: RequestProblem["reason"], key: string, what: string): void => {
    warnings.push({ reason, severity: "warning", message: `${title(service)}, annotation ${key}: ${what}` })
  }
  for (const key of Object.keys(annotations).toSorted()) {
    if (!key.startsWith(`${group}/`)) continue
    if (!known.includes(key)) {
      warn("UnknownAnnotation", key, `there is none of that name for Services. Write one of ${known.join(", ")}.`)
    } else if (nonBlank(annotations[key]) === undefined) {
      warn("MalformedAnnotation", key, "it is empty and means nothing. Give it a value, or remove it.")
    }
  }
  if (nonBlank(annotations[annotation.allowSharedIp]) !== undefined) {
    const what = "this version does not share addresses yet. Remove it, and ask for an address of the Service's own."
    warn("SharingNotYetSupported", annotation.allowSharedIp, what)
  }
  const reverse = nonBlank(annotations[annotation.reverseDns])
  if (reverse !== undefined && request.reverseName === undefined) {
    const what = `"${reverse}" is no host name. Write one like mail.example.com.`
    warn("MalformedAnnotation", annotation.reverseDns, what)
  }
  if (request.pool !== undefined && request.addresses.length > 0) {
    const what = `"${request.pool}" is not asked, because the Service names addresses. Remove the one or the other.`
    warn("PoolAnnotationIgnored", annotation.pool, what)
  }
  return warnings
}
