/** The faults that a test or the simulator can set, and what can be seen from outside. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import { configMaps } from "../../../../src/api/ConfigMap.ts"
import { customResourceDefinitions } from "../../../../src/api/Crd.ts"
import { installedCrds } from "../../../../src/api/CustomResourceDefinition.ts"
import { ipAllocations } from "../../../../src/api/IPAllocation.ts"
import * as MemoryKubernetes from "../../../../src/memory/kubernetes/MemoryKubernetes.ts"
import type { KubernetesError, WatchEvent } from "../../../../src/ports/Kubernetes.ts"
import { Conflict, Denied, Throttled, Unavailable } from "../../../../src/ports/Kubernetes.ts"
import { runVirtually } from "../../../conformance/kubernetes/VirtualTime.ts"

type Memory = MemoryKubernetes.MemoryKubernetes

/** On a server of its own, in virtual time. */
const inMemory =
  (body: (memory: Memory) => Effect.Effect<void, unknown>, options: MemoryKubernetes.Options = {}) =>
  (): void => {
    const exit = runVirtually(Effect.flatMap(MemoryKubernetes.make(options), body))
    assert.isTrue(Exit.isSuccess(exit), String(exit))
  }

const a = { namespace: "default", name: "a" }
const configMap = (name = "a") => ({ metadata: { name, namespace: "default" }, data: { key: "value" } })
const tagOf = <A>(effect: Effect.Effect<A, KubernetesError>): Effect.Effect<string> =>
  Effect.match(effect, { onSuccess: () => "ok", onFailure: (error) => error.reason._tag })
const named = (event: WatchEvent<{ readonly metadata: { readonly name: string } }>): string =>
  event.type === "Bookmark" ? "Bookmark" : `${event.type} ${event.object.metadata.name}`

/** Watches ConfigMaps from now; `ended` is `ok` or a reason, `seen` what arrived until then. */
const watched = (memory: Memory, user = "one") =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const { view, truth } = memory
    const stream = view(user).watch(configMaps, {}, String(truth.version()))
    const fiber = yield* Stream.runForEach(stream, (event) => Effect.sync(() => seen.push(named(event)))).pipe(
      tagOf,
      Effect.forkChild
    )
    yield* Effect.sleep(1)
    return { seen, ended: Fiber.join(fiber), fiber }
  })

describe("faults of requests", () => {
  // oxfmt-ignore
  it.each([
    ["Unavailable", new Unavailable({ message: "refused" })],
    ["Conflict", new Conflict({ message: "by wish" })],
    ["Throttled", new Throttled({ retryAfterMillis: 500 })],
    ["Denied", new Denied({ status: 403, message: "no more" })]
  ] as const)("a request that is refused as %s has written nothing", (tag, refuse) => {
    const program = Effect.gen(function* () {
      const memory = yield* MemoryKubernetes.make()
      memory.faults.next(() => true, { refuse })
      assert.strictEqual(yield* tagOf(memory.view("one").create(configMaps, configMap())), tag)
      assert.isUndefined(memory.truth.get(configMaps, a))
    })
    assert.isTrue(Exit.isSuccess(runVirtually(program)))
  })

  it(
    "a write whose reply is lost has happened, and is ReplyLost",
    inMemory((memory) =>
      Effect.gen(function* () {
        memory.faults.next(({ method }) => method === "create", { loseReply: true })
        assert.strictEqual(yield* tagOf(memory.view("one").create(configMaps, configMap())), "ReplyLost")
        assert.deepStrictEqual(memory.truth.get(configMaps, a)?.data, { key: "value" })
      })
    )
  )

  it(
    "a read whose reply is lost is Unavailable",
    inMemory((memory) =>
      Effect.gen(function* () {
        memory.faults.next(({ method }) => method === "list", { loseReply: true })
        assert.strictEqual(yield* tagOf(memory.view("one").list(configMaps, {})), "Unavailable")
      })
    )
  )

  it(
    "a fault strikes the first request that it fits, once",
    inMemory((memory) =>
      Effect.gen(function* () {
        const kubernetes = memory.view("one")
        memory.faults.next(({ name }) => name === "b", { refuse: new Unavailable({ message: "refused" }) })
        const outcomes = yield* Effect.forEach(["a", "b", "b"], (name) =>
          tagOf(kubernetes.create(configMaps, configMap(name)))
        )
        assert.deepStrictEqual(outcomes, ["ok", "Unavailable", "ok"])
      })
    )
  )

  it(
    "a slow request sees the state at the end of its delay, a slow reply that at its beginning",
    inMemory((memory) =>
      Effect.gen(function* () {
        const kubernetes = memory.view("one")
        yield* kubernetes.create(configMaps, configMap())
        memory.faults.next(() => true, { delayMillis: 100 })
        memory.faults.next(() => true, { replyDelayMillis: 100 })
        const late = yield* Effect.forkChild(kubernetes.get(configMaps, a))
        const early = yield* Effect.forkChild(kubernetes.get(configMaps, a))
        yield* Effect.sleep(50)
        yield* memory.view("two").patch(configMaps, a, { data: { key: "changed" } })
        assert.deepStrictEqual((yield* Fiber.join(late)).data, { key: "changed" })
        assert.deepStrictEqual((yield* Fiber.join(early)).data, { key: "value" })
      })
    )
  )

  it(
    "a policy may cut one client off and leave the others",
    inMemory((memory) =>
      Effect.gen(function* () {
        const cut = { refuse: new Unavailable({ message: "partition" }) }
        memory.faults.setPolicy(({ user }) => Effect.succeed(user === "one" ? cut : {}))
        assert.strictEqual(yield* tagOf(memory.view("one").create(configMaps, configMap())), "Unavailable")
        assert.strictEqual(yield* tagOf(memory.view("two").create(configMaps, configMap())), "ok")
      })
    )
  )

  it(
    "requests are counted by client, method and kind, refused ones too",
    inMemory((memory) =>
      Effect.gen(function* () {
        const kubernetes = memory.view("one")
        memory.faults.next(() => true, { refuse: new Unavailable({ message: "refused" }) })
        yield* Effect.exit(kubernetes.get(configMaps, a))
        yield* Effect.exit(kubernetes.get(configMaps, a))
        yield* Effect.exit(memory.view("two").patch(ipAllocations, a, {}, { subresource: "status" }))
        assert.deepStrictEqual(
          [...memory.requests()],
          [
            ["one get configmaps", 2],
            ["two patch ipallocations/status", 1]
          ]
        )
      })
    )
  )
})

describe("faults of watches", () => {
  it(
    "a dropped watch ends without error, and another one continues from the last version",
    inMemory((memory) =>
      Effect.gen(function* () {
        const first = yield* watched(memory)
        yield* memory.view("two").create(configMaps, configMap("a"))
        yield* Effect.sleep(1)
        const version = memory.truth.version()
        memory.watches.drop(() => true)
        assert.strictEqual(yield* first.ended, "ok")
        assert.deepStrictEqual(first.seen, ["Added a"])
        yield* memory.view("two").create(configMaps, configMap("b"))
        const [next] = yield* memory
          .view("one")
          .watch(configMaps, {}, String(version))
          .pipe(Stream.take(1), Stream.runCollect)
        assert.strictEqual(next === undefined ? "" : named(next), "Added b")
      })
    )
  )

  it(
    "a reset watch is Unavailable, an expired one is Expired",
    inMemory((memory) =>
      Effect.gen(function* () {
        const one = yield* watched(memory, "one")
        const two = yield* watched(memory, "two")
        memory.watches.reset(({ user }) => user === "one")
        memory.watches.expire(({ user }) => user === "two")
        assert.deepStrictEqual([yield* one.ended, yield* two.ended], ["Unavailable", "Expired"])
      })
    )
  )

  it(
    "a silent watch neither delivers nor ends, the others go on",
    inMemory((memory) =>
      Effect.gen(function* () {
        const dead = yield* watched(memory, "one")
        const alive = yield* watched(memory, "two")
        memory.watches.silence(({ user }) => user === "one")
        yield* memory.view("three").create(configMaps, configMap())
        yield* Effect.sleep(200_000)
        assert.deepStrictEqual(dead.seen, [])
        assert.deepStrictEqual(alive.seen, ["Added a", "Bookmark", "Bookmark", "Bookmark"])
        assert.isUndefined(dead.fiber.pollUnsafe())
      })
    )
  )

  it(
    "an interrupted watch is no longer open",
    inMemory((memory) =>
      Effect.gen(function* () {
        const { fiber } = yield* watched(memory)
        assert.strictEqual(memory.watches.open().length, 1)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(memory.watches.open(), [])
      })
    )
  )

  it(
    "after the history is expired no earlier version can be watched, the current one can",
    inMemory((memory) =>
      Effect.gen(function* () {
        const kubernetes = memory.view("one")
        const { resourceVersion } = yield* kubernetes.list(configMaps, {})
        yield* kubernetes.create(configMaps, configMap("a"))
        memory.expireHistory()
        const old = kubernetes.watch(configMaps, {}, resourceVersion)
        assert.strictEqual(yield* tagOf(Stream.runDrain(old)), "Expired")
        const current = yield* watched(memory)
        yield* kubernetes.create(configMaps, configMap("b"))
        yield* Effect.sleep(1)
        assert.deepStrictEqual(current.seen, ["Added b"])
      })
    )
  )

  it(
    "the history is bounded",
    inMemory(
      (memory) =>
        Effect.gen(function* () {
          const kubernetes = memory.view("one")
          const { resourceVersion } = yield* kubernetes.list(configMaps, {})
          for (let index = 0; index < 100; index++) yield* kubernetes.create(configMaps, configMap(`a${index}`))
          const old = kubernetes.watch(configMaps, {}, resourceVersion)
          assert.strictEqual(yield* tagOf(Stream.runDrain(old)), "Expired")
        }),
      { historyMax: 10 }
    )
  )

  it(
    "bookmarks name the version of everything seen, also on demand",
    inMemory(
      (memory) =>
        Effect.gen(function* () {
          const stream = memory.view("one").watch(configMaps, {}, String(memory.truth.version()))
          const fiber = yield* stream.pipe(Stream.take(1), Stream.runCollect, Effect.forkChild)
          yield* Effect.sleep(1)
          yield* memory.view("two").create(ipAllocations, {
            metadata: { name: "a", namespace: "default" },
            spec: { type: "persistent", allocations: [] }
          })
          memory.watches.bookmark(() => true)
          const expected = { type: "Bookmark", resourceVersion: String(memory.truth.version()) }
          assert.deepStrictEqual([...(yield* Fiber.join(fiber))], [expected])
        }),
      { customResourceDefinitions }
    )
  )

  it(
    "a slow delivery keeps the order",
    inMemory((memory) =>
      Effect.gen(function* () {
        memory.faults.setDelivery(() => Effect.sleep(1000))
        const { seen } = yield* watched(memory)
        for (const name of ["a", "b", "c"]) yield* memory.view("two").create(configMaps, configMap(name))
        yield* Effect.sleep(2500)
        assert.deepStrictEqual(seen, ["Added a", "Added b"])
        yield* Effect.sleep(1000)
        assert.deepStrictEqual(seen, ["Added a", "Added b", "Added c"])
      })
    )
  )
})

describe("the truth", () => {
  it(
    "a listener hears of each change within its commit",
    inMemory((memory) =>
      Effect.gen(function* () {
        const versions: Array<number> = []
        const end = memory.truth.subscribe(({ version }) => versions.push(version))
        yield* memory.view("one").create(configMaps, configMap("a"))
        assert.deepStrictEqual(versions, [memory.truth.version()])
        end()
        yield* memory.view("one").create(configMaps, configMap("b"))
        assert.strictEqual(versions.length, 1)
      })
    )
  )

  it(
    "a kind whose definition is deleted is gone, with all its objects, until it is installed again",
    inMemory(
      (memory) =>
        Effect.gen(function* () {
          const kubernetes = memory.view("one")
          const allocation = {
            metadata: { name: "a", namespace: "default" },
            spec: { type: "persistent", allocations: [] }
          }
          yield* kubernetes.create(ipAllocations, { ...allocation, spec: { type: "persistent", allocations: [] } })
          yield* kubernetes.delete(installedCrds, { name: "ipallocations.loadbalancing.plenus.io" })
          const error = yield* Effect.flip(kubernetes.get(ipAllocations, a))
          assert.isTrue(error.reason._tag === "NotFound" && error.reason.kindMissing)
          const [, , definition] = customResourceDefinitions
          yield* kubernetes.apply(
            installedCrds,
            { ...definition, metadata: definition?.metadata ?? { name: "" } },
            { fieldManager: "x" }
          )
          assert.deepStrictEqual((yield* kubernetes.list(ipAllocations, {})).items, [])
        }),
      { customResourceDefinitions }
    )
  )
})
