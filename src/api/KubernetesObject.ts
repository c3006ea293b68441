/**
 * What all Kubernetes objects share. Types are the JSON wire form, so that an object is written by `JSON.stringify` as it
 * stands; the Schemas transform nothing and drop what they do not name.
 */
import { Schema } from "effect"

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean | undefined
  readonly blockOwnerDeletion?: boolean | undefined
}

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string | undefined
  readonly uid?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly generation?: number | undefined
  readonly creationTimestamp?: string | undefined
  readonly deletionTimestamp?: string | undefined
  readonly labels?: { readonly [key: string]: string } | undefined
  readonly annotations?: { readonly [key: string]: string } | undefined
  readonly finalizers?: ReadonlyArray<string> | undefined
  readonly ownerReferences?: ReadonlyArray<OwnerReference> | undefined
}

export interface KubernetesObject {
  readonly apiVersion?: string | undefined
  readonly kind?: string | undefined
  readonly metadata: ObjectMeta
}

/** What the port needs to know of a kind. Instances stand beside the Schemas of the kinds. */
export interface ResourceType<A extends KubernetesObject> {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Lower case, as in URLs. */
  readonly plural: string
  readonly namespaced: boolean
  readonly schema: Schema.Codec<A, unknown>
}

/** Names one object; `namespace` is given for namespaced kinds only. */
export interface ObjectRef {
  readonly namespace?: string | undefined
  readonly name: string
}

export const StringMap = Schema.Record(Schema.String, Schema.String)

/** Typed as the interface, which writers may fill with `undefined`; a decoded object never holds one. */
export const OwnerReference: Schema.Codec<OwnerReference> = Schema.Struct({
  apiVersion: Schema.String,
  kind: Schema.String,
  name: Schema.String,
  uid: Schema.String,
  controller: Schema.optionalKey(Schema.Boolean),
  blockOwnerDeletion: Schema.optionalKey(Schema.Boolean)
})

export const ObjectMeta: Schema.Codec<ObjectMeta> = Schema.Struct({
  name: Schema.String,
  namespace: Schema.optionalKey(Schema.String),
  uid: Schema.optionalKey(Schema.String),
  resourceVersion: Schema.optionalKey(Schema.String),
  generation: Schema.optionalKey(Schema.Int),
  creationTimestamp: Schema.optionalKey(Schema.String),
  deletionTimestamp: Schema.optionalKey(Schema.String),
  labels: Schema.optionalKey(StringMap),
  annotations: Schema.optionalKey(StringMap),
  finalizers: Schema.optionalKey(Schema.Array(Schema.String)),
  ownerReferences: Schema.optionalKey(Schema.Array(OwnerReference))
})

/** The fields that every kind begins with. Items of a list carry neither `apiVersion` nor `kind`. */
export const objectFields = {
  apiVersion: Schema.optionalKey(Schema.String),
  kind: Schema.optionalKey(Schema.String),
  metadata: ObjectMeta
}
