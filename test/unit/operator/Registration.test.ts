import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import type { Lease } from "../../../src/api/Lease.ts"
import { leases } from "../../../src/api/Lease.ts"
import { nodeLeaseAnnotations as keys, nodeLeaseName } from "../../../src/api/Names.ts"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import * as HoldId from "../../../src/domain/HoldId.ts"
import type { Fault } from "../../../src/memory/kubernetes/Faults.ts"
import * as MemoryKubernetes from "../../../src/memory/kubernetes/MemoryKubernetes.ts"
import { Attempts } from "../../../src/operator/Attempts.ts"
import * as Registration from "../../../src/operator/Registration.ts"
import { Conflict, Kubernetes } from "../../../src/ports/Kubernetes.ts"
import { monotonicMillis } from "../../../src/reconcile/Monotonic.ts"
import { virtually } from "../virtually.ts"

const askAgainMillis = 334

const newIdentity = (): Registration.Identity => ({
  node: "n1",
  namespace: "default",
  bootId: "boot-1",
  systemUuid: "machine-1",
  nonce: "process-1",
  durationMillis: 6_500,
  instanceId: undefined,
  attempts: new Attempts(),
  askAgainMillis
})
const ref = { name: nodeLeaseName("n1"), namespace: "default" }
const interfaces = { pl0: "" }
const holdId = (text: string) => Result.getOrThrow(HoldId.parse(text))

const world = Effect.gen(function* () {
  const identity = newIdentity()
  const memory = yield* MemoryKubernetes.make()
  const api = memory.view("user")
  const withApi = <A, E>(effect: Effect.Effect<A, E, Kubernetes>) =>
    Effect.provideService(effect, Kubernetes, memory.view("operator"))
  const register = (some: Partial<Registration.Identity> = {}, more: Partial<Registration.Registering> = {}) =>
    withApi(Registration.register({ ...identity, ...some }, { interfaces, ...more }))
  const renew = (current: Registration.Registered, more: Partial<Registration.Renewing> = {}) =>
    withApi(Registration.renew(identity, current, { interfaces, ...more }))
  const present = (): NodeLease.NodeLease | undefined => {
    const lease = memory.truth.get(leases, ref)
    return lease === undefined ? undefined : NodeLease.read(lease)
  }
  const annotate = (annotations: { readonly [key: string]: string }) =>
    api.patch(leases, ref, { metadata: { annotations } })
  return { memory, api, register, renew, present, annotate }
})

const generationOf = ({ content }: Registration.Registered) => HoldId.generationOf(content.holdId)
const remove = (api: Kubernetes["Service"]) =>
  Effect.andThen(api.patch(leases, ref, { metadata: { finalizers: [] } }), api.delete(leases, ref))

describe("Registration.register", () => {
  it("begins with generation 1, says at once what the node can hold, and is protected by our finalizer", () => {
    virtually(
      Effect.gen(function* () {
        const { memory, present, register } = yield* world
        assert.strictEqual(generationOf(yield* register()), 1)
        assert.deepStrictEqual(present()?.interfaces, interfaces)
        assert.deepStrictEqual(memory.truth.get(leases, ref)?.metadata.finalizers, ["loadbalancing.plenus.io/cleanup"])
      })
    )
  })

  it("keeps the hold id over a restart of the operator on one boot (R1)", () => {
    virtually(
      Effect.gen(function* () {
        const { register } = yield* world
        const first = yield* register()
        const second = yield* register({ nonce: "process-2" })
        assert.strictEqual(second.content.holdId, first.content.holdId)
        assert.strictEqual(second.content.nonce, "process-2")
      })
    )
  })

  it.each([
    ["was fenced", keys.fenced],
    ["was given back", keys.released]
  ])("takes a new one, a generation higher, when the former one %s", (_, key) => {
    virtually(
      Effect.gen(function* () {
        const { annotate, present, register } = yield* world
        const first = yield* register()
        yield* annotate({ [key]: first.content.holdId })
        assert.strictEqual(generationOf(yield* register()), 2)
        assert.deepStrictEqual([present()?.fenced, present()?.released], [undefined, undefined])
      })
    )
  })

  // oxfmt-ignore
  it.each([
    ["of this machine before it was rebooted is taken",                "machine-1", "n1,n2", false, "taken"],
    ["of another machine that names voters is not: they may keep it",  "machine-2", "n1,n2", false, "Foreign"],
    ["of another machine that is alone by its word is not",            "machine-2", "n1",    false, "Foreign"],
    ["of another machine that names nobody is taken",                  "machine-2", "",      false, "taken"],
    ["of another machine that is fenced is taken",                     "machine-2", "n1,n2", true,  "taken"]
  ])("once it was watched, a lease of another boot %s (R9)", (_, systemUuid, voters, isFenced, then) => {
    virtually(
      Effect.gen(function* () {
        const { annotate, memory, register } = yield* world
        const first = yield* register()
        yield* annotate({
          ...(voters === "" ? {} : { [keys.voters]: voters }),
          ...(isFenced ? { [keys.fenced]: first.content.holdId } : {})
        })
        const takeover = memory.truth.get(leases, ref)
        const registered = register({ bootId: "boot-2", systemUuid }, { takeover })
        const outcome = yield* Effect.match(registered, {
          onSuccess: (taken) => (generationOf(taken) === 2 ? "taken" : "not under a new id"),
          onFailure: ({ _tag }) => _tag
        })
        assert.strictEqual(outcome, then)
      })
    )
  })

  it("refuses a lease of another boot until that version was watched, and takes a new id then (R9)", () => {
    virtually(
      Effect.gen(function* () {
        const { annotate, register } = yield* world
        const first = yield* register()
        const foreign = yield* Effect.flip(register({ bootId: "boot-2" }))
        assert.strictEqual(foreign._tag, "Foreign")
        const takeover: Lease = first.lease
        yield* annotate({ [keys.attempt]: "77" })
        assert.strictEqual((yield* Effect.flip(register({ bootId: "boot-2" }, { takeover })))._tag, "Foreign")
        const latest = foreign._tag === "Foreign" ? yield* Effect.flip(register({ bootId: "boot-2" })) : foreign
        const version = latest._tag === "Foreign" ? latest.lease : takeover
        assert.strictEqual(generationOf(yield* register({ bootId: "boot-2" }, { takeover: version })), 2)
      })
    )
  })

  it("waits for the longer of its own duration and the announced one", () => {
    virtually(
      Effect.gen(function* () {
        const { register } = yield* world
        yield* register({ durationMillis: 30_000 })
        const foreign = yield* Effect.flip(register({ bootId: "boot-2" }))
        assert.strictEqual(foreign._tag === "Foreign" ? foreign.durationMillis : 0, 30_000)
      })
    )
  })

  it("does not begin to wait anew when a leader fences the lease meanwhile (seed 964 of the simulation)", () => {
    virtually(
      Effect.gen(function* () {
        const { annotate, register } = yield* world
        const { content, lease } = yield* register({ durationMillis: 60_000 })
        yield* annotate({ [keys.fenced]: content.holdId })
        assert.strictEqual(generationOf(yield* register({ bootId: "boot-2" }, { takeover: lease })), 2)
      })
    )
  })

  it("starts after every id that anything names when its lease was deleted", () => {
    virtually(
      Effect.gen(function* () {
        const { api, register } = yield* world
        yield* register()
        yield* remove(api)
        assert.strictEqual(generationOf(yield* register({}, { newestHoldId: holdId("7.abc") })), 8)
      })
    )
  })

  it("does not keep an id that is older than what allocations name", () => {
    virtually(
      Effect.gen(function* () {
        const { register } = yield* world
        yield* register()
        assert.strictEqual(generationOf(yield* register({}, { newestHoldId: holdId("3.abc") })), 4)
      })
    )
  })

  it("finds its own registration again when the reply was lost", () => {
    virtually(
      Effect.gen(function* () {
        const { memory, present, register } = yield* world
        memory.faults.next(({ method }) => method === "create", { loseReply: true })
        assert.strictEqual((yield* Effect.flip(register()))._tag, "KubernetesError")
        const written = present()?.holdId
        assert.strictEqual((yield* register()).content.holdId, written)
      })
    )
  })
})

describe("Registration.renew", () => {
  it("counts its attempts, and changes nothing else", () => {
    virtually(
      Effect.gen(function* () {
        const { present, register, renew } = yield* world
        const first = yield* register()
        const renewal = yield* renew(first)
        assert.strictEqual(renewal._tag, "Renewed")
        assert.deepStrictEqual(present(), { ...first.content, attempt: 2 })
      })
    )
  })

  it("recognises its own write when the reply was lost", () => {
    virtually(
      Effect.gen(function* () {
        const { memory, register, renew } = yield* world
        const first = yield* register()
        memory.faults.next(({ method }) => method === "replace", { loseReply: true })
        const renewal = yield* renew(first)
        assert.strictEqual(renewal._tag === "Renewed" ? renewal.registered.content.attempt : 0, 2)
        assert.strictEqual((yield* renew(renewal._tag === "Renewed" ? renewal.registered : first))._tag, "Renewed")
      })
    )
  })

  it("dates what an earlier attempt has written by the sending of that one (R3)", () => {
    virtually(
      Effect.gen(function* () {
        const { memory, register, renew } = yield* world
        const first = yield* register()
        yield* Effect.sleep(100)
        const sentAtMillis = yield* monotonicMillis
        memory.faults.next(({ method }) => method === "replace", { loseReply: true })
        memory.faults.next(({ method }) => method === "get", { loseReply: true })
        assert.strictEqual((yield* Effect.flip(renew(first)))._tag, "KubernetesError")
        yield* Effect.sleep(700)
        const renewal = yield* renew(first)
        assert.deepStrictEqual(
          renewal._tag === "Adopted" ? [renewal.registered.content.attempt, renewal.sentAtMillis] : [],
          [2, sentAtMillis]
        )
      })
    )
  })

  it("adopts a version that another wrote without fencing, and is as old as before", () => {
    virtually(
      Effect.gen(function* () {
        const { api, register, renew } = yield* world
        const sentAtMillis = yield* monotonicMillis
        const first = yield* register()
        yield* api.patch(leases, ref, { metadata: { labels: { team: "a" } } })
        yield* Effect.sleep(500)
        const renewal = yield* renew(first)
        assert.strictEqual(renewal._tag === "Adopted" ? renewal.sentAtMillis : undefined, sentAtMillis)
      })
    )
  })

  it("learns that it is fenced", () => {
    virtually(
      Effect.gen(function* () {
        const { annotate, register, renew } = yield* world
        const first = yield* register()
        yield* annotate({ [keys.fenced]: first.content.holdId })
        assert.strictEqual((yield* renew(first))._tag, "Fenced")
      })
    )
  })

  it("treats a lease that is gone, or made anew, as a fence", () => {
    virtually(
      Effect.gen(function* () {
        const { api, register, renew } = yield* world
        const first = yield* register()
        yield* remove(api)
        assert.strictEqual((yield* renew(first))._tag, "Fenced")
        assert.isUndefined((yield* Effect.result(api.get(leases, ref)))._tag === "Success" ? "revived" : undefined)
        yield* register({ nonce: "process-2" })
        assert.strictEqual((yield* renew(first))._tag, "Fenced")
      })
    )
  })

  it("ends when another process of this boot has the lease", () => {
    virtually(
      Effect.gen(function* () {
        const { register, renew } = yield* world
        const first = yield* register()
        yield* register({ nonce: "process-2" })
        assert.strictEqual((yield* Effect.flip(renew(first)))._tag, "Superseded")
      })
    )
  })

  it("is displaced when another boot has it", () => {
    virtually(
      Effect.gen(function* () {
        const { register, renew } = yield* world
        const first = yield* register()
        yield* register({ bootId: "boot-2" }, { takeover: first.lease })
        assert.strictEqual((yield* Effect.flip(renew(first)))._tag, "Displaced")
      })
    )
  })

  // oxfmt-ignore
  it.each<[string, ReadonlyArray<Fault>, string, number, number]>([
    // name                                                             of the writes, in order                                             outcome    writes  after
    ["is sent once when it is answered in time",                         [{ replyDelayMillis: askAgainMillis - 1 }],                         "Renewed", 1,      askAgainMillis - 1],
    ["is sent again when it did not arrive",                             [{ delayMillis: 10_000 }],                                          "Renewed", 2,      askAgainMillis],
    ["is read back when it did, and its answer does not come",           [{ replyDelayMillis: 10_000 }],                                     "Renewed", 2,      askAgainMillis],
    ["counts when its answer comes first after all",                     [{ replyDelayMillis: 500 }, { delayMillis: 10_000 }],               "Renewed", 2,      500],
    ["waits for the first when the second says nothing",                 [{ replyDelayMillis: 500 }, { loseReply: true }],                   "Renewed", 2,      500],
    ["waits for the second when the first says nothing in the end",      [{ delayMillis: 400, loseReply: true }, { delayMillis: 200 }],      "Renewed", 2,      askAgainMillis + 200],
    ["is not sent again when it was refused",                            [{ refuse: new Conflict({ message: "" }) }],                        "Adopted", 1,      0]
  ])("a renewal %s", (_, faults, outcome, writesCount, afterMillis) => {
    virtually(
      Effect.gen(function* () {
        const { memory, register, renew } = yield* world
        const first = yield* register()
        const sentAtMillis = yield* monotonicMillis
        for (const fault of faults) memory.faults.next(({ method }) => method === "replace", fault)
        const renewal = yield* renew(first)
        assert.strictEqual(renewal._tag, outcome)
        assert.strictEqual((yield* monotonicMillis) - sentAtMillis, afterMillis)
        if (renewal._tag === "Renewed") {
          assert.deepStrictEqual([renewal.sentAtMillis, renewal.registered.content.attempt], [sentAtMillis, 2])
        }
        assert.strictEqual(memory.requests().get("operator replace leases"), writesCount)
      })
    )
  })

  it("learns that it is fenced when it asks again after its first write has arrived", () => {
    virtually(
      Effect.gen(function* () {
        const { annotate, memory, register, renew } = yield* world
        const first = yield* register()
        memory.faults.next(({ method }) => method === "replace", { replyDelayMillis: 10_000 })
        const renewing = yield* Effect.forkChild(renew(first))
        yield* Effect.sleep(askAgainMillis - 1)
        yield* annotate({ [keys.fenced]: first.content.holdId })
        assert.strictEqual((yield* Fiber.join(renewing))._tag, "Fenced")
      })
    )
  })

  it("fails as the API does when it does not answer", () => {
    virtually(
      Effect.gen(function* () {
        const { memory, register, renew } = yield* world
        const first = yield* register()
        memory.faults.setPolicy(() => Effect.succeed({ loseReply: true }))
        assert.strictEqual((yield* Effect.flip(renew(first)))._tag, "KubernetesError")
      })
    )
  })
})
