/** Stored JSON through the Schema of the caller's `ResourceType`. Stored objects never change, so each decodes once. */
import { Result, Schema } from "effect"
import { type KubernetesObject, ObjectMeta, type ResourceType } from "../../api/KubernetesObject.ts"
import { once } from "../../api/Once.ts"
import type { Undecodable } from "../../ports/Kubernetes.ts"
import type { JsonObject } from "./Json.ts"

export type Decode<A> = (json: JsonObject) => Result.Result<A, Undecodable>

const decodeMetadata = Schema.decodeUnknownResult(Schema.Struct({ metadata: ObjectMeta }))

const decoderOf = <A extends KubernetesObject>(type: ResourceType<A>): Decode<A> => {
  const decode = Schema.decodeUnknownResult(type.schema, { errors: "all" })
  return once((json: JsonObject) =>
    Result.mapError(decode(json), (error) => ({
      metadata: Result.getOrElse(
        Result.map(decodeMetadata(json), ({ metadata }) => metadata),
        () => ({ name: "" })
      ),
      message: error.message
    }))
  )
}

export type Decoders = <A extends KubernetesObject>(type: ResourceType<A>) => Decode<A>

const decoders = new WeakMap<object, unknown>()

/** One per type, for all servers: compiling a Schema costs more than many decodes. */
export const decoderFor: Decoders = <A extends KubernetesObject>(type: ResourceType<A>) => {
  // Sound: only a decoder of this very type is stored under it.
  const found = decoders.get(type) as Decode<A> | undefined
  if (found !== undefined) return found
  const decoder = decoderOf(type)
  decoders.set(type, decoder)
  return decoder
}
