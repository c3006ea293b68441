/** Objects as their Schema sees them. What does not decode is a value, never a failure of its neighbours. */
import { Option, Result, Schema } from "effect"
import type { KubernetesObject, ObjectMeta, ResourceType } from "../../api/KubernetesObject.ts"
import type { Undecodable } from "../../ports/Kubernetes.ts"

export type Decode<A> = (json: unknown) => Result.Result<A, Undecodable>

/** Compiles the Schema: call it once per list or watch, not once per object. */
export const decoderOf = <A extends KubernetesObject>(type: ResourceType<A>): Decode<A> => {
  const decode = Schema.decodeUnknownResult(type.schema, { errors: "all" })
  const kind = kindOf(type)
  return (json) =>
    Result.mapError(decode(withKind(json, kind)), (error) => ({ metadata: metadataOf(json), message: error.message }))
}

/** `apiVersion` and `kind`, which every written object needs and which the items of a list lack for built-in kinds. */
export const kindOf = (type: ResourceType<KubernetesObject>) => ({
  apiVersion: type.group === "" ? type.version : `${type.group}/${type.version}`,
  kind: type.kind
})

export const withKind = (json: unknown, kind: ReturnType<typeof kindOf>): unknown =>
  typeof json === "object" && json !== null ? { ...kind, ...json } : json

const Named = Schema.Struct({
  metadata: Schema.Struct({
    name: Schema.String,
    namespace: Schema.optional(Schema.String),
    uid: Schema.optional(Schema.String),
    resourceVersion: Schema.optional(Schema.String),
    generation: Schema.optional(Schema.Finite),
    creationTimestamp: Schema.optional(Schema.String),
    deletionTimestamp: Schema.optional(Schema.String),
    finalizers: Schema.optional(Schema.Array(Schema.String)),
    labels: Schema.optional(Schema.Record(Schema.String, Schema.String)),
    annotations: Schema.optional(Schema.Record(Schema.String, Schema.String))
  })
})
const decodeNamed = Schema.decodeUnknownOption(Named)

/** The API server vouches for the metadata whatever the rest looks like. */
const metadataOf = (json: unknown): ObjectMeta =>
  Option.match(decodeNamed(json), { onNone: () => ({ name: "(without a name)" }), onSome: ({ metadata }) => metadata })
