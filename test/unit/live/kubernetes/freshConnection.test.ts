/** A renewal over real sockets on loopback, of which the pooled one is dead: bytes go in, and nothing ever comes out. */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type Lease, leases } from "../../../../src/api/Lease.ts"
import { nodeLeaseName } from "../../../../src/api/Names.ts"
import * as NodeLease from "../../../../src/api/NodeLease.ts"
import { Attempts } from "../../../../src/operator/Attempts.ts"
import * as Registration from "../../../../src/operator/Registration.ts"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { monotonicMillis } from "../../../../src/reconcile/Monotonic.ts"
import { leaseContent } from "../../operator/LeaseContent.ts"
import { overNetwork, serve } from "./support.ts"

const askAgainMillis = 334
const ref = { name: nodeLeaseName("a"), namespace: "plenuslb" }

const identity: Registration.Identity = {
  node: "a",
  namespace: ref.namespace,
  bootId: "",
  systemUuid: "",
  nonce: "",
  durationMillis: 6_500,
  instanceId: undefined,
  attempts: new Attempts(),
  askAgainMillis
}

const content: NodeLease.NodeLease = { ...leaseContent, ...NodeLease.noWitness }
const lease: Lease = {
  ...NodeLease.write(content, ref.namespace, "2026-01-01T00:00:00.000000Z", undefined),
  metadata: { ...ref, uid: "1", resourceVersion: "1" }
}

const bodyOf = (request: IncomingMessage, then: (body: string) => void) => {
  let body = ""
  request.on("data", (chunk: Buffer) => (body += chunk.toString()))
  request.on("end", () => then(body))
}

/** An API server of one lease. What comes over `dead` sockets is read, told by `onSwallowed`, and not answered. */
const api =
  (dead: ReadonlySet<Socket>, onSwallowed: (body: string) => void, onSocket: (socket: Socket) => void) =>
  (request: IncomingMessage, response: ServerResponse) =>
    bodyOf(request, (body) => {
      onSocket(request.socket)
      if (dead.has(request.socket)) return onSwallowed(body)
      response.setHeader("content-type", "application/json")
      const written: Lease = request.method === "GET" ? lease : JSON.parse(body)
      response.end(JSON.stringify({ ...written, metadata: { ...written.metadata, resourceVersion: "2" } }))
    })

describe("a renewal whose connection has died in silence", () => {
  it.effect("is sent again on a connection of its own after p/3, and takes no longer than that and a round trip", () =>
    Effect.gen(function* () {
      const sockets = new Set<Socket>()
      const dead = new Set<Socket>()
      const swallowed = yield* Deferred.make<string>()
      const onSwallowed = (body: string) => Deferred.doneUnsafe(swallowed, Effect.succeed(body))
      const server = yield* serve(api(dead, onSwallowed, (socket) => sockets.add(socket)))
      const renewal = yield* Effect.gen(function* () {
        const get = Kubernetes.use((kubernetes) => kubernetes.get(leases, ref))
        // Two, so that the pool still has one to offer, as dead as the first.
        yield* Effect.all([get, get], { concurrency: 2 })
        assert.strictEqual(server.accepted(), 2)
        for (const socket of sockets) dead.add(socket)
        const renewing = yield* Effect.forkChild(Registration.renew(identity, { lease, content }, { interfaces: {} }))
        const first = JSON.parse(yield* Deferred.await(swallowed))
        assert.strictEqual(server.accepted(), 2, "the first went over a connection that lay idle")
        yield* TestClock.adjust(askAgainMillis - 1)
        assert.isUndefined(renewing.pollUnsafe())
        yield* TestClock.adjust(1)
        const outcome = yield* Fiber.join(renewing)
        assert.strictEqual(server.accepted(), 3)
        return { outcome, first }
      }).pipe(Effect.provide(overNetwork(server.url)))
      const { first, outcome } = renewal
      assert.strictEqual(yield* monotonicMillis, askAgainMillis, "no time passed beside that")
      assert.strictEqual(outcome._tag, "Renewed")
      if (outcome._tag !== "Renewed") return
      assert.strictEqual(outcome.sentAtMillis, 0)
      assert.strictEqual(outcome.registered.lease.metadata.resourceVersion, "2")
      assert.deepStrictEqual(outcome.registered.lease.metadata.annotations, first.metadata.annotations)
    })
  )

  it.effect("leaves no connection behind, neither its own nor the dead one", () =>
    Effect.gen(function* () {
      const server = yield* serve(
        api(
          new Set(),
          () => {},
          () => {}
        )
      )
      yield* Effect.gen(function* () {
        const kubernetes = yield* Kubernetes
        yield* kubernetes.get(leases, ref, { isFresh: true })
        yield* server.allClosed
        yield* kubernetes.get(leases, ref)
        yield* kubernetes.get(leases, ref)
        assert.strictEqual(server.accepted(), 2)
        yield* kubernetes.replace(leases, lease, { isFresh: true })
        assert.strictEqual(server.accepted(), 3)
      }).pipe(Effect.provide(overNetwork(server.url)))
    })
  )
})
