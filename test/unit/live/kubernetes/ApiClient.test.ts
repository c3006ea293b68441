import type { IncomingHttpHeaders } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { ClusterAccessError } from "../../../../src/live/kubernetes/ClusterAccess.ts"
import { RequestTimeout } from "../../../../src/live/kubernetes/ApiClient.ts"
import { Kubernetes, type KubernetesError } from "../../../../src/ports/Kubernetes.ts"
import {
  type Asked,
  json,
  overFunction,
  overNetwork,
  serve,
  settle,
  status,
  streaming,
  thing,
  things
} from "./support.ts"

const ref = { namespace: "default", name: "a" }
const get = Effect.gen(function* () {
  return yield* (yield* Kubernetes).get(things, ref)
})
const create = Effect.gen(function* () {
  return yield* (yield* Kubernetes).create(things, thing("a"))
})
const reasonOf = <A, R>(effect: Effect.Effect<A, KubernetesError, R>) =>
  Effect.map(Effect.flip(effect), (e) => e.reason._tag)

const recording = (reply: () => Response = () => json(thing("a"))) => {
  const asked: Array<Asked> = []
  return { asked, layer: overFunction((request) => Effect.sync(() => (asked.push(request), reply()))) }
}

describe("each call of the port is one request", () => {
  const object = { metadata: { namespace: "default", name: "a", uid: "u" }, size: 2 }
  const kind = { apiVersion: "test.plenus.io/v1", kind: "Thing" }
  const path = "/apis/test.plenus.io/v1/namespaces/default/things"

  // oxfmt-ignore
  it.effect.each<{
    readonly name: string
    readonly call: (kubernetes: Kubernetes["Service"]) => Effect.Effect<unknown, KubernetesError>
    readonly sent: readonly [string, string, string | undefined, unknown]
  }>([
    { name: "get", call: (k) => k.get(things, ref), sent: ["GET", `${path}/a`, undefined, undefined] },
    { name: "create", call: (k) => k.create(things, thing("a")), sent: ["POST", path, "application/json", thing("a")] },
    { name: "replace", call: (k) => k.replace(things, thing("a")), sent: ["PUT", `${path}/a`, "application/json", thing("a")] },
    { name: "patch", call: (k) => k.patch(things, ref, { size: 2 }), sent: ["PATCH", `${path}/a`, "application/merge-patch+json", { size: 2 }] },
    { name: "patch of the status", call: (k) => k.patch(things, ref, { status: {} }, { subresource: "status" }), sent: ["PATCH", `${path}/a/status`, "application/merge-patch+json", { status: {} }] },
    { name: "apply", call: (k) => k.apply(things, object, { fieldManager: "me" }), sent: ["PATCH", `${path}/a?fieldManager=me`, "application/apply-patch+yaml", { ...kind, ...object }] },
    { name: "apply by force, of the status", call: (k) => k.apply(things, object, { fieldManager: "me", force: true, subresource: "status" }), sent: ["PATCH", `${path}/a/status?fieldManager=me&force=true`, "application/apply-patch+yaml", { ...kind, ...object }] },
    { name: "delete", call: (k) => k.delete(things, ref), sent: ["DELETE", `${path}/a`, "application/json", { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background" }] },
    { name: "delete with preconditions", call: (k) => k.delete(things, ref, { uid: "u", resourceVersion: "7", propagation: "Orphan" }), sent: ["DELETE", `${path}/a`, "application/json", { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Orphan", preconditions: { uid: "u", resourceVersion: "7" } }] }
  ])("$name", ({ call, sent }) => {
    const { asked, layer } = recording()
    return Effect.gen(function* () {
      yield* call(yield* Kubernetes)
      const shown = asked.map(({ method, url, headers, body }) => [
        method, `${url.pathname}${url.search}`, headers["content-type"], body === "" ? undefined : JSON.parse(body)
      ])
      assert.deepStrictEqual(shown, [[...sent]])
    }).pipe(Effect.provide(layer))
  })

  it.live("a request carries who we are and nothing random", () =>
    Effect.gen(function* () {
      const seen: Array<IncomingHttpHeaders> = []
      const server = yield* serve((request, response) => {
        seen.push(request.headers)
        response.end(JSON.stringify(thing("a")))
      })
      yield* get.pipe(Effect.provide(overNetwork(server.url)))
      assert.deepStrictEqual(
        { ...seen[0] },
        {
          accept: "application/json",
          authorization: "Bearer one",
          connection: "keep-alive",
          host: `127.0.0.1:${server.port}`,
          "user-agent": "plenuslb"
        }
      )
    })
  )

  it.effect("an object that its Schema refuses is Malformed, and so is what is no JSON", () =>
    Effect.gen(function* () {
      const wrong = yield* reasonOf(get.pipe(Effect.provide(recording(() => json({ metadata: { name: "a" } })).layer)))
      const html = yield* reasonOf(get.pipe(Effect.provide(recording(() => new Response("<html>")).layer)))
      assert.deepStrictEqual([wrong, html], ["Malformed", "Malformed"])
    })
  )

  it.effect("an error names method, object and reason", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(create)
      assert.strictEqual(message, "create things/default/a: Conflict: somebody was faster")
    }).pipe(Effect.provide(recording(() => json(status(409, "Conflict", "somebody was faster"), 409)).layer))
  )
})

const silent = () => {
  let dropped = 0
  const dropIdle = Effect.sync(() => void dropped++)
  return { dropped: () => dropped, layer: overFunction(() => Effect.never, { dropIdle }) }
}

describe("the deadline of a request", () => {
  it.effect("is 10 s: then a read is Unavailable, a write ReplyLost, and idle connections are given up", () => {
    const { dropped, layer } = silent()
    return Effect.gen(function* () {
      const asking = yield* Effect.forkChild(Effect.all([reasonOf(get), reasonOf(create)], { concurrency: 2 }))
      yield* TestClock.adjust("9 seconds")
      assert.isUndefined(asking.pollUnsafe())
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* Fiber.join(asking), ["Unavailable", "ReplyLost"])
      assert.strictEqual(dropped(), 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("can be another for one call", () =>
    Effect.gen(function* () {
      const asking = yield* reasonOf(get).pipe(
        Effect.provideService(RequestTimeout, Duration.seconds(1)),
        Effect.forkChild
      )
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Fiber.join(asking), "Unavailable")
    }).pipe(Effect.provide(silent().layer))
  )

  it.effect("holds for the body too", () =>
    Effect.gen(function* () {
      const asking = yield* Effect.forkChild(reasonOf(get))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(asking), "Unavailable")
    }).pipe(Effect.provide(overFunction(() => Effect.sync(() => streaming(["{"], "open")))))
  )
})

const pass = (seconds: number) =>
  Effect.forEach(Array.from({ length: seconds }), () => Effect.andThen(TestClock.adjust("1 seconds"), settle))

const counting = (maxInFlight?: number) => {
  let now = 0
  let most = 0
  const answer = Effect.gen(function* () {
    most = Math.max(most, ++now)
    yield* Effect.sleep("1 seconds")
    now--
    return json(thing("a"))
  })
  return { most: () => most, layer: overFunction(() => answer, { maxInFlight }) }
}

describe("how many requests run at once", () => {
  // oxfmt-ignore
  it.effect.each([
    { name: "64 unless told otherwise", maxInFlight: undefined, most: 64 },
    { name: "as many as told",          maxInFlight: 3,         most: 3 }
  ])("$name", ({ maxInFlight, most }) => {
    const counted = counting(maxInFlight)
    return Effect.gen(function* () {
      const asking = yield* Effect.forkChild(Effect.all(Array.from({ length: 100 }, () => get), { concurrency: "unbounded" }))
      yield* pass(40)
      yield* Fiber.join(asking)
      assert.strictEqual(counted.most(), most)
    }).pipe(Effect.provide(counted.layer))
  })

  it.effect("waiting for its turn counts to nobody's deadline", () => {
    const { layer } = counting(1)
    return Effect.gen(function* () {
      const asking = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 15 }, () => get),
          { concurrency: "unbounded" }
        )
      )
      yield* pass(15)
      assert.strictEqual((yield* Fiber.join(asking)).length, 15)
    }).pipe(Effect.provide(layer))
  })
})

/** A server that accepts one token, and a client that learns the next one after it was refused. */
const rotating = (tokens: ReadonlyArray<string>, accepted: string) => {
  const used: Array<string> = []
  let current = 0
  const layer = overFunction(
    ({ headers }) =>
      Effect.sync(() => {
        used.push(headers["authorization"] ?? "none")
        return headers["authorization"] === accepted ? json(thing("a")) : json(status(401, "Unauthorized"), 401)
      }),
    {
      access: {
        authorization: Effect.sync(() => Redacted.make(tokens[Math.min(current, tokens.length - 1)] ?? "")),
        refused: () => Effect.sync(() => void current++)
      }
    }
  )
  return { used, layer }
}

describe("credentials", () => {
  // oxfmt-ignore
  it.effect.each([
    { name: "a refused token is read anew and the request goes out once more", tokens: ["one", "two"],  accepted: "two",  ending: "ok",     used: ["one", "two"] },
    { name: "the same token is not tried twice",                               tokens: ["one"],         accepted: "two",  ending: "Denied", used: ["one"] },
    { name: "a second refusal is final",                                       tokens: ["one", "two"],  accepted: "none", ending: "Denied", used: ["one", "two"] }
  ])("$name", ({ tokens, accepted, ending, used }) => {
    const server = rotating(tokens, accepted)
    return Effect.gen(function* () {
      const seen = yield* create.pipe(Effect.match({ onSuccess: () => "ok", onFailure: ({ reason }) => reason._tag }))
      assert.deepStrictEqual([seen, server.used], [ending, used])
    }).pipe(Effect.provide(server.layer))
  })

  it.effect("without a token to read nothing is sent: Unavailable, for writes too", () => {
    const authorization = Effect.fail(new ClusterAccessError({ message: "Cannot read the token" }))
    return Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf(create), "Unavailable")
    }).pipe(Effect.provide(overFunction(() => Effect.die("sent"), { access: { authorization } })))
  })
})

describe("over sockets", () => {
  it.live("300 lists use one connection, and a watch does not hold it", () =>
    Effect.gen(function* () {
      const server = yield* serve((request, response) => {
        response.writeHead(200)
        if (request.url?.includes("watch=true") === true) response.flushHeaders()
        else response.end(JSON.stringify({ metadata: { resourceVersion: "7" }, items: [] }))
      })
      yield* Effect.gen(function* () {
        const kubernetes = yield* Kubernetes
        for (let i = 0; i < 300; i++) yield* kubernetes.list(things, {})
        assert.strictEqual(server.accepted(), 1)
      }).pipe(Effect.provide(overNetwork(server.url)))
    })
  )

  it.live("a server that is not there is Unavailable, for writes too", () =>
    Effect.gen(function* () {
      const { url } = yield* Effect.scoped(serve(() => {}))
      assert.strictEqual(yield* reasonOf(create).pipe(Effect.provide(overNetwork(url))), "Unavailable")
    })
  )

  it.live("a write whose connection breaks before the answer is ReplyLost", () =>
    Effect.gen(function* () {
      const server = yield* serve((request) => request.socket.destroy())
      const reasons = Effect.all([reasonOf(create), reasonOf(get)])
      assert.deepStrictEqual(yield* reasons.pipe(Effect.provide(overNetwork(server.url))), ["ReplyLost", "Unavailable"])
    })
  )

  it.live("a write whose answer breaks off is ReplyLost", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => {
        response.writeHead(201, { "content-length": "1000" })
        response.write("{", () => response.destroy())
      })
      assert.strictEqual(yield* reasonOf(create).pipe(Effect.provide(overNetwork(server.url))), "ReplyLost")
    })
  )

  it.live("after a deadline the next request takes a new connection", () =>
    Effect.gen(function* () {
      const server = yield* serve((request, response) => {
        if (request.method === "GET") response.end(JSON.stringify(thing("a")))
      })
      yield* Effect.gen(function* () {
        yield* Effect.all([get, get, get], { concurrency: 3 })
        assert.strictEqual(server.open(), 3)
        assert.strictEqual(
          yield* create.pipe(Effect.provideService(RequestTimeout, Duration.millis(50)), reasonOf),
          "ReplyLost"
        )
        // One of the three carried the write; the two others look whole, and are not trusted again.
        yield* get
        assert.strictEqual(server.accepted(), 4)
      }).pipe(Effect.provide(overNetwork(server.url)))
    })
  )
})
