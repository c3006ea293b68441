/** Service: the defaults and refusals of kube-apiserver 1.36 that we depend on; dual-stack with IPv4 first. */
import type { FieldError } from "./FieldError.ts"
import { fieldError } from "./FieldError.ts"
import type { Json, JsonObject } from "./Json.ts"
import { equals, isObject, listAt, objectAt, textAt, withField } from "./Json.ts"
import type { OpenApiSchema } from "./OpenApiSchema.ts"
import { anything } from "./OpenApiSchema.ts"
import * as Address from "../../domain/Address.ts"
import { Result } from "effect"

const text: OpenApiSchema = { type: "string" }
const texts: OpenApiSchema = { type: "array", items: text }

export const properties: { readonly [key: string]: OpenApiSchema } = {
  spec: {
    type: "object",
    "x-kubernetes-preserve-unknown-fields": true,
    properties: {
      type: { type: "string", enum: ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"] },
      loadBalancerClass: text,
      loadBalancerIP: text,
      externalIPs: texts,
      clusterIP: text,
      clusterIPs: texts,
      ipFamilies: texts,
      ipFamilyPolicy: text,
      externalTrafficPolicy: text,
      selector: { type: "object", additionalProperties: text, "x-kubernetes-map-type": "atomic" },
      ports: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["port", "protocol"],
        items: {
          type: "object",
          properties: {
            name: text,
            port: { type: "integer" },
            protocol: { type: "string", default: "TCP" },
            appProtocol: text,
            targetPort: { "x-kubernetes-int-or-string": true },
            nodePort: { type: "integer" }
          }
        }
      }
    }
  },
  status: {
    type: "object",
    properties: {
      loadBalancer: { type: "object", properties: { ingress: { type: "array", items: anything } } },
      conditions: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        items: anything
      }
    }
  }
}

const isLoadBalancer = (object: JsonObject | undefined): boolean => textAt(object, "spec", "type") === "LoadBalancer"

export const complete = (object: JsonObject, before: JsonObject | undefined, allocate: () => number): JsonObject => {
  const typed: JsonObject = {
    type: "ClusterIP",
    sessionAffinity: "None",
    internalTrafficPolicy: "Cluster",
    ...objectAt(object, "spec")
  }
  const families = familiesOf(typed, objectAt(before, "spec"))
  const spec: JsonObject = {
    ...typed,
    ...families,
    ...clusterAddresses(typed, objectAt(before, "spec"), families.ipFamilies, allocate),
    ports: listAt(typed, "ports").map((port) => (isObject(port) ? { targetPort: port["port"] ?? 0, ...port } : port))
  }
  const outside = spec["type"] === "LoadBalancer" || spec["type"] === "NodePort"
  const policy = outside ? (spec["externalTrafficPolicy"] ?? "Cluster") : undefined
  const whole = withField(spec, "externalTrafficPolicy", policy)
  const leaves = isLoadBalancer(before) && spec["type"] !== "LoadBalancer"
  const status = leaves ? { ...objectAt(object, "status"), loadBalancer: {} } : completeStatus(object, whole)
  return { ...object, spec: whole, status }
}

/** Kubernetes 1.29 and later: an address without a mode is a VIP. A Service that is no load balancer shows none. */
const completeStatus = (object: JsonObject, spec: JsonObject): JsonObject => {
  const status = objectAt(object, "status")
  const loadBalancer = objectAt(status, "loadBalancer")
  if (listAt(loadBalancer, "ingress").length === 0)
    return { ...status, loadBalancer: withField(loadBalancer, "ingress", undefined) }
  if (spec["type"] !== "LoadBalancer") return { ...status, loadBalancer }
  const ingress = listAt(loadBalancer, "ingress").map((entry) =>
    isObject(entry) && entry["ip"] !== undefined ? { ipMode: "VIP", ...entry } : entry
  )
  return { ...status, loadBalancer: { ...loadBalancer, ingress } }
}

interface Families extends JsonObject {
  readonly ipFamilies: ReadonlyArray<Json>
  readonly ipFamilyPolicy: string
}

const familiesOf = (spec: JsonObject, before: JsonObject): Families => {
  const policy = textAt(spec, "ipFamilyPolicy") ?? textAt(before, "ipFamilyPolicy") ?? "SingleStack"
  const asked = spec["ipFamilies"] === undefined ? listAt(before, "ipFamilies") : listAt(spec, "ipFamilies")
  const first = asked[0] ?? "IPv4"
  const second = asked[1] ?? (first === "IPv4" ? "IPv6" : "IPv4")
  return { ipFamilyPolicy: policy, ipFamilies: policy === "SingleStack" ? [first] : [first, second] }
}

const clusterAddresses = (
  spec: JsonObject,
  before: JsonObject,
  families: ReadonlyArray<Json>,
  allocate: () => number
): JsonObject => {
  if (spec["clusterIP"] === "None") return { clusterIPs: ["None"] }
  const kept = listAt(spec, "clusterIPs").length > 0 ? listAt(spec, "clusterIPs") : listAt(before, "clusterIPs")
  const given = kept.length === 0 && typeof spec["clusterIP"] === "string" ? [spec["clusterIP"]] : kept
  const addresses = families.map((family, index) => given[index] ?? newAddress(family, allocate()))
  return { clusterIP: addresses[0] ?? "None", clusterIPs: addresses }
}

const newAddress = (family: Json, number: number): string =>
  family === "IPv6" ? `fd00:10:96::${number.toString(16)}` : `10.96.${(number >> 8) & 255}.${number & 255}`

export const refusals = (object: JsonObject, before: JsonObject | undefined): ReadonlyArray<FieldError> => [
  ...ofPorts(object),
  ...ofAddresses(object),
  ...ofClass(object, before),
  ...ofClusterAddress(object, before),
  ...ofStatus(object)
]

const ofPorts = (object: JsonObject): ReadonlyArray<FieldError> => {
  const ports = listAt(object, "spec", "ports")
  const needed = textAt(object, "spec", "type") !== "ExternalName" && textAt(object, "spec", "clusterIP") !== "None"
  if (ports.length === 0) return needed ? [fieldError("spec.ports", "Required value")] : []
  return ports.flatMap((port, index) => {
    const number = isObject(port) ? port["port"] : undefined
    return typeof number === "number" && number >= 1 && number <= 65_535
      ? []
      : [
          fieldError(
            `spec.ports[${index}].port`,
            `Invalid value: ${JSON.stringify(number)}: must be between 1 and 65535, inclusive`
          )
        ]
  })
}

const notAnAddress = (path: string, value: Json): ReadonlyArray<FieldError> =>
  typeof value === "string" && Result.isSuccess(Address.parse(value))
    ? []
    : [
        fieldError(
          path,
          `Invalid value: ${JSON.stringify(value)}: must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`
        )
      ]

const ofAddresses = (object: JsonObject): ReadonlyArray<FieldError> =>
  listAt(object, "spec", "externalIPs").flatMap((address, index) => notAnAddress(`spec.externalIPs[${index}]`, address))

const ofClass = (object: JsonObject, before: JsonObject | undefined): ReadonlyArray<FieldError> => {
  const wanted = textAt(object, "spec", "loadBalancerClass")
  if (!isLoadBalancer(object))
    return wanted === undefined
      ? []
      : [fieldError("spec.loadBalancerClass", "Forbidden: may only be used when `type` is 'LoadBalancer'")]
  if (!isLoadBalancer(before) || textAt(before, "spec", "loadBalancerClass") === wanted) return []
  return [
    fieldError("spec.loadBalancerClass", `Invalid value: ${JSON.stringify(wanted ?? null)}: may not change once set`)
  ]
}

const ofClusterAddress = (object: JsonObject, before: JsonObject | undefined): ReadonlyArray<FieldError> => {
  const old = listAt(before, "spec", "clusterIPs")[0]
  const wanted = listAt(object, "spec", "clusterIPs")
  return old === undefined || equals(old, wanted[0])
    ? []
    : [fieldError("spec.clusterIPs[0]", `Invalid value: ${JSON.stringify(wanted)}: may not change once set`)]
}

const ofStatus = (object: JsonObject): ReadonlyArray<FieldError> => {
  const ingress = listAt(object, "status", "loadBalancer", "ingress")
  if (ingress.length > 0 && !isLoadBalancer(object))
    return [fieldError("status.loadBalancer.ingress", "Forbidden: may only be used when `spec.type` is 'LoadBalancer'")]
  return ingress.flatMap((entry, index) =>
    isObject(entry) && entry["ip"] !== undefined
      ? notAnAddress(`status.loadBalancer.ingress[${index}].ip`, entry["ip"])
      : []
  )
}
