/**
 * Access by kubeconfig: for people and tests, outside a cluster. `KubeConfig` of @kubernetes/client-node reads the file,
 * merges several, and knows exec plugins and OIDC; it is imported only when this layer is built, since loading it takes
 * 0.8 s and 60-80 MiB. Its HTTP client is not used: it opens one TLS connection per request.
 */
import type { KubeConfig } from "@kubernetes/client-node"
import type { RequestOptions } from "node:https"
import { delimiter, join } from "node:path"
import { Config, Effect, Layer, Option } from "effect"
import * as Access from "./ClusterAccess.ts"
import * as TokenSource from "./TokenSource.ts"

export interface KubeconfigOptions {
  /** Instead of `KUBECONFIG` and `~/.kube/config`. */
  readonly path?: string
  /** Instead of `current-context`. */
  readonly context?: string
}

/** The pod's own credentials inside a cluster, else a kubeconfig. */
export const detect = (options?: KubeconfigOptions): Layer.Layer<Access.ClusterAccess, Access.ClusterAccessError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const host = yield* Config.option(Config.NonEmptyString("KUBERNETES_SERVICE_HOST"))
      const explicit = options?.path ?? Option.getOrUndefined(yield* Config.option(Config.NonEmptyString("KUBECONFIG")))
      return Option.isSome(host) && explicit === undefined ? Access.inCluster() : layer(options)
    }).pipe(Effect.mapError((error) => new Access.ClusterAccessError({ message: error.message })))
  )

export const layer = (options?: KubeconfigOptions): Layer.Layer<Access.ClusterAccess, Access.ClusterAccessError> =>
  Layer.effect(
    Access.ClusterAccess,
    Effect.gen(function* () {
      const paths = yield* candidatePaths(options)
      const config = yield* load(paths, options?.context)
      const cluster = config.getCurrentCluster()
      if (cluster === null) return yield* unusable(paths, `its context "${config.currentContext}" names no cluster`)
      const applied = yield* apply(config, paths)
      return Access.ClusterAccess.of({
        server: cluster.server.replace(/\/+$/, ""),
        tls: tlsOf(applied),
        namespace: config.getContextObject(config.currentContext)?.namespace,
        ...authorizationOf(config, paths, headerOf(applied))
      })
    })
  )

const candidatePaths = Effect.fnUntraced(
  function* (options: KubeconfigOptions | undefined) {
    if (options?.path !== undefined) return [options.path]
    const listed = yield* Config.option(Config.NonEmptyString("KUBECONFIG"))
    if (Option.isSome(listed)) return listed.value.split(delimiter).filter((path) => path !== "")
    const home = yield* Config.NonEmptyString("HOME")
    return [join(home, ".kube", "config")]
  },
  Effect.mapError(
    (error) =>
      new Access.ClusterAccessError({
        message: `No cluster to talk to: neither KUBECONFIG nor HOME is set (${error.message}). Set KUBECONFIG to the path of a kubeconfig.`
      })
  )
)

const unusable = (paths: ReadonlyArray<string>, why: string) =>
  new Access.ClusterAccessError({
    message: `The kubeconfig ${paths.join(delimiter)} cannot be used: ${why}. Set KUBECONFIG to another, or repair it; "kubectl config view" shows it.`
  })

const load = (paths: ReadonlyArray<string>, context: string | undefined) =>
  Effect.tryPromise({
    try: async () => {
      const { KubeConfig } = await import("@kubernetes/client-node")
      const [first, ...rest] = paths.map((path) => {
        const config = new KubeConfig()
        config.loadFromFile(path)
        return config
      })
      if (first === undefined) throw new Error("KUBECONFIG names no file")
      for (const other of rest) first.mergeConfig(other, true)
      if (context !== undefined) first.setCurrentContext(context)
      return first
    },
    catch: (cause) => unusable(paths, Access.messageOf(cause))
  })

/** Runs the exec plugin, if the user has one. */
const apply = (config: KubeConfig, paths: ReadonlyArray<string>) =>
  Effect.tryPromise({
    try: async () => {
      const options: RequestOptions = {}
      await config.applyToHTTPSOptions(options)
      return options
    },
    catch: (cause) => unusable(paths, Access.messageOf(cause))
  })

const tlsOf = ({ ca, cert, key, rejectUnauthorized, servername }: RequestOptions): Access.TlsOptions => ({
  ...(isPem(ca) && { ca }),
  ...(isPem(cert) && { cert }),
  ...(isPem(key) && { key }),
  ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  ...(servername !== undefined && { servername })
})

const isPem = (value: unknown): value is string | Buffer => typeof value === "string" || Buffer.isBuffer(value)

/** The value of the header, where token, token file, exec plugin or basic authentication give one. */
const headerOf = ({ headers, auth }: RequestOptions): string | undefined => {
  const header = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === "authorization")?.[1]
  if (typeof header === "string") return header
  return typeof auth === "string" ? `Basic ${Buffer.from(auth).toString("base64")}` : undefined
}

const authorizationOf = (config: KubeConfig, paths: ReadonlyArray<string>, header: string | undefined) => {
  if (header === undefined) return { authorization: Effect.undefined, refused: () => Effect.void }
  // The library keeps what its plugins gave until it expires, so asking again each minute is cheap.
  const read = apply(config, paths).pipe(Effect.map((options) => headerOf(options) ?? header))
  const source = TokenSource.make(read)
  return { authorization: source.current, refused: source.refused }
}
