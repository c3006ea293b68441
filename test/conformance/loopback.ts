/**
 * A real API server on loopback for the conformance tier, without root: etcd and kube-apiserver, ready in about 3 s.
 * `test/lab/loopback.sh` starts and ends them; it lives as long as its standard input, hence no longer than this
 * process, even if that is killed.
 */
import { spawn, spawnSync } from "node:child_process"
import { createInterface } from "node:readline"
import { Context, Effect, Layer, Schema, type Scope } from "effect"
import * as Kubeconfig from "../../src/live/kubernetes/Kubeconfig.ts"
import * as LiveKubernetes from "../../src/live/kubernetes/LiveKubernetes.ts"

const script = new URL("../lab/loopback.sh", import.meta.url).pathname
const binaries = new URL("../lab/lib/binaries.sh", import.meta.url).pathname

const Env = Schema.fromJsonString(
  Schema.Struct({
    state: Schema.String,
    server: Schema.String,
    ca: Schema.String,
    kubeconfig: Schema.String,
    kubectl: Schema.String,
    tokens: Schema.Struct({
      admin: Schema.String,
      controller: Schema.String,
      operator: Schema.String,
      nobody: Schema.String
    })
  })
)
export type LoopbackEnv = typeof Env.Type

/** Where it listens and who may speak to it. */
export class Loopback extends Context.Service<Loopback, LoopbackEnv>()("plenuslb/test/conformance/loopback") {
  static readonly layer = Layer.effect(
    Loopback,
    Effect.suspend(() => start)
  )
}

export class LoopbackError extends Schema.TaggedError<LoopbackError>()("LoopbackError", { message: Schema.String }) {}

const missing = (): ReadonlyArray<string> =>
  spawnSync("bash", ["-c", `source "${binaries}" && missing_binaries etcd kube-apiserver`], { encoding: "utf8" })
    .stdout.split("\n")
    .filter((name) => name !== "")

/**
 * Why the live side cannot run here; nothing when it can. The binaries take minutes to build and need Go, so `npm test`
 * goes without them; `npm run test:cluster` sets `PLENUSLB_REQUIRE_LOOPBACK`, and then their absence is a failure.
 */
export const skipReason = (): string | undefined => {
  const names = missing()
  if (names.length === 0 || process.env["PLENUSLB_REQUIRE_LOOPBACK"] !== undefined) return undefined
  return `skipped: no real API server (${names.join(" and ")} not built); run test/lab/build.sh etcd kube-apiserver`
}

const start: Effect.Effect<LoopbackEnv, LoopbackError | Schema.SchemaError, Scope.Scope> = Effect.gen(function* () {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(script, ["up", "--foreground"], { stdio: ["pipe", "pipe", "pipe"] })),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.stdin.end()
      })
  )
  const line = yield* Effect.callback<string, LoopbackError>((resume) => {
    let stderr = ""
    child.stderr.on("data", (text) => (stderr += String(text)))
    child.once("exit", (code) =>
      resume(Effect.fail(new LoopbackError({ message: `loopback.sh ended with ${code}: ${stderr.trim()}` })))
    )
    createInterface({ input: child.stdout }).once("line", (text) => resume(Effect.succeed(text)))
  })
  return yield* Schema.decodeEffect(Env)(line)
})

/** Our adapter as the cluster's admin, with the kubeconfig that the script wrote. */
export const layerLive = Layer.unwrap(
  Effect.map(Loopback, ({ kubeconfig }) =>
    LiveKubernetes.layer().pipe(Layer.provide(Kubeconfig.layer({ path: kubeconfig })))
  )
)
