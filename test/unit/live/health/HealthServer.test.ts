import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Metric, References } from "effect"
import * as HealthServer from "../../../../src/live/health/HealthServer.ts"

const on = (options: Partial<HealthServer.HealthOptions<never>>) =>
  HealthServer.serve({
    port: 0,
    host: "127.0.0.1",
    liveness: Effect.succeed(true),
    readiness: Effect.succeed(true),
    ...options
  })

const ask = (port: number, path: string, method = "GET") =>
  Effect.promise(async () => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method })
    return { status: response.status, body: await response.text(), type: response.headers.get("content-type") }
  })

const post = (port: number, body: string) =>
  Effect.promise(async () => {
    const response = await fetch(`http://127.0.0.1:${port}/witness`, { method: "POST", body })
    return `${response.status} ${await response.text()}`
  })

const yes = Effect.succeed(true)
const no = Effect.succeed(false)

describe("HealthServer", () => {
  // oxfmt-ignore
  it.live.each([
    { name: "alive",                                 path: "/health",        options: { liveness: yes, readiness: no },  answer: "200 ok" },
    { name: "dead",                                  path: "/health",        options: { liveness: no, readiness: yes },  answer: "500 dead" },
    { name: "ready",                                 path: "/ready",         options: { liveness: no, readiness: yes },  answer: "200 ok" },
    { name: "not ready",                             path: "/ready",         options: { liveness: yes, readiness: no },  answer: "423 not-ready" },
    { name: "a query changes nothing",               path: "/ready?verbose", options: { readiness: no },                 answer: "423 not-ready" },
    { name: "a liveness probe that dies is dead",    path: "/health",        options: { liveness: Effect.die("bug") },   answer: "500 dead" },
    { name: "a readiness probe that dies: not ready", path: "/ready",        options: { readiness: Effect.die("bug") },  answer: "423 not-ready" },
    { name: "the root is nothing",                   path: "/",              options: {},                                answer: "404 not found" },
    { name: "a longer path is another",              path: "/health/x",      options: {},                                answer: "404 not found" }
  ])("$name", ({ path, options, answer }) =>
    Effect.gen(function* () {
      const { status, body } = yield* ask(yield* on(options), path)
      assert.strictEqual(`${status} ${body}`, answer)
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None")))

  it.live("only reading is allowed, HEAD is reading", () =>
    Effect.gen(function* () {
      const port = yield* on({})
      assert.strictEqual((yield* ask(port, "/health", "POST")).status, 405)
      assert.deepInclude(yield* ask(port, "/health", "HEAD"), { status: 200, body: "" })
    })
  )

  // oxfmt-ignore
  it.live.each([
    { name: "passes what is asked to the voter, and answers as it does", witness: (text: string) => Effect.succeed(`re: ${text}`), body: "hello", answer: "200 re: hello" },
    { name: "refuses what the voter does not believe",                   witness: () => Effect.succeed(undefined),                body: "hello", answer: "403 not sealed with our key, or for another node" },
    { name: "reads no more than a question can have",                    witness: (text: string) => Effect.succeed(text),          body: "x".repeat(5_000), answer: "413 too long, or too slow" },
    { name: "answers that it failed when the voter dies",                witness: () => Effect.die("bug"),                        body: "hello", answer: "500 no answer" },
    { name: "knows no voter unless there is one",                        witness: undefined,                                      body: "hello", answer: "405 only GET" }
  ])("$name", ({ answer, body, witness }) =>
    Effect.gen(function* () {
      const port = yield* on({ witness })
      assert.strictEqual(yield* post(port, body), answer)
      assert.strictEqual((yield* ask(port, "/health")).status, 200)
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None")))

  it.live("shows the metrics of the process", () =>
    Effect.gen(function* () {
      yield* Metric.update(Metric.counter("plenuslb_test_total", { description: "of this test" }), 3)
      const { body, type } = yield* ask(yield* on({}), "/metrics")
      assert.include(body, "plenuslb_test_total 3")
      assert.strictEqual(type, "text/plain; version=0.0.4; charset=utf-8")
    })
  )

  it.live("shows what is measured when it is asked, and no more once that is not set", () =>
    Effect.gen(function* () {
      const values = [2, 5, undefined]
      const gauge = Metric.gauge("plenuslb_test_measured")
      const measure = Effect.suspend(() => {
        const value = values.shift()
        return value === undefined ? Effect.void : Metric.update(gauge, value)
      })
      const port = yield* on({ measure })
      assert.include((yield* ask(port, "/metrics")).body, "plenuslb_test_measured 2")
      assert.include((yield* ask(port, "/metrics")).body, "plenuslb_test_measured 5")
      assert.notInclude((yield* ask(port, "/metrics")).body, "plenuslb_test_measured")
    })
  )

  it.live("a taken port is named, with the variable that changes it", () =>
    Effect.gen(function* () {
      const port = yield* on({})
      const error = yield* Effect.flip(on({ port }))
      assert.strictEqual(
        error.message,
        `Cannot serve health checks on port ${port}: another process listens on it (in the host's network all pods of a node share its ports). Set HEALTH_PORT to another port.`
      )
    })
  )

  it.live("lets go of its port when its scope closes, also while a probe hangs", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const readiness = Effect.andThen(Deferred.succeed(asked, undefined), Effect.never)
      const hanging = Effect.gen(function* () {
        const port = yield* on({ readiness })
        yield* Effect.forkDetach(Effect.ignoreCause(ask(port, "/ready")))
        yield* Deferred.await(asked)
        return port
      })
      const port = yield* Effect.scoped(hanging)
      assert.strictEqual(yield* on({ port }), port)
    })
  )
})
