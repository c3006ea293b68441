/**
 * The Kubernetes API as the programs see it. Objects are plain JSON, decoded by the `schema` of their `ResourceType`
 * on the way in: what a schema does not name is dropped, so `managedFields` never reach a cache, and a whole foreign
 * object is therefore never written back. Writes are of four kinds, each safe to repeat after a lost reply:
 *
 * - `create`: fails with `AlreadyExists` when it happened before.
 * - `replace`: PUT of an object that is entirely ours (a Lease); compare-and-set on uid and resourceVersion.
 * - `patch`: JSON merge patch (RFC 7396); with `metadata.resourceVersion` in it, compare-and-set.
 * - `apply`: server-side apply (KEP-555) of the fields that one manager owns. The API server *creates* a missing
 *   object on apply, even with a resourceVersion: give `metadata.uid` wherever that must not happen.
 *
 * `test/conformance/Kubernetes.test.ts` is this contract, executable; the in-memory API may be trusted as far as it goes.
 */
import { Context, Schema } from "effect"
import type { Effect, Stream } from "effect"
import type { KubernetesObject, ObjectMeta, ObjectRef, ResourceType } from "../api/KubernetesObject.ts"
import type { Category } from "./Category.ts"

export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined
  /** Equality and existence terms, as `kubectl -l` takes them. */
  readonly labelSelector?: string | undefined
  /** `metadata.name=…` and `metadata.namespace=…` only. */
  readonly fieldSelector?: string | undefined
}

/** An object that its Schema refuses. It is reported on the object and must delay no other. */
export interface Undecodable {
  readonly metadata: ObjectMeta
  /** Which field, and what was expected. */
  readonly message: string
}

export interface ObjectList<A> {
  readonly items: ReadonlyArray<A>
  readonly undecodable: ReadonlyArray<Undecodable>
  /** Where a watch continues. */
  readonly resourceVersion: string
}

export type WatchEvent<A> =
  | { readonly type: "Added" | "Modified" | "Deleted"; readonly object: A }
  /** `deleted`: it is gone, as with `Deleted`. */
  | { readonly type: "Undecodable"; readonly object: Undecodable; readonly deleted?: true }
  | { readonly type: "Bookmark"; readonly resourceVersion: string }

export interface ConnectionOptions {
  /** On a connection of its own, and before whatever waits: one that is shared may have died in silence. */
  readonly isFresh?: boolean | undefined
}

export interface ApplyOptions {
  readonly fieldManager: string
  /** Takes fields that another manager owns. Without it: `Conflict`. */
  readonly force?: boolean | undefined
  readonly subresource?: "status" | undefined
}

export interface DeleteOptions {
  /** Precondition; another uid is `Conflict`. */
  readonly uid?: string | undefined
  /** Precondition; another version is `Conflict`. */
  readonly resourceVersion?: string | undefined
  /** `Background` unless given. */
  readonly propagation?: "Background" | "Foreground" | "Orphan" | undefined
}

/** The object, or the kind (`kindMissing`: its CRD is not installed, and will be before anything works again). */
export class NotFound extends Schema.TaggedClass<NotFound>()("NotFound", { kindMissing: Schema.Boolean }) {
  get category(): Category {
    return this.kindMissing ? "transient" : "permanent"
  }
}
/** A create of what is there already. */
export class AlreadyExists extends Schema.TaggedClass<AlreadyExists>()("AlreadyExists", {}) {
  readonly category: Category = "conflict"
}
/** resourceVersion or uid differ, or another field manager owns the field. */
export class Conflict extends Schema.TaggedClass<Conflict>()("Conflict", { message: Schema.String }) {
  readonly category: Category = "conflict"
}
/** The resourceVersion is too old (410): list anew. */
export class Expired extends Schema.TaggedClass<Expired>()("Expired", {}) {
  readonly category: Category = "conflict"
}
/** Refused by schema, CEL rule or admission; `message` is the server's, with the field's path. */
export class Invalid extends Schema.TaggedClass<Invalid>()("Invalid", { message: Schema.String }) {
  readonly category: Category = "permanent"
}
/** Our credentials are not accepted (401) or may not do this (403). */
export class Denied extends Schema.TaggedClass<Denied>()("Denied", {
  status: Schema.Literals([401, 403]),
  message: Schema.String
}) {
  readonly category: Category = "permanent"
}
/** 429, or 503 with a pause: the server named how long to wait. */
export class Throttled extends Schema.TaggedClass<Throttled>()("Throttled", {
  retryAfterMillis: Schema.Finite
}) {
  readonly category: Category = "throttled"
}
/** The request did not reach the server, or it answered that it cannot work now. Nothing was written. */
export class Unavailable extends Schema.TaggedClass<Unavailable>()("Unavailable", {
  message: Schema.String
}) {
  readonly category: Category = "transient"
}
/** A write was sent and no answer came: it may have happened. */
export class ReplyLost extends Schema.TaggedClass<ReplyLost>()("ReplyLost", { message: Schema.String }) {
  readonly category: Category = "ambiguous"
}
/** The server's answer does not decode. */
export class Malformed extends Schema.TaggedClass<Malformed>()("Malformed", { message: Schema.String }) {
  readonly category: Category = "permanent"
}

const Reason = Schema.Union([
  NotFound,
  AlreadyExists,
  Conflict,
  Expired,
  Invalid,
  Denied,
  Throttled,
  Unavailable,
  ReplyLost,
  Malformed
])
export type Reason = typeof Reason.Type

export class KubernetesError extends Schema.TaggedError<KubernetesError>()("KubernetesError", {
  method: Schema.Literals(["get", "list", "watch", "create", "replace", "patch", "apply", "delete"]),
  /** `services/shop/web`, or the plural alone for list and watch. */
  resource: Schema.String,
  reason: Reason
}) {
  get category(): Category {
    return this.reason.category
  }
  /** There is no such object. While its kind is missing, nobody can say. */
  get isGone(): boolean {
    return this.reason._tag === "NotFound" && !this.reason.kindMissing
  }
  /** The pause that the server asked for; 0: none. */
  get retryAfterMillis(): number {
    return this.reason._tag === "Throttled" ? this.reason.retryAfterMillis : 0
  }
  override get message(): string {
    const detail = "message" in this.reason ? `: ${this.reason.message}` : ""
    return `${this.method} ${this.resource}: ${this.reason._tag}${detail}`
  }
}

export class Kubernetes extends Context.Service<
  Kubernetes,
  {
    readonly get: <A extends KubernetesObject>(
      type: ResourceType<A>,
      ref: ObjectRef,
      options?: ConnectionOptions
    ) => Effect.Effect<A, KubernetesError>
    /** Consistent (quorum) and complete, whatever the number of pages; `Expired` when it could not be completed. */
    readonly list: <A extends KubernetesObject>(
      type: ResourceType<A>,
      selection: Selection
    ) => Effect.Effect<ObjectList<A>, KubernetesError>
    /**
     * Changes after `resourceVersion`, in order. Ends without error when the server closes it in peace: continue from
     * the last version seen. Fails with `Expired` when that version is gone, with `Unavailable` on a broken or silent
     * connection. An object that begins or ceases to match the selector arrives as `Added` or `Deleted`.
     */
    readonly watch: <A extends KubernetesObject>(
      type: ResourceType<A>,
      selection: Selection,
      resourceVersion: string
    ) => Stream.Stream<WatchEvent<A>, KubernetesError>
    readonly create: <A extends KubernetesObject>(type: ResourceType<A>, object: A) => Effect.Effect<A, KubernetesError>
    /** `metadata.uid` and `metadata.resourceVersion` must be present. */
    readonly replace: <A extends KubernetesObject>(
      type: ResourceType<A>,
      object: A,
      options?: ConnectionOptions
    ) => Effect.Effect<A, KubernetesError>
    readonly patch: <A extends KubernetesObject>(
      type: ResourceType<A>,
      ref: ObjectRef,
      mergePatch: { readonly [key: string]: unknown },
      options?: { readonly subresource?: "status" | undefined }
    ) => Effect.Effect<A, KubernetesError>
    /** `object` carries only what this manager owns; an entry that it leaves out is removed. */
    readonly apply: <A extends KubernetesObject>(
      type: ResourceType<A>,
      object: KubernetesObject & { readonly [key: string]: unknown },
      options: ApplyOptions
    ) => Effect.Effect<A, KubernetesError>
    /** Succeeds when the deletion was accepted: finalizers may keep the object. `NotFound` when it is gone already. */
    readonly delete: <A extends KubernetesObject>(
      type: ResourceType<A>,
      ref: ObjectRef,
      options?: DeleteOptions
    ) => Effect.Effect<void, KubernetesError>
  }
>()("plenuslb/ports/Kubernetes") {}
