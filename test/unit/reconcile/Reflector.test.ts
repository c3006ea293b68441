import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type ConfigMap, configMaps } from "../../../src/api/ConfigMap.ts"
import * as MemoryKubernetes from "../../../src/memory/kubernetes/MemoryKubernetes.ts"
import { Expired, Kubernetes, KubernetesError, Unavailable, type WatchEvent } from "../../../src/ports/Kubernetes.ts"
import { monotonicMillis } from "../../../src/reconcile/Monotonic.ts"
import * as Reflector from "../../../src/reconcile/Reflector.ts"
import { virtually } from "../virtually.ts"

const ref = (name: string) => ({ name, namespace: "default" })
const object = (name: string, value: string): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: ref(name),
  data: { value }
})

const told = (changes: ReadonlyArray<Reflector.Change<ConfigMap>>): ReadonlyArray<string> =>
  changes.map(
    ({ after, before, key }) =>
      `${key.slice("default/".length)}: ${before?.data?.["value"] ?? "-"} to ${after?.data?.["value"] ?? "-"}`
  )

/** A reflector of a server in memory, and what its handler was told. */
const start = Effect.fnUntraced(function* () {
  const memory = yield* MemoryKubernetes.make()
  const api = memory.view("user")
  const changes: Array<Reflector.Change<ConfigMap>> = []
  yield* api.create(configMaps, object("a", "1"))
  const reflector = yield* Reflector.make({
    type: configMaps,
    selection: { namespace: "default" },
    onChange: (change) => changes.push(change)
  }).pipe(Effect.provideService(Kubernetes, memory.view("program")))
  yield* reflector.synced
  yield* Effect.sleep(1)
  const write = (name: string, value: string) => api.patch(configMaps, ref(name), { data: { value } })
  const valueOf = (name: string) => reflector.get(`default/${name}`)?.data?.["value"]
  return { memory, api, changes, reflector, write, valueOf }
})

describe("Reflector on a server in memory", () => {
  it("tells each change once and in order", () => {
    virtually(
      Effect.gen(function* () {
        const { api, changes, write } = yield* start()
        yield* write("a", "2")
        yield* api.create(configMaps, object("b", "1"))
        yield* api.delete(configMaps, ref("a"))
        yield* Effect.sleep(10)
        assert.deepStrictEqual(told(changes), ["a: - to 1", "a: 1 to 2", "b: - to 1", "a: 2 to -"])
      })
    )
  })

  it("tells a delete and a new object of one name as two changes, also when it saw neither", () => {
    virtually(
      Effect.gen(function* () {
        const { api, changes, memory } = yield* start()
        memory.watches.silence(() => true)
        yield* api.delete(configMaps, ref("a"))
        yield* api.create(configMaps, object("a", "9"))
        memory.watches.expire(() => true)
        yield* Effect.sleep(2_000)
        assert.deepStrictEqual(told(changes), ["a: - to 1", "a: 1 to -", "a: - to 9"])
      })
    )
  })

  it.each([
    [
      "an expired version (410)",
      (memory: MemoryKubernetes.MemoryKubernetes) => {
        memory.expireHistory()
        memory.watches.expire(() => true)
      }
    ],
    ["a connection that was reset", (memory: MemoryKubernetes.MemoryKubernetes) => memory.watches.reset(() => true)],
    ["a watch that the server closed", (memory: MemoryKubernetes.MemoryKubernetes) => memory.watches.drop(() => true)]
  ])("catches up after %s, deletions included", (_, disturb) => {
    virtually(
      Effect.gen(function* () {
        const { api, memory, valueOf, write } = yield* start()
        yield* api.create(configMaps, object("b", "1"))
        yield* Effect.sleep(1)
        memory.watches.silence(() => true)
        yield* write("a", "2")
        yield* api.delete(configMaps, ref("b"))
        disturb(memory)
        yield* Effect.sleep(5_000)
        assert.deepStrictEqual([valueOf("a"), valueOf("b")], ["2", undefined])
        yield* write("a", "3")
        yield* Effect.sleep(10)
        assert.strictEqual(valueOf("a"), "3")
      })
    )
  })

  it("waits longer and longer while the server cannot be reached, and lists nothing meanwhile", () => {
    virtually(
      Effect.gen(function* () {
        const { memory } = yield* start()
        const before = memory.requests().get("program watch configmaps") ?? 0
        memory.faults.setPolicy(() => Effect.succeed({ refuse: new Unavailable({ message: "no route" }) }))
        memory.watches.reset(() => true)
        yield* Effect.sleep("60 seconds")
        const asked = (memory.requests().get("program watch configmaps") ?? 0) - before
        assert.isAbove(asked, 5)
        assert.isBelow(asked, 25)
        assert.strictEqual(memory.requests().get("program list configmaps"), 1)
      })
    )
  })

  it("goes on from where it was when it is told to reconnect: a watch that died in silence, and a long pause, end", () => {
    virtually(
      Effect.gen(function* () {
        const { changes, memory, reflector, write } = yield* start()
        memory.watches.silence(() => true)
        yield* write("a", "2")
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual(told(changes), ["a: - to 1"])
        reflector.reconnect()
        yield* Effect.sleep(10)
        assert.deepStrictEqual(told(changes), ["a: - to 1", "a: 1 to 2"])
        memory.faults.setPolicy(() => Effect.succeed({ refuse: new Unavailable({ message: "no route" }) }))
        memory.watches.reset(() => true)
        yield* Effect.sleep("60 seconds")
        memory.faults.setPolicy(() => Effect.succeed({}))
        yield* write("a", "3")
        reflector.reconnect()
        yield* Effect.sleep(10)
        assert.deepStrictEqual(told(changes), ["a: - to 1", "a: 1 to 2", "a: 2 to 3"])
        assert.strictEqual(memory.requests().get("program list configmaps"), 1)
      })
    )
  })

  it("has an own write at once, and is not thrown back by older events that still arrive", () => {
    virtually(
      Effect.gen(function* () {
        const { changes, memory, reflector, valueOf, write } = yield* start()
        memory.faults.setDelivery(() => Effect.sleep(500))
        yield* write("a", "2")
        const last = yield* write("a", "3")
        reflector.absorb(last)
        assert.strictEqual(valueOf("a"), "3")
        yield* Effect.sleep(5_000)
        assert.strictEqual(valueOf("a"), "3")
        assert.deepStrictEqual(told(changes), ["a: - to 1", "a: 1 to 3"])
      })
    )
  })

  it("does not bring back what was deleted, when the reply to an earlier write comes late", () => {
    virtually(
      Effect.gen(function* () {
        const { api, reflector, valueOf, write } = yield* start()
        const late = yield* write("a", "2")
        yield* api.delete(configMaps, ref("a"))
        yield* Effect.sleep(10)
        reflector.absorb(late)
        assert.isUndefined(valueOf("a"))
      })
    )
  })
})

const refuse = () => Effect.die(new Error("not asked for"))
const answer = (value: unknown) => value as never

/** A server that says what the test says. */
const scripted = (events: ReadonlyArray<WatchEvent<ConfigMap>>): Kubernetes["Service"] =>
  Kubernetes.of({
    get: refuse,
    list: () => Effect.succeed(answer({ items: [versioned("a", "1", "5")], undecodable: [], resourceVersion: "5" })),
    watch: () => answer(Stream.concat(Stream.fromIterable(events), Stream.never)),
    create: refuse,
    replace: refuse,
    patch: refuse,
    apply: refuse,
    delete: refuse
  })

const versioned = (name: string, value: string, resourceVersion: string, uid = "u1"): ConfigMap => ({
  ...object(name, value),
  metadata: { ...ref(name), uid, resourceVersion }
})
const unread = (name: string, resourceVersion: string, uid = "u1") => ({
  metadata: { ...ref(name), uid, resourceVersion },
  message: "data.value: not expected"
})

describe("Reflector, of objects that cannot be decoded", () => {
  const follow = Effect.fnUntraced(function* (events: ReadonlyArray<WatchEvent<ConfigMap>>) {
    const log: Array<string> = []
    const reflector = yield* Reflector.make({
      type: configMaps,
      onChange: ({ after, key }) => log.push(`${key} is ${after?.data?.["value"] ?? "gone"}`),
      onUndecodable: (key, { message }) => log.push(`${key} cannot be read: ${message}`),
      onUndecodableGone: (key) => log.push(`${key} is gone unread`)
    }).pipe(Effect.provideService(Kubernetes, scripted(events)))
    yield* Effect.sleep(10)
    return { log, reflector }
  })

  it("keeps the last readable state, tells why, and heals", () => {
    virtually(
      Effect.gen(function* () {
        const { log, reflector } = yield* follow([{ type: "Undecodable", object: unread("a", "7") }])
        assert.strictEqual(reflector.get("default/a")?.data?.["value"], "1")
        assert.isTrue(reflector.undecodable.has("default/a"))
        reflector.absorb(versioned("a", "6", "6"))
        assert.isTrue(reflector.undecodable.has("default/a"), "an older state does not make it readable")
        reflector.absorb(versioned("a", "8", "8"))
        assert.isFalse(reflector.undecodable.has("default/a"))
        assert.deepStrictEqual(log, [
          "default/a is 1",
          "default/a cannot be read: data.value: not expected",
          "default/a is 8"
        ])
      })
    )
  })

  it("drops the last readable state of another object of that name", () => {
    virtually(
      Effect.gen(function* () {
        const { reflector } = yield* follow([{ type: "Undecodable", object: unread("a", "6", "u2") }])
        assert.isUndefined(reflector.get("default/a"))
      })
    )
  })

  it("knows a deletion when it sees one", () => {
    virtually(
      Effect.gen(function* () {
        const { log, reflector } = yield* follow([
          { type: "Undecodable", object: unread("a", "6") },
          { type: "Undecodable", object: unread("b", "7") },
          { type: "Undecodable", object: unread("a", "8"), deleted: true },
          { type: "Undecodable", object: unread("b", "9"), deleted: true }
        ])
        assert.strictEqual(reflector.undecodable.size, 0)
        assert.strictEqual(reflector.size(), 0)
        assert.deepStrictEqual(log.slice(-2), ["default/a is gone", "default/b is gone unread"])
      })
    )
  })
})

type Watch = Stream.Stream<WatchEvent<ConfigMap>, KubernetesError>
const refusedAs = (reason: KubernetesError["reason"]): Watch =>
  Stream.fail(new KubernetesError({ method: "watch", resource: "configmaps", reason }))

describe("Reflector of a server that keeps no watch open", () => {
  /** When it lists and watches; `watchOf`: what becomes of each watch, by its number. */
  const follow = Effect.fnUntraced(function* (watchOf: (index: number) => Watch) {
    const [lists, watches] = [new Array<number>(), new Array<number>()]
    const server = scripted([])
    const list = () => Effect.flatMap(monotonicMillis, (now) => (lists.push(now), server.list(configMaps, {})))
    const watch = () => Stream.unwrap(Effect.map(monotonicMillis, (now) => watchOf(watches.push(now) - 1)))
    yield* Reflector.make({ type: configMaps }).pipe(
      Effect.provideService(Kubernetes, Kubernetes.of({ ...server, list: answer(list), watch: answer(watch) }))
    )
    yield* Effect.sleep("1 minute")
    return { lists, watches }
  })

  it.each([
    ["refused as expired", refusedAs(new Expired())],
    ["closed at once", Stream.empty]
  ])("asks less and less often while each is %s", (_, each) => {
    virtually(
      Effect.gen(function* () {
        const { watches } = yield* follow(() => each)
        assert.isAbove(watches.length, 5)
        assert.isBelow(watches.length, 25)
      })
    )
  })

  it("lists anew within half a second when a version expired during a long outage", () => {
    virtually(
      Effect.gen(function* () {
        const outage = 7
        const { lists, watches } = yield* follow((index) => {
          if (index < outage) return refusedAs(new Unavailable({ message: "no route" }))
          return index === outage ? refusedAs(new Expired()) : Stream.never
        })
        assert.lengthOf(watches, outage + 2)
        assert.isAtMost((lists[1] ?? 0) - (watches[outage] ?? 0), 500)
      })
    )
  })
})

describe("a handler that throws", () => {
  it("is logged, and told of what comes after, by the watch and by lists", () => {
    virtually(
      Effect.gen(function* () {
        const memory = yield* MemoryKubernetes.make()
        const api = memory.view("user")
        const heard: Array<string> = []
        yield* api.create(configMaps, object("a", "odd"))
        const reflector = yield* Reflector.make({
          type: configMaps,
          selection: { namespace: "default" },
          onChange: ({ after, key }) => {
            if (after?.data?.["value"] === "odd") throw new Error("cannot be")
            heard.push(`${key} ${after?.data?.["value"]}`)
          }
        }).pipe(Effect.provideService(Kubernetes, memory.view("program")))
        yield* Effect.sleep(10)
        assert.isTrue(reflector.isSynced())
        yield* api.create(configMaps, object("b", "1"))
        yield* Effect.sleep(10)
        yield* api.patch(configMaps, ref("b"), { data: { value: "odd" } })
        yield* Effect.sleep(10)
        yield* api.patch(configMaps, ref("b"), { data: { value: "2" } })
        yield* Effect.sleep(10)
        assert.deepStrictEqual(heard, ["default/b 1", "default/b 2"])
      })
    )
  })
})
