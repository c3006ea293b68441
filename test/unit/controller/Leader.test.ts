import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { leases } from "../../../src/api/Lease.ts"
import { leaderLeaseName } from "../../../src/api/Names.ts"
import * as Leader from "../../../src/controller/Leader.ts"
import { leaderTimes } from "../../../src/domain/FailoverTimes.ts"
import * as MemoryKubernetes from "../../../src/memory/kubernetes/MemoryKubernetes.ts"
import { Kubernetes, Unavailable } from "../../../src/ports/Kubernetes.ts"
import * as Reflector from "../../../src/reconcile/Reflector.ts"
import { virtually } from "../virtually.ts"

const times = leaderTimes.default
const ref = { name: leaderLeaseName, namespace: "default" }

const makeWorld = Effect.gen(function* () {
  const memory = yield* MemoryKubernetes.make()
  const cut = new Set<string>()
  memory.faults.setPolicy(({ user }) =>
    Effect.succeed(cut.has(user) ? { refuse: new Unavailable({ message: "no route" }) } : {})
  )
  const start = Effect.fnUntraced(function* (identity: string) {
    const scope = yield* Scope.make()
    const elected: Array<string> = []
    const answers: Array<string> = []
    const program = Effect.gen(function* () {
      const cache = yield* Reflector.make({ type: leases, selection: { namespace: "default" } })
      const onElected = () => Effect.sync(() => void elected.push(identity))
      const onAnsweredAgain = () => void answers.push(identity)
      return yield* Leader.make({ namespace: "default", identity, times, leases: cache, onElected, onAnsweredAgain })
    })
    const { isLeader } = yield* program.pipe(
      Effect.provideService(Kubernetes, memory.view(identity)),
      Effect.provideService(Scope.Scope, scope)
    )
    return { identity, isLeader, elected, answers, stop: Scope.close(scope, Exit.void) }
  })
  return { memory, cut, start }
})

type Replica = Effect.Success<ReturnType<Effect.Success<typeof makeWorld>["start"]>>

const renewal = ({ method }: { readonly method: string }) => method === "replace"

const leadersOf = (replicas: ReadonlyArray<Replica>) =>
  Effect.map(
    Effect.forEach(replicas, ({ identity, isLeader }) => Effect.map(isLeader, (leads) => (leads ? identity : ""))),
    (names) => names.filter((name) => name !== "")
  )

/** Milliseconds until the condition holds; there are never two leaders meanwhile. */
const millisUntil = Effect.fnUntraced(function* (replicas: ReadonlyArray<Replica>, leader: string) {
  for (let millis = 0; millis < 120_000; millis += 10) {
    const leaders = yield* leadersOf(replicas)
    assert.isAtMost(leaders.length, 1)
    if (leaders[0] === leader) return millis
    yield* Effect.sleep(10)
  }
  return Number.POSITIVE_INFINITY
})

describe("Leader", () => {
  it("stays the leader, without a break, where each answer takes nearly as long as leadership lasts", () => {
    virtually(
      Effect.gen(function* () {
        const { memory, start } = yield* makeWorld
        const leader = yield* start("a")
        yield* Effect.sleep("5 seconds")
        assert.isTrue(yield* leader.isLeader)
        const before = leader.elected.length
        const replyDelayMillis = times.renewDeadlineMillis - times.retryMillis - 100
        memory.faults.setPolicy((request) => Effect.succeed(renewal(request) ? { replyDelayMillis } : {}))
        for (let count = 0; count < 600; count++) {
          yield* Effect.sleep(100)
          assert.isTrue(yield* leader.isLeader, `after ${count / 10} s`)
        }
        assert.strictEqual(leader.elected.length, before)
      })
    )
  })

  it("is one of two replicas, and stays so", () => {
    virtually(
      Effect.gen(function* () {
        const { start } = yield* makeWorld
        const replicas = [yield* start("a"), yield* start("b")]
        yield* Effect.sleep(100)
        const first = yield* leadersOf(replicas)
        assert.lengthOf(first, 1)
        for (let second = 0; second < 60; second++) {
          yield* Effect.sleep("1 second")
          assert.deepStrictEqual(yield* leadersOf(replicas), first)
        }
        assert.lengthOf([...(replicas[0]?.elected ?? []), ...(replicas[1]?.elected ?? [])], 1)
      })
    )
  })

  it("looks at everything again after a lapse of its own, without another leader in between", () => {
    virtually(
      Effect.gen(function* () {
        const { memory, start } = yield* makeWorld
        const replica = yield* start("a")
        yield* Effect.sleep(100)
        assert.deepStrictEqual(replica.elected, ["a"])
        memory.faults.next(renewal, { delayMillis: 400, refuse: new Unavailable({ message: "busy" }) })
        memory.faults.next(renewal, { replyDelayMillis: 700 })
        let lapsed = false
        for (let millis = 0; millis < 10_000; millis += 10) {
          yield* Effect.sleep(10)
          lapsed ||= !(yield* replica.isLeader)
        }
        assert.isTrue(lapsed)
        assert.deepStrictEqual(replica.elected, ["a", "a"])
      })
    )
  })

  it("hands over at once when it stops in peace", () => {
    virtually(
      Effect.gen(function* () {
        const { start } = yield* makeWorld
        const first = yield* start("a")
        yield* Effect.sleep(100)
        const second = yield* start("b")
        yield* Effect.sleep("5 seconds")
        yield* first.stop
        assert.isAtMost(yield* millisUntil([second], "b"), times.retryMillis)
      })
    )
  })

  it("is followed within lease, retry and a write when it is cut off, and stops acting before (S10)", () => {
    virtually(
      Effect.gen(function* () {
        const { cut, start } = yield* makeWorld
        const first = yield* start("a")
        yield* Effect.sleep(100)
        const second = yield* start("b")
        yield* Effect.sleep("5 seconds")
        cut.add("a")
        const millis = yield* millisUntil([first, second], "b")
        assert.isAtMost(millis, times.leaseMillis + times.retryMillis + 100)
        assert.isFalse(yield* first.isLeader)
        cut.delete("a")
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(yield* leadersOf([first, second]), ["b"])
      })
    )
  })

  it("counts by its own clock: a renewTime of long ago frees nothing, and a long lease is honoured as in v0.4", () => {
    virtually(
      Effect.gen(function* () {
        const { memory, start } = yield* makeWorld
        yield* memory.view("v0.4").create(leases, {
          metadata: ref,
          spec: {
            holderIdentity: "old-controller",
            leaseDurationSeconds: 60,
            acquireTime: "2001-01-01T00:00:00.000000Z",
            renewTime: "2001-01-01T00:00:00.000000Z"
          }
        })
        const replica = yield* start("a")
        const millis = yield* millisUntil([replica], "a")
        assert.isAtLeast(millis, 60_000)
        assert.isAtMost(millis, 62_000)
      })
    )
  })

  it("leads again after its Lease was deleted under it", () => {
    virtually(
      Effect.gen(function* () {
        const { memory, start } = yield* makeWorld
        const replica = yield* start("a")
        yield* Effect.sleep("3 seconds")
        yield* memory.view("user").delete(leases, ref)
        yield* Effect.sleep("3 seconds")
        assert.isTrue(yield* replica.isLeader)
        assert.strictEqual(memory.truth.get(leases, ref)?.spec?.holderIdentity, "a")
        // Another may have led in between: it is elected anew, though it never stopped.
        assert.deepStrictEqual(replica.elected, ["a", "a"])
      })
    )
  })

  it("tells, leader or not, that the API answers again after a long time in which it did not", () => {
    virtually(
      Effect.gen(function* () {
        const { cut, memory, start } = yield* makeWorld
        const replicas = [yield* start("a"), yield* start("b")]
        yield* Effect.sleep("5 seconds")
        memory.faults.next(renewal, { refuse: new Unavailable({ message: "busy" }) })
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(
          replicas.flatMap(({ answers }) => answers),
          []
        )
        for (const { identity } of replicas) cut.add(identity)
        memory.watches.silence(() => true)
        yield* Effect.sleep("20 seconds")
        cut.clear()
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(
          replicas.map(({ answers }) => answers),
          [["a"], ["b"]]
        )
      })
    )
  })

  it("goes on when the reply to a renewal is lost", () => {
    virtually(
      Effect.gen(function* () {
        const { memory, start } = yield* makeWorld
        const replica = yield* start("a")
        yield* Effect.sleep("3 seconds")
        memory.faults.next(({ method }) => method === "replace", { loseReply: true })
        for (let step = 0; step < 50; step++) {
          yield* Effect.sleep(100)
          assert.isTrue(yield* replica.isLeader)
        }
        assert.lengthOf(replica.elected, 1)
      })
    )
  })
})
