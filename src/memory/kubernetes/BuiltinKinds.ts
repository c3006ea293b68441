/** The kinds of Kubernetes itself that we read or write. Schemas go as deep as apply and the conformance suite need. */
import { Schema } from "effect"
import type { FieldError } from "./FieldError.ts"
import { fieldError } from "./FieldError.ts"
import type { JsonObject } from "./Json.ts"
import { at, isObject, objectAt, textAt, withMetadata } from "./Json.ts"
import type { Kind } from "./Kind.ts"
import { collectionOf, wholeObject } from "./Kind.ts"
import type { OpenApiSchema } from "./OpenApiSchema.ts"
import { anything } from "./OpenApiSchema.ts"
import * as ServiceKind from "./ServiceKind.ts"

const text: OpenApiSchema = { type: "string" }
const integer: OpenApiSchema = { type: "integer" }
const texts: OpenApiSchema = { type: "object", additionalProperties: text }
/** metav1.MicroTime: exactly six decimals. */
const microTime: OpenApiSchema = {
  type: "string",
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}(Z|[+-]\\d\\d:\\d\\d)$"
}

const keyed = (...keys: ReadonlyArray<string>): OpenApiSchema => ({
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": keys,
  items: anything
})

const open = (properties: OpenApiSchema["properties"]): OpenApiSchema => ({
  type: "object",
  ...(properties === undefined ? {} : { properties }),
  "x-kubernetes-preserve-unknown-fields": true
})

const builtin = (
  group: string,
  kind: string,
  plural: string,
  properties: { readonly [key: string]: OpenApiSchema },
  more: Partial<Kind> = {}
): Kind => ({
  group,
  version: "v1",
  plural,
  kind,
  namespaced: true,
  schema: wholeObject({ properties }),
  hasStatus: false,
  isCustom: false,
  hasGeneration: false,
  nameIsLabel: false,
  createOnReplace: false,
  statusOnCreate: false,
  ...more
})

const podSpec = open({
  containers: { ...keyed("name"), items: open({ env: keyed("name"), volumeMounts: keyed("mountPath") }) },
  initContainers: { ...keyed("name"), items: open({ env: keyed("name"), volumeMounts: keyed("mountPath") }) },
  volumes: keyed("name"),
  imagePullSecrets: keyed("name")
})

const leaseRefusals = (object: JsonObject): ReadonlyArray<FieldError> => {
  const duration = at(object, "spec", "leaseDurationSeconds")
  const transitions = at(object, "spec", "leaseTransitions")
  const errors: Array<FieldError> = []
  if (typeof duration === "number" && duration <= 0)
    errors.push(fieldError("spec.leaseDurationSeconds", `Invalid value: ${duration}: must be greater than 0`))
  if (typeof transitions === "number" && transitions < 0)
    errors.push(
      fieldError("spec.leaseTransitions", `Invalid value: ${transitions}: must be greater than or equal to 0`)
    )
  return errors
}

const completeNamespace = (object: JsonObject): JsonObject => {
  const named = withMetadata(object, {
    labels: {
      ...objectAt(object, "metadata", "labels"),
      "kubernetes.io/metadata.name": textAt(object, "metadata", "name") ?? ""
    }
  })
  return { spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" }, ...named }
}

/** As the API server does at once, and its controllers some milliseconds later: names accepted, kind served. */
const completeDefinition = (object: JsonObject): JsonObject => ({
  ...object,
  status: {
    conditions: ["NamesAccepted", "Established"].map((type) => ({ type, status: "True" })),
    acceptedNames: objectAt(object, "spec", "names")
  }
})

export const customResourceDefinitions: Kind = builtin(
  "apiextensions.k8s.io",
  "CustomResourceDefinition",
  "customresourcedefinitions",
  { spec: anything, status: anything },
  { namespaced: false, hasGeneration: true, complete: completeDefinition }
)

const leases: Kind = builtin(
  "coordination.k8s.io",
  "Lease",
  "leases",
  {
    spec: {
      type: "object",
      properties: {
        holderIdentity: text,
        leaseDurationSeconds: integer,
        acquireTime: microTime,
        renewTime: microTime,
        leaseTransitions: integer,
        strategy: text,
        preferredHolder: text
      }
    }
  },
  { createOnReplace: true, complete: (object) => ({ spec: {}, ...object }), refusals: leaseRefusals }
)

export const namespaces: Kind = builtin(
  "",
  "Namespace",
  "namespaces",
  { spec: anything, status: open({ conditions: keyed("type") }) },
  { namespaced: false, hasStatus: true, nameIsLabel: true, complete: completeNamespace }
)

const services: Kind = builtin("", "Service", "services", ServiceKind.properties, {
  hasStatus: true,
  nameIsLabel: true,
  createOnReplace: true,
  complete: ServiceKind.complete,
  refusals: ServiceKind.refusals
})

const toBase64 = Schema.encodeSync(Schema.StringFromBase64)

/** What is written as text is kept in base64, and never read back as text. */
const completeSecret = ({ stringData, ...secret }: JsonObject): JsonObject => {
  if (!isObject(stringData)) return secret
  const encoded = Object.entries(stringData).map(([key, value]) => [key, toBase64(String(value))])
  return { ...secret, data: { ...(isObject(secret["data"]) ? secret["data"] : {}), ...Object.fromEntries(encoded) } }
}

const secrets: Kind = builtin(
  "",
  "Secret",
  "secrets",
  { data: texts, stringData: texts, type: text, immutable: { type: "boolean" } },
  { complete: completeSecret }
)

const kinds: ReadonlyArray<Kind> = [
  builtin("", "ConfigMap", "configmaps", { data: texts, binaryData: texts, immutable: { type: "boolean" } }),
  secrets,
  leases,
  namespaces,
  services,
  customResourceDefinitions,
  builtin(
    "",
    "Node",
    "nodes",
    { spec: open({}), status: open({ conditions: keyed("type"), addresses: keyed("type") }) },
    { namespaced: false, hasStatus: true, statusOnCreate: true }
  ),
  builtin("", "Pod", "pods", { spec: podSpec, status: open({ conditions: keyed("type") }) }, { hasStatus: true }),
  builtin("", "Event", "events", {
    ...Object.fromEntries(
      ["reason", "message", "type", "action", "reportingComponent", "reportingInstance"].map((key) => [key, text])
    ),
    ...Object.fromEntries(["firstTimestamp", "lastTimestamp"].map((key) => [key, text])),
    eventTime: microTime,
    involvedObject: anything,
    source: anything,
    series: anything,
    related: anything,
    count: integer
  }),
  builtin(
    "apps",
    "DaemonSet",
    "daemonsets",
    {
      spec: open({
        selector: { type: "object", "x-kubernetes-map-type": "atomic", "x-kubernetes-preserve-unknown-fields": true },
        template: open({ spec: podSpec })
      }),
      status: open({ conditions: keyed("type") })
    },
    { hasStatus: true, hasGeneration: true }
  ),
  builtin(
    "discovery.k8s.io",
    "EndpointSlice",
    "endpointslices",
    { addressType: text, endpoints: { type: "array", items: anything }, ports: { type: "array", items: anything } },
    { hasGeneration: true }
  ),
  builtin(
    "networking.k8s.io",
    "ServiceCIDR",
    "servicecidrs",
    { spec: open({ cidrs: { type: "array", items: text } }) },
    { namespaced: false }
  )
]

export const builtinKinds: ReadonlyMap<string, Kind> = new Map(kinds.map((kind) => [collectionOf(kind), kind]))
