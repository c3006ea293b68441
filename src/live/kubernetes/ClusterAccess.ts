/**
 * Where the API server is and how we prove who we are. Two sources give the same value: the files that every pod gets
 * (`inCluster`, here) and a kubeconfig (`Kubeconfig.ts`, kept apart because its library costs 60 MiB, which the agent's
 * bundle must not carry).
 *
 * The CA is read once: Kubernetes asks for a restart of all pods when it is rotated. Tokens are read again, see
 * `TokenSource.ts`.
 */
import { readFile } from "node:fs/promises"
import { Config, Context, Effect, Layer, Option, type Redacted, Schema } from "effect"
import * as TokenSource from "./TokenSource.ts"

/** What TLS needs beyond the defaults. Buffers and strings are PEM. */
export interface TlsOptions {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

export class ClusterAccessError extends Schema.TaggedError<ClusterAccessError>()("ClusterAccessError", {
  /** A sentence with what was tried, why it failed, and what to do. */
  message: Schema.String
}) {}

export class ClusterAccess extends Context.Service<
  ClusterAccess,
  {
    /** `https://10.96.0.1:443`, without a trailing slash. */
    readonly server: string
    readonly tls: TlsOptions
    /** Where we run, or the kubeconfig's context points; absent where nobody said. */
    readonly namespace: string | undefined
    /** Value of the `authorization` header. Absent: the client certificate speaks for us, or nothing does. */
    readonly authorization: Effect.Effect<Redacted.Redacted | undefined, ClusterAccessError>
    /** The API server answered 401 to this value. */
    readonly refused: (authorization: Redacted.Redacted) => Effect.Effect<void>
  }
>()("plenuslb/live/kubernetes/ClusterAccess") {}

/** `authorization` and `refused` of a token that is read anew from time to time. */
const bearer = (read: Effect.Effect<string, ClusterAccessError>) => {
  const source = TokenSource.make(read.pipe(Effect.map((token) => `Bearer ${token.trim()}`)))
  return { authorization: source.current, refused: source.refused }
}

const readText = (path: string, remedy: string): Effect.Effect<string, ClusterAccessError> =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (cause) => new ClusterAccessError({ message: `Cannot read ${path} (${messageOf(cause)}). ${remedy}` })
  })

export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Where the kubelet mounts the pod's service account. */
const serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"

const inClusterConfig = Config.all({
  host: Config.NonEmptyString("KUBERNETES_SERVICE_HOST"),
  port: Config.Port("KUBERNETES_SERVICE_PORT")
})

/** The credentials of the pod that we run in. */
export const inCluster = (options?: { readonly directory?: string }): Layer.Layer<ClusterAccess, ClusterAccessError> =>
  Layer.effect(
    ClusterAccess,
    Effect.gen(function* () {
      const directory = options?.directory ?? serviceAccountDirectory
      const { host, port } = yield* inClusterConfig.pipe(Effect.mapError(notInCluster))
      const remedy = "Is automountServiceAccountToken switched off for this pod?"
      const ca = yield* readText(`${directory}/ca.crt`, remedy)
      const namespace = yield* Effect.option(readText(`${directory}/namespace`, remedy))
      return ClusterAccess.of({
        server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
        tls: { ca },
        namespace: Option.getOrUndefined(Option.map(namespace, (text) => text.trim())),
        ...bearer(readText(`${directory}/token`, remedy))
      })
    })
  )

const notInCluster = (error: Config.ConfigError) =>
  new ClusterAccessError({
    message: `KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT do not name the API server (${error.message}). Inside a pod the kubelet sets them; elsewhere use a kubeconfig.`
  })
