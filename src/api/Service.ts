/** The parts of a Service that decide whether it is ours, what it asks for, and what we answer. */
import { Schema } from "effect"
import { objectFields, type ResourceType, StringMap } from "./KubernetesObject.ts"

export const ServicePort = Schema.Struct({
  name: Schema.optionalKey(Schema.String),
  port: Schema.Int,
  /** The API server fills in TCP. */
  protocol: Schema.optionalKey(Schema.String),
  nodePort: Schema.optionalKey(Schema.Int)
})
export type ServicePort = typeof ServicePort.Type

export const LoadBalancerIngress = Schema.Struct({
  ip: Schema.optionalKey(Schema.String),
  hostname: Schema.optionalKey(Schema.String),
  /** The API server fills in VIP (Kubernetes 1.29 and later): compare with that in mind. */
  ipMode: Schema.optionalKey(Schema.String),
  ports: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        port: Schema.Int,
        protocol: Schema.String,
        error: Schema.optionalKey(Schema.String)
      })
    )
  )
})
export type LoadBalancerIngress = typeof LoadBalancerIngress.Type

export const ServiceSpec = Schema.Struct({
  type: Schema.optionalKey(Schema.String),
  loadBalancerClass: Schema.optionalKey(Schema.String),
  loadBalancerIP: Schema.optionalKey(Schema.String),
  externalIPs: Schema.optionalKey(Schema.Array(Schema.String)),
  clusterIPs: Schema.optionalKey(Schema.Array(Schema.String)),
  ipFamilies: Schema.optionalKey(Schema.Array(Schema.String)),
  ipFamilyPolicy: Schema.optionalKey(Schema.String),
  externalTrafficPolicy: Schema.optionalKey(Schema.String),
  healthCheckNodePort: Schema.optionalKey(Schema.Int),
  selector: Schema.optionalKey(StringMap),
  ports: Schema.optionalKey(Schema.Array(ServicePort))
})

export const Service = Schema.Struct({
  ...objectFields,
  spec: ServiceSpec,
  status: Schema.optionalKey(
    Schema.Struct({
      loadBalancer: Schema.optionalKey(
        Schema.Struct({ ingress: Schema.optionalKey(Schema.Array(LoadBalancerIngress)) })
      ),
      /** Unset by most; others may write conditions here, so it is read leniently. */
      conditions: Schema.optionalKey(Schema.Array(Schema.Record(Schema.String, Schema.Json)))
    })
  )
})
export type Service = typeof Service.Type

export const services: ResourceType<Service> = {
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
  schema: Service
}
