/**
 * A real API server on loopback for the conformance tier, without root: etcd and kube-apiserver, ready in about 3 s.
 * `test/lab/loopback.sh` starts and ends them; it lives as long as its standard input, hence no longer than this
 * process, even if that is killed.
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process"
import { createInterface } from "node:readline"
import { Context, Effect, Layer, Schema } from "effect"
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
    Effect.suspend(() => start(false))
  )
  /** With what ends namespaces and collects the children of deleted owners: kube-controller-manager. */
  static readonly layerControllers = Layer.effect(
    Loopback,
    Effect.suspend(() => start(true))
  )
}

class LoopbackError extends Schema.TaggedError<LoopbackError>()("LoopbackError", { message: Schema.String }) {}

const controllers = "namespace-controller,garbage-collector-controller,serviceaccount-controller"

const missing = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  spawnSync("bash", ["-c", `source "${binaries}" && missing_binaries ${names.join(" ")}`], { encoding: "utf8" })
    .stdout.split("\n")
    .filter((name) => name !== "")

/**
 * Why the live side cannot run here; nothing when it can. The binaries take minutes to build and need Go, so `npm test`
 * goes without them; `PLENUSLB_REQUIRE_LOOPBACK` makes their absence a failure.
 */
export const skipReason = (options?: { readonly controllers?: boolean }): string | undefined => {
  const wanted = ["etcd", "kube-apiserver", ...(options?.controllers === true ? ["kube-controller-manager"] : [])]
  if ((process.env["PLENUSLB_REQUIRE_LOOPBACK"] ?? "") !== "" || missing(wanted).length === 0) return undefined
  return `skipped, since no real API server is built here; to run it: test/lab/build.sh ${wanted.join(" ")}`
}

const start = Effect.fnUntraced(function* (withControllers: boolean) {
  const env = withControllers ? { ...process.env, LOOPBACK_CONTROLLERS: controllers } : process.env
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(script, ["up", "--foreground"], { stdio: ["pipe", "pipe", "pipe"], env })),
    end
  )
  return yield* Effect.flatMap(firstLine(child), Schema.decodeEffect(Env))
})

const end = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.stdin?.end()
  })

const firstLine = (child: ChildProcessWithoutNullStreams): Effect.Effect<string, LoopbackError> =>
  Effect.callback((resume) => {
    let stderr = ""
    child.stderr.on("data", (text) => (stderr += String(text)))
    child.once("exit", (code) =>
      resume(Effect.fail(new LoopbackError({ message: `loopback.sh ended with ${code}: ${stderr.trim()}` })))
    )
    createInterface({ input: child.stdout }).once("line", (text) => resume(Effect.succeed(text)))
  })

/** Our adapter as the cluster's admin, with the kubeconfig that the script wrote. */
export const layerLive = Layer.unwrap(
  Effect.map(Loopback, ({ kubeconfig }) =>
    LiveKubernetes.layer().pipe(Layer.provide(Kubeconfig.layer({ path: kubeconfig })))
  )
)
