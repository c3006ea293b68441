import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import { ClusterAccess, inCluster } from "../../../../src/live/kubernetes/ClusterAccess.ts"
import * as Kubeconfig from "../../../../src/live/kubernetes/Kubeconfig.ts"

const folder = (files: { readonly [name: string]: string }) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const path = mkdtempSync(join(tmpdir(), "plenuslb-"))
      for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
      return path
    }),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )

const environment = (env: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromEnv({ env }))

const text = (pem: string | Buffer | undefined) => pem?.toString()

const facts = Effect.gen(function* () {
  const { server, tls, namespace, authorization } = yield* ClusterAccess
  const header = yield* authorization
  return {
    server,
    namespace,
    authorization: header === undefined ? undefined : Redacted.value(header),
    tls: {
      ...tls,
      ...(tls.ca && { ca: text(tls.ca) }),
      ...(tls.cert && { cert: text(tls.cert) }),
      ...(tls.key && { key: text(tls.key) })
    }
  }
})

const pod = { "ca.crt": "CA", token: "secret\n", namespace: "plenuslb" }

describe("inCluster", () => {
  // oxfmt-ignore
  it.effect.each([
    { name: "IPv4", host: "10.96.0.1",      server: "https://10.96.0.1:443" },
    { name: "IPv6", host: "fd00:10:96::1",  server: "https://[fd00:10:96::1]:443" },
    { name: "name", host: "kubernetes.svc", server: "https://kubernetes.svc:443" }
  ])("reads the pod's service account, with the API server's $name", ({ host, server }) =>
    Effect.gen(function* () {
      const directory = yield* folder(pod)
      const env = environment({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: "443" })
      assert.deepStrictEqual(yield* facts.pipe(Effect.provide(inCluster({ directory }).pipe(Layer.provide(env)))), {
        server, namespace: "plenuslb", authorization: "Bearer secret", tls: { ca: "CA" }
      })
    }))

  it.effect("says which variable is missing, and what to do", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(facts.pipe(Effect.provide(inCluster().pipe(Layer.provide(environment({}))))))
      assert.include(error.message, "KUBERNETES_SERVICE_HOST")
      assert.include(error.message, "kubeconfig")
    })
  )

  it.effect("says which file is missing, and what to do", () =>
    Effect.gen(function* () {
      const directory = yield* folder({})
      const env = environment({ KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" })
      const error = yield* Effect.flip(facts.pipe(Effect.provide(inCluster({ directory }).pipe(Layer.provide(env)))))
      assert.include(error.message, `${directory}/ca.crt`)
      assert.include(error.message, "automountServiceAccountToken")
    })
  )
})

const detected = (env: Record<string, string>) =>
  facts.pipe(Effect.provide(Kubeconfig.detect().pipe(Layer.provide(environment(env)))))

const base64 = (text: string) => Buffer.from(text).toString("base64")

const kubeconfig = (user: string, cluster = `certificate-authority-data: ${base64("CA")}`, name = "main") => `
apiVersion: v1
kind: Config
current-context: ${name}
clusters: [{ name: ${name}, cluster: { server: "https://${name}.test:6443/", ${cluster} } }]
users: [{ name: ${name}, user: { ${user} } }]
contexts: [{ name: ${name}, context: { cluster: ${name}, user: ${name}, namespace: shop } }]
`

describe("kubeconfig", () => {
  const common = { server: "https://main.test:6443", namespace: "shop" }

  // oxfmt-ignore
  it.effect.each([
    { name: "a token", text: kubeconfig("token: secret"),
      found: { authorization: "Bearer secret", tls: { ca: "CA" } } },
    { name: "an inline client certificate", text: kubeconfig(`client-certificate-data: ${base64("CERT")}, client-key-data: ${base64("KEY")}`),
      found: { authorization: undefined, tls: { ca: "CA", cert: "CERT", key: "KEY" } } },
    { name: "certificates in files beside it", text: kubeconfig("client-certificate: c.pem, client-key: k.pem", "certificate-authority: ca.pem"),
      found: { authorization: undefined, tls: { ca: "CA-FILE", cert: "CERT-FILE", key: "KEY-FILE" } } },
    { name: "a name for TLS, and no verification", text: kubeconfig("token: secret", "tls-server-name: api, insecure-skip-tls-verify: true"),
      found: { authorization: "Bearer secret", tls: { servername: "api", rejectUnauthorized: false } } },
    { name: "a plugin that gives a token", text: kubeconfig(`exec: { apiVersion: client.authentication.k8s.io/v1, command: echo, args: ['{"kind":"ExecCredential","status":{"token":"given"}}'], interactiveMode: Never }`),
      found: { authorization: "Bearer given", tls: { ca: "CA" } } }
  ])("$name", ({ text, found }) =>
    Effect.gen(function* () {
      const path = yield* folder({ config: text, "c.pem": "CERT-FILE", "k.pem": "KEY-FILE", "ca.pem": "CA-FILE" })
      const env = environment({ KUBECONFIG: `${path}/config` })
      assert.deepStrictEqual(yield* facts.pipe(Effect.provide(Kubeconfig.layer().pipe(Layer.provide(env)))), { ...common, ...found })
    }))

  it.effect("several files of KUBECONFIG are one, and the first one's context holds unless another is asked for", () =>
    Effect.gen(function* () {
      const path = yield* folder({ a: kubeconfig("token: secret"), b: kubeconfig("token: other", undefined, "second") })
      const env = environment({ KUBECONFIG: `${path}/a:${path}/b` })
      const server = (context?: string) =>
        Effect.map(facts, (found) => found.server).pipe(
          Effect.provide(Kubeconfig.layer(context === undefined ? {} : { context }).pipe(Layer.provide(env)))
        )
      assert.deepStrictEqual(
        [yield* server(), yield* server("second")],
        ["https://main.test:6443", "https://second.test:6443"]
      )
    })
  )

  it.effect("a file that is not there, or names no cluster, is named", () =>
    Effect.gen(function* () {
      const path = yield* folder({ empty: "apiVersion: v1\nkind: Config\n" })
      const fails = (name: string) =>
        Effect.flip(facts.pipe(Effect.provide(Kubeconfig.layer({ path: `${path}/${name}` }))))
      assert.include((yield* fails("absent")).message, `${path}/absent`)
      assert.include((yield* fails("empty")).message, "names no cluster")
    })
  )

  it.effect("inside a pod the pod's own credentials are used, unless KUBECONFIG is set", () =>
    Effect.gen(function* () {
      const path = yield* folder({ config: kubeconfig("token: secret") })
      const inside = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" }
      const error = yield* Effect.flip(detected(inside))
      assert.include(error.message, "serviceaccount/ca.crt")
      assert.strictEqual(
        (yield* detected({ ...inside, KUBECONFIG: `${path}/config` })).server,
        "https://main.test:6443"
      )
    })
  )
})
