/**
 * A watch is one reply that goes on: a line of JSON per event. Three things end it, and they are told apart:
 *
 * - The server closes it in peace, at the latest after the `timeoutSeconds` that we ask for: the stream ends. The time is
 *   drawn at random, or all watches that a restart of the API server began together would end together.
 * - The connection breaks, an event stops in the middle, or nothing comes for 180 s: `Unavailable`. Bookmarks come at
 *   least every 120 s on an idle watch, so that silence is a dead connection (measured on 1.36).
 * - The resourceVersion is too old: `Expired`, as a refusal (410) or, usually, as an `ERROR` event in a reply of 200. Or it
 *   is ahead of the server, whose etcd was restored from a backup: then the server accepts the watch and sends nothing,
 *   not even bookmarks, until it gets there (measured on 1.36). Silence from the very beginning is therefore `Expired`
 *   too, or we would ask for that version for ever.
 *
 * Whoever stops listening closes the socket.
 */
import { Duration, Effect, Option, Random, Result, Schema, Stream } from "effect"
import type { KubernetesObject, ResourceType } from "../../api/KubernetesObject.ts"
import {
  Expired,
  Malformed,
  type Reason,
  type Selection,
  Unavailable,
  type WatchEvent
} from "../../ports/Kubernetes.ts"
import { type ApiClient, parse } from "./ApiClient.ts"
import * as ApiPath from "./ApiPath.ts"
import { type Decode, decoderOf } from "./Decoding.ts"
import { decodeStatus, reasonOfStatus, reasonOfTransportFailure } from "./errors.ts"
import * as LineSplitter from "./LineSplitter.ts"

const silenceMax = Duration.seconds(180)
const lifetimeSeconds = { min: 300, max: 600 }

export const watch = <A extends KubernetesObject>(
  api: ApiClient,
  type: ResourceType<A>,
  selection: Selection,
  resourceVersion: string
): Stream.Stream<WatchEvent<A>, Reason> =>
  Stream.suspend(() => {
    const decode = decoderOf(type)
    let heard = false
    return bytes(api, type, selection, resourceVersion).pipe(
      Stream.tap(() => Effect.sync(() => (heard = true))),
      Stream.timeoutOrElse({ duration: silenceMax, orElse: () => Stream.fail(heard ? silent : new Expired()) }),
      lines,
      Stream.mapEffect((line) => Effect.flatMap(parse(line), (json) => eventOf(decode, json)))
    )
  })

const silent: Reason = new Unavailable({
  message: `the watch was silent for ${Duration.toSeconds(silenceMax)} s, so its connection is taken for dead`
})

const bytes = (
  api: ApiClient,
  type: ResourceType<KubernetesObject>,
  selection: Selection,
  resourceVersion: string
): Stream.Stream<Uint8Array, Reason> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const seconds = yield* Random.nextIntBetween(lifetimeSeconds.min, lifetimeSeconds.max)
      const response = yield* api.open({
        method: "watch",
        verb: "GET",
        path: ApiPath.collection(type, selection.namespace),
        query: {
          watch: "true",
          allowWatchBookmarks: "true",
          timeoutSeconds: String(seconds),
          resourceVersion,
          ...ApiPath.selectors(selection)
        }
      })
      return Stream.mapError(response.stream, (error) => reasonOfTransportFailure("watch", error))
    })
  )

/** Fails when the bytes end inside a line: the server closed in the middle of an event. */
const lines = (chunks: Stream.Stream<Uint8Array, Reason>): Stream.Stream<string, Reason> =>
  Stream.suspend(() => {
    const splitter = LineSplitter.make()
    const cutShort = Stream.suspend(() =>
      splitter.isOpen() ? Stream.fail(new Unavailable({ message: "the watch ended inside an event" })) : Stream.empty
    )
    return chunks.pipe(
      Stream.mapAccumArray(
        () => splitter,
        (state, batch) => [state, batch.flatMap((chunk) => state.push(chunk))] as const
      ),
      Stream.concat(cutShort)
    )
  })

const Envelope = Schema.Struct({
  type: Schema.Literals(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]),
  object: Schema.Unknown
})
const decodeEnvelope = Schema.decodeUnknownOption(Envelope)

const Versioned = Schema.Struct({ metadata: Schema.Struct({ resourceVersion: Schema.String }) })
const decodeVersioned = Schema.decodeUnknownOption(Versioned)

const changes = { ADDED: "Added", MODIFIED: "Modified", DELETED: "Deleted" } as const

const eventOf = <A>(decode: Decode<A>, json: unknown): Effect.Effect<WatchEvent<A>, Reason> => {
  const envelope = Option.getOrUndefined(decodeEnvelope(json))
  if (envelope === undefined) return Effect.fail(unknownEvent(json))
  switch (envelope.type) {
    case "ERROR":
      return Effect.fail(
        Option.match(decodeStatus(envelope.object), {
          onNone: () => unknownEvent(json),
          onSome: (status) => reasonOfStatus("watch", status)
        })
      )
    case "BOOKMARK":
      return Option.match(decodeVersioned(envelope.object), {
        onNone: () => Effect.fail(unknownEvent(json)),
        onSome: ({ metadata }) => Effect.succeed({ type: "Bookmark", resourceVersion: metadata.resourceVersion })
      })
    default: {
      const type = changes[envelope.type]
      return Effect.succeed(
        Result.match(decode(envelope.object), {
          onSuccess: (object): WatchEvent<A> => ({ type, object }),
          onFailure: (object): WatchEvent<A> => ({
            type: "Undecodable",
            object,
            ...(type === "Deleted" && { deleted: true })
          })
        })
      )
    }
  }
}

const unknownEvent = (json: unknown): Reason =>
  new Malformed({ message: `not a watch event: ${JSON.stringify(json).slice(0, 200)}` })
