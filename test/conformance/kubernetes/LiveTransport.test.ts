/** What only the live adapter has: connections, credentials, and servers that stop answering. */
import { execFileSync } from "node:child_process"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { rootCertificates } from "node:tls"
import { assert, describe, layer } from "@effect/vitest"
import { ConfigProvider, Deferred, Duration, Effect, Fiber, Layer, Random, Redacted, Schedule, Stream } from "effect"
import { configMaps } from "../../../src/api/ConfigMap.ts"
import { namespaces } from "../../../src/api/Namespace.ts"
import { RequestTimeout } from "../../../src/live/kubernetes/ApiClient.ts"
import { ClusterAccess, inCluster } from "../../../src/live/kubernetes/ClusterAccess.ts"
import * as LiveKubernetes from "../../../src/live/kubernetes/LiveKubernetes.ts"
import { Kubernetes, type KubernetesError } from "../../../src/ports/Kubernetes.ts"
import { layerLive, Loopback, skipReason } from "../loopback.ts"

const reasonOf = <A, R>(effect: Effect.Effect<A, KubernetesError, R>) =>
  Effect.map(Effect.flip(effect), (e) => e.reason)

const tagOf = <A, R>(effect: Effect.Effect<A, KubernetesError, R>) =>
  Effect.map(reasonOf(effect), (reason) => reason._tag)

/** The sockets that `effect` opens in this process. */
const countingConnections = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    let opened = 0
    const listener = () => opened++
    subscribe("net.client.socket", listener)
    return effect.pipe(
      Effect.ensuring(Effect.sync(() => unsubscribe("net.client.socket", listener))),
      Effect.map(() => opened)
    )
  })

const newNamespace = Effect.gen(function* () {
  const name = `transport-${yield* Random.nextIntBetween(0, 2 ** 31)}`
  yield* (yield* Kubernetes).create(namespaces, { metadata: { name } })
  return name
})

const newConfigMap = (namespace: string, name: string) =>
  Effect.gen(function* () {
    return yield* (yield* Kubernetes).create(configMaps, { metadata: { namespace, name } })
  })

/** As the holder of a token, with nothing else. */
const asToken = (token: string, ca?: string) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const loopback = yield* Loopback
      const access = Layer.succeed(
        ClusterAccess,
        ClusterAccess.of({
          server: loopback.server,
          tls: { ca: ca ?? readFileSync(loopback.ca) },
          namespace: undefined,
          authorization: Effect.succeed(Redacted.make(`Bearer ${token}`)),
          refused: () => Effect.void
        })
      )
      return LiveKubernetes.layer().pipe(Layer.provide(access))
    })
  )

/** Waits until the kernel has stopped all its threads, or one might still answer. */
const stop = (pid: number) =>
  Effect.sync(() => process.kill(pid, "SIGSTOP")).pipe(
    Effect.andThen(
      Effect.sync(() =>
        readdirSync(`/proc/${pid}/task`).every((task) =>
          / T /.test(readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8"))
        )
      ).pipe(Effect.repeat({ until: (stopped: boolean) => stopped, schedule: Schedule.spaced("5 millis") }))
    )
  )

/** The API server's own process: the script's child. */
const apiServerPid = Effect.gen(function* () {
  const { state } = yield* Loopback
  const parent = readFileSync(join(state, "pid"), "utf8").trim()
  return Number(execFileSync("pgrep", ["-P", parent, "-x", "kube-apiserver"], { encoding: "utf8" }).trim())
})

const reason = skipReason()
if (reason !== undefined) console.log(`live transport: ${reason}`)

const live = Layer.provideMerge(layerLive, Loopback.layer)
const suite = { timeout: "60 seconds", excludeTestServices: true } as const

describe.skipIf(reason !== undefined)("live transport", () => {
  layer(live, suite)("on a real API server", (it) => {
    it.effect("300 lists, and writes in between, use one connection", () =>
      Effect.gen(function* () {
        const namespace = yield* newNamespace
        const kubernetes = yield* Kubernetes
        const work = Effect.gen(function* () {
          for (let i = 0; i < 300; i++) {
            yield* kubernetes.list(configMaps, { namespace })
            if (i % 10 === 0) yield* newConfigMap(namespace, `m${i}`)
          }
        })
        // One may be left from before; none of the others may be.
        assert.isAtMost(yield* countingConnections(work), 1)
      })
    )

    it.effect("many writes at once all arrive, on at most 64 connections, and a list of three pages shows them", () =>
      Effect.gen(function* () {
        const namespace = yield* newNamespace
        const names = Array.from({ length: 1001 }, (_, i) => `m${String(i).padStart(4, "0")}`)
        const create = Effect.forEach(names, (name) => newConfigMap(namespace, name), {
          concurrency: 200,
          discard: true
        })
        assert.isAtMost(yield* countingConnections(create), 64)
        const { items } = yield* (yield* Kubernetes).list(configMaps, { namespace })
        assert.deepStrictEqual(
          items.map(({ metadata }) => metadata.name),
          names
        )
      })
    )

    it.effect("a token without rights is Denied 403, an unknown one Denied 401", () =>
      Effect.gen(function* () {
        const { tokens } = yield* Loopback
        const listing = Effect.gen(function* () {
          return yield* (yield* Kubernetes).list(configMaps, {})
        })
        const nobody = yield* reasonOf(listing.pipe(Effect.provide(asToken(tokens.nobody))))
        const unknown = yield* reasonOf(listing.pipe(Effect.provide(asToken("unknown"))))
        assert.deepInclude(nobody, { _tag: "Denied", status: 403 })
        assert.deepInclude(unknown, { _tag: "Denied", status: 401 })
      })
    )

    it.effect("a token that is replaced on disk is used with the next request", () =>
      Effect.gen(function* () {
        const { server: url, ca, tokens } = yield* Loopback
        const directory = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "plenuslb-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true }))
        )
        const write = (token: string) => writeFileSync(join(directory, "token"), token)
        writeFileSync(join(directory, "ca.crt"), readFileSync(ca))
        write("expired")
        const { hostname, port } = new URL(url)
        const env = ConfigProvider.layer(
          ConfigProvider.fromEnv({ env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port } })
        )
        const inPod = LiveKubernetes.layer().pipe(Layer.provide(inCluster({ directory })), Layer.provide(env))
        yield* Effect.gen(function* () {
          const kubernetes = yield* Kubernetes
          assert.strictEqual(yield* tagOf(kubernetes.list(configMaps, {})), "Denied")
          write(tokens.admin)
          yield* kubernetes.list(configMaps, {})
        }).pipe(Effect.provide(inPod))
      })
    )

    it.effect("a server of another CA gets nothing: Unavailable, for writes too", () =>
      Effect.gen(function* () {
        const { tokens } = yield* Loopback
        const foreign = rootCertificates[0] ?? ""
        const write = newConfigMap("default", "never").pipe(Effect.provide(asToken(tokens.admin, foreign)))
        assert.strictEqual(yield* tagOf(write), "Unavailable")
        assert.strictEqual(
          yield* tagOf((yield* Kubernetes).get(configMaps, { namespace: "default", name: "never" })),
          "NotFound"
        )
      })
    )

    it.effect(
      "a server that hangs costs one deadline, a write is then ReplyLost, and the next request finds it again",
      () =>
        Effect.gen(function* () {
          const namespace = yield* newNamespace
          const kubernetes = yield* Kubernetes
          const pid = yield* apiServerPid
          const hang = Effect.acquireRelease(stop(pid), () => Effect.sync(() => process.kill(pid, "SIGCONT")))
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* hang
              const write = newConfigMap(namespace, "lost").pipe(
                Effect.provideService(RequestTimeout, Duration.millis(500))
              )
              assert.strictEqual(yield* tagOf(write), "ReplyLost")
            })
          )
          yield* kubernetes.list(configMaps, { namespace })
        })
    )
  })

  layer(Layer.fresh(live), suite)("on one that dies", (it) => {
    it.effect("ends the watch, and once its connections are gone a write is Unavailable", () =>
      Effect.gen(function* () {
        const kubernetes = yield* Kubernetes
        const { resourceVersion } = yield* kubernetes.list(configMaps, {})
        const seen = yield* Deferred.make<void>()
        const watching = yield* kubernetes.watch(configMaps, {}, resourceVersion).pipe(
          Stream.runForEach(() => Deferred.succeed(seen, undefined)),
          Effect.exit,
          Effect.forkChild
        )
        yield* newConfigMap("default", "seen")
        yield* Deferred.await(seen)
        process.kill(yield* apiServerPid, "SIGKILL")
        yield* Fiber.join(watching)
        // Whether a connection that dies under us carried the request is unknown; one that is refused did not.
        const settled = yield* tagOf(newConfigMap("default", "late")).pipe(
          Effect.tap((tag) => Effect.sync(() => assert.include(["ReplyLost", "Unavailable"], tag))),
          Effect.repeat({ until: (tag) => tag === "Unavailable", times: 100, schedule: Schedule.spaced("20 millis") })
        )
        assert.strictEqual(settled, "Unavailable")
      })
    )
  })
})
