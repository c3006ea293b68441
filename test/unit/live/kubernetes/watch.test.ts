import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Kubernetes, type WatchEvent } from "../../../../src/ports/Kubernetes.ts"
import {
  type Asked,
  json,
  overFunction,
  overNetwork,
  serve,
  settle,
  status,
  streaming,
  type Thing,
  thing,
  things
} from "./support.ts"

const event = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`
const bookmark = (resourceVersion: string) => event("BOOKMARK", { metadata: { resourceVersion } })

const show = (change: WatchEvent<Thing>): string => {
  switch (change.type) {
    case "Bookmark":
      return `Bookmark ${change.resourceVersion}`
    case "Undecodable":
      return `Undecodable ${change.object.metadata.name}@${change.object.metadata.resourceVersion}${change.deleted === true ? " deleted" : ""}`
    default:
      return `${change.type} ${change.object.metadata.name}@${change.object.metadata.resourceVersion}`
  }
}

/** What arrives until the watch ends, and how it ends. */
const observe = Effect.gen(function* () {
  const seen: Array<string> = []
  const kubernetes = yield* Kubernetes
  const ending = yield* kubernetes.watch(things, {}, "5").pipe(
    Stream.runForEach((change) => Effect.sync(() => seen.push(show(change)))),
    Effect.match({ onSuccess: () => "peace", onFailure: ({ reason }) => reason._tag })
  )
  return [...seen, ending]
})

const broken = { ...thing("b", "9"), size: "large" }

describe("watch", () => {
  // oxfmt-ignore
  it.effect.each<{ readonly name: string; readonly reply: () => Response; readonly seen: ReadonlyArray<string> }>([
    { name: "tells additions, changes, deletions and bookmarks, and ends in peace when the server closes",
      reply: () => streaming([event("ADDED", thing("a", "6")), event("MODIFIED", thing("a", "7")), bookmark("8"), event("DELETED", thing("a", "9"))], "end"),
      seen: ["Added a@6", "Modified a@7", "Bookmark 8", "Deleted a@9", "peace"] },
    { name: "an ERROR event with 410 is Expired, in a reply of 200",
      reply: () => streaming([event("ADDED", thing("a", "6")), event("ERROR", status(410, "Expired"))], "open"),
      seen: ["Added a@6", "Expired"] },
    { name: "so is a refusal with 410",
      reply: () => json(status(410, "Gone"), 410),
      seen: ["Expired"] },
    { name: "an ERROR event of the server's own trouble is Unavailable",
      reply: () => streaming([event("ERROR", status(500, "InternalError", "etcdserver: no leader"))], "open"),
      seen: ["Unavailable"] },
    { name: "an end inside an event is a broken connection, and half an event is none",
      reply: () => streaming([event("ADDED", thing("a", "6")), event("ADDED", thing("b", "7")).slice(0, 40)], "end"),
      seen: ["Added a@6", "Unavailable"] },
    { name: "an object that its Schema refuses is an event, and the next one follows",
      reply: () => streaming([event("ADDED", broken), event("DELETED", broken), event("ADDED", thing("c", "10"))], "end"),
      seen: ["Undecodable b@9", "Undecodable b@9 deleted", "Added c@10", "peace"] },
    { name: "what is no event is Malformed",
      reply: () => streaming(["<html>\n"], "open"),
      seen: ["Malformed"] },
    { name: "a forbidden watch is Denied",
      reply: () => json(status(403, "Forbidden"), 403),
      seen: ["Denied"] }
  ])("$name", ({ reply, seen }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* observe, seen)
    }).pipe(Effect.provide(overFunction(() => Effect.sync(reply)))))

  it.effect("asks for bookmarks and a lifetime of 5 to 10 minutes that differs from watch to watch", () => {
    const asked: Array<Asked> = []
    const layer = overFunction((request) => Effect.sync(() => (asked.push(request), streaming([], "end"))))
    return Effect.gen(function* () {
      for (let i = 0; i < 20; i++) yield* observe
      const lifetimes = asked.map(({ url }) => Number(url.searchParams.get("timeoutSeconds")))
      assert.isTrue(lifetimes.every((seconds) => Number.isInteger(seconds) && seconds >= 300 && seconds <= 600))
      assert.isAbove(new Set(lifetimes).size, 5)
      const query = asked[0]?.url.searchParams
      assert.deepStrictEqual(
        ["watch", "allowWatchBookmarks", "resourceVersion"].map((name) => query?.get(name)),
        ["true", "true", "5"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("180 s without a byte is a dead connection, and any byte starts them anew", () => {
    let body: ReadableStreamDefaultController<Uint8Array> | undefined
    const give = (text: string) => body?.enqueue(new TextEncoder().encode(text))
    const reply = () =>
      new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            body = controller
          }
        })
      )
    return Effect.gen(function* () {
      const watching = yield* Effect.forkChild(observe)
      yield* TestClock.adjust("179 seconds")
      give(bookmark("6").slice(0, 10)) // not yet an event
      yield* settle
      yield* TestClock.adjust("179 seconds")
      assert.isUndefined(watching.pollUnsafe())
      give(bookmark("6").slice(10))
      yield* settle
      yield* TestClock.adjust("179 seconds")
      assert.isUndefined(watching.pollUnsafe())
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* Fiber.join(watching), ["Bookmark 6", "Unavailable"])
    }).pipe(Effect.provide(overFunction(() => Effect.sync(reply))))
  })

  it.effect("180 s of silence from the beginning mean a version that the server does not have: Expired", () =>
    Effect.gen(function* () {
      const watching = yield* Effect.forkChild(observe)
      yield* settle
      yield* TestClock.adjust("179 seconds")
      assert.isUndefined(watching.pollUnsafe())
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* Fiber.join(watching), ["Expired"])
    }).pipe(Effect.provide(overFunction(() => Effect.sync(() => streaming([], "open")))))
  )

  it.effect("a server that does not even answer costs 10 s", () =>
    Effect.gen(function* () {
      const watching = yield* Effect.forkChild(observe)
      yield* TestClock.adjust("9 seconds")
      assert.isUndefined(watching.pollUnsafe())
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* Fiber.join(watching), ["Unavailable"])
    }).pipe(Effect.provide(overFunction(() => Effect.never)))
  )

  it.live("whoever stops listening closes the socket", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => {
        response.writeHead(200)
        response.write(event("ADDED", thing("a", "6")))
      })
      const first = Effect.gen(function* () {
        return yield* (yield* Kubernetes).watch(things, {}, "5").pipe(Stream.take(1), Stream.runCollect)
      })
      const interrupted = Effect.gen(function* () {
        const listening = yield* Deferred.make<void>()
        const watching = yield* (yield* Kubernetes).watch(things, {}, "5").pipe(
          Stream.runForEach(() => Deferred.succeed(listening, undefined)),
          Effect.forkChild
        )
        yield* Deferred.await(listening)
        assert.strictEqual(server.open(), 1)
        yield* Fiber.interrupt(watching)
      })
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* first).length, 1)
        yield* server.allClosed
        yield* interrupted
        yield* server.allClosed
      }).pipe(Effect.provide(overNetwork(server.url)))
    })
  )

  it.live("a connection that breaks is Unavailable", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => {
        response.writeHead(200)
        response.write(event("ADDED", thing("a", "6")), () => response.destroy())
      })
      assert.deepStrictEqual(yield* observe.pipe(Effect.provide(overNetwork(server.url))), ["Added a@6", "Unavailable"])
    })
  )
})
