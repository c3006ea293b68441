/**
 * The chart against a real API server (no nodes): what it accepts, who may do what, and an upgrade over what v0.4 left.
 * RBAC and admission are the server's own here; tokens of operators are bound to Pods, as a kubelet asks for them.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { customResourceDefinitions } from "../../src/api/Crd.ts"
import { nodeLeaseName } from "../../src/api/Names.ts"
import { Loopback, skipReason } from "../conformance/loopback.ts"
import { helm, manifestOf, needsHelm, renderManifests, root, type Manifest } from "./helm.ts"

interface Reply {
  readonly ok: boolean
  readonly text: string
}

const call = (program: string, args: ReadonlyArray<string>, input: string): Reply => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", input })
  return { ok: status === 0, text: `${stdout}${stderr}`.trim() }
}

const text = (input: object | undefined): string => (input === undefined ? "" : JSON.stringify(input))

class Cluster extends Context.Service<
  Cluster,
  {
    readonly kubectl: (args: ReadonlyArray<string>, input?: object) => Reply
    /** With that token instead of the administrator's certificate. */
    readonly as: (token: string, args: ReadonlyArray<string>, input?: object) => Reply
    readonly helm: (...args: ReadonlyArray<string>) => Reply
  }
>()("plenuslb/test/chart/api-server.test/Cluster") {
  static readonly layer = Layer.effect(
    Cluster,
    Effect.gen(function* () {
      const { ca, kubeconfig, kubectl, server } = yield* Loopback
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "plenuslb-chart-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      // A certificate in the kubeconfig would win over --token.
      const anonymous = join(folder, "anonymous.conf")
      writeFileSync(anonymous, "apiVersion: v1\nkind: Config\n")
      return Cluster.of({
        kubectl: (args, input) => call(kubectl, [`--kubeconfig=${kubeconfig}`, ...args], text(input)),
        as: (token, args, input) =>
          call(
            kubectl,
            [
              `--kubeconfig=${anonymous}`,
              `--server=${server}`,
              `--certificate-authority=${ca}`,
              `--token=${token}`,
              ...args
            ],
            text(input)
          ),
        helm: (...args) => call(helm ?? "helm", [`--kubeconfig=${kubeconfig}`, ...args], "")
      })
    })
  ).pipe(Layer.provide(Loopback.layer))
}

const must = (reply: Reply): string => {
  assert.isTrue(reply.ok, reply.text)
  return reply.text
}
const list = (items: ReadonlyArray<object>) => ({ apiVersion: "v1", kind: "List", items })
const namespace = (name: string, labels: object = {}) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels }
})
const isHook = ({ metadata }: Manifest): boolean => metadata.annotations?.["helm.sh/hook"] !== undefined

const podFrom = (workload: Manifest, name: string, where: string, nodeName?: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: where },
  spec: { ...workload.spec.template.spec, ...(nodeName === undefined ? {} : { nodeName }) }
})

const lease = (name: string, node: string) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name, namespace: "plenuslb", annotations: { "loadbalancing.plenus.io/node": node } },
  spec: { holderIdentity: node }
})

const entry = (node: string, phase = "Serving", address = "192.0.2.10") => ({
  address,
  node,
  phase,
  epoch: 1,
  holdId: "1.a"
})
const allocation = (status?: object) => ({
  apiVersion: "loadbalancing.plenus.io/v1alpha1",
  kind: "IPAllocation",
  metadata: { name: "web", namespace: "default" },
  ...(status === undefined ? { spec: { type: "persistent", allocations: [] } } : { status })
})

const mergePatch = (node: string, entries: ReadonlyArray<object>): ReadonlyArray<string> => [
  "patch",
  "ipallocation",
  "web",
  "--subresource=status",
  "--type=merge",
  "--patch",
  JSON.stringify({ status: { addresses: [...entries, entry(node)] } })
]

const reason = skipReason()
const skipped = helm === undefined ? needsHelm : reason === undefined ? "" : ` (${reason})`

describe.skipIf(skipped !== "")(`the chart on a real API server${skipped}`, () => {
  layer(Cluster.layer, { timeout: "2 minutes" })((it) => {
    it.effect("is accepted as strictly as the server can, hooks and the operators' DaemonSet included", () =>
      Effect.gen(function* () {
        const { kubectl } = yield* Cluster
        must(kubectl(["create", "namespace", "strict"]))
        const manifests = renderManifests({ networkPolicy: { enabled: true }, controller: { secretNames: ["hcloud"] } })
        const moved = manifests.map((manifest) => ({
          ...manifest,
          metadata: {
            ...manifest.metadata,
            ...(manifest.metadata.namespace === undefined ? {} : { namespace: "strict" })
          }
        }))
        const said = must(kubectl(["apply", "--dry-run=server", "--validate=strict", "--filename=-"], list(moved)))
        assert.strictEqual(
          said.split("\n").filter((line) => line.endsWith("(server dry run)")).length,
          manifests.length
        )
        assert.notInclude(said, "Warning")
      })
    )

    it.effect("meets Pod Security: the controller and the jobs `restricted`, the operator only `privileged`", () =>
      Effect.gen(function* () {
        const { kubectl } = yield* Cluster
        const manifests = renderManifests({})
        const operator = manifestOf(manifests, "DaemonSet", "plenuslb-operator")
        for (const level of ["restricted", "baseline", "privileged"]) {
          must(kubectl(["apply", "--filename=-"], namespace(level, { "pod-security.kubernetes.io/enforce": level })))
          for (const account of ["plenuslb", "plenuslb-operator", "plenuslb-crds"]) {
            must(kubectl(["create", "serviceaccount", account, `--namespace=${level}`]))
          }
        }
        const create = ["create", "--dry-run=server", "--filename=-"]
        for (const workload of manifests.filter(({ kind }) => kind === "Deployment" || kind === "Job")) {
          must(kubectl(create, podFrom(workload, workload.metadata.name, "restricted")))
        }
        assert.match(
          kubectl(create, podFrom(operator, "operator", "baseline")).text,
          /violates PodSecurity.*host namespaces/
        )
        must(kubectl(create, podFrom(operator, "operator", "privileged")))
      })
    )

    it.effect("upgrades a release of v0.4 whose objects belong to no release and whose selector is another", () =>
      Effect.gen(function* () {
        const { helm: run, kubectl } = yield* Cluster
        must(kubectl(["create", "namespace", "plenuslb"]))
        must(kubectl(["create", "--filename=-"], list(customResourceDefinitions)))
        must(kubectl(["create", "--filename=-"], daemonSetOfV04))
        must(run("install", "plenuslb", chartOfV04(), "--namespace=plenuslb"))
        must(
          run(
            "upgrade",
            "--install",
            "--no-hooks",
            "--namespace=plenuslb",
            "--set=envs.CLUSTER_NAME=mycluster",
            "plenuslb",
            join(root, "chart")
          )
        )
        const deployment = JSON.parse(
          must(kubectl(["get", "deployment", "plenuslb", "--namespace=plenuslb", "--output=json"]))
        )
        assert.deepStrictEqual(deployment.spec.selector.matchLabels, { app: "plenuslb" })
        assert.strictEqual(deployment.spec.template.metadata.labels.app, "plenuslb")
        assert.deepStrictEqual(
          deployment.spec.template.spec.containers.map(({ name }: { readonly name: string }) => name),
          ["controller"]
        )
        must(
          run(
            "upgrade",
            "--no-hooks",
            "--namespace=plenuslb",
            "--reuse-values",
            "--set=replicas=1",
            "plenuslb",
            join(root, "chart")
          )
        )
      })
    )

    it.effect("replaces v0.4's DaemonSet in place by what the ConfigMap holds", () =>
      Effect.gen(function* () {
        const { kubectl } = yield* Cluster
        const [old, desired] = [
          JSON.parse(must(kubectl(["get", "daemonset", "plenuslb-operator", "--namespace=plenuslb", "--output=json"]))),
          manifestOf(renderManifests({}), "DaemonSet", "plenuslb-operator")
        ]
        must(kubectl(["replace", "--filename=-"], desired))
        const now = JSON.parse(
          must(kubectl(["get", "daemonset", "plenuslb-operator", "--namespace=plenuslb", "--output=json"]))
        )
        assert.strictEqual(now.metadata.uid, old.metadata.uid)
        const [container] = now.spec.template.spec.containers
        assert.isFalse(container.securityContext.privileged)
        assert.deepStrictEqual(
          container.ports.map(({ name }: { readonly name: string }) => name),
          ["health"]
        )
      })
    )

    it.effect("lets the job that applies CRDs create and change ours, and no others", () =>
      Effect.gen(function* () {
        const { as, kubectl } = yield* Cluster
        const hooks = renderManifests({}).filter(
          (manifest) => isHook(manifest) && manifest.metadata.name.endsWith("crds") && manifest.kind !== "Job"
        )
        must(kubectl(["apply", "--filename=-"], list(hooks)))
        const token = must(kubectl(["create", "token", "plenuslb-crds", "--namespace=plenuslb"]))
        const apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=plenuslb-crds", "--filename=-"]
        must(as(token, apply, list(customResourceDefinitions)))
        must(kubectl(["delete", "crd", "ephemeralippools.loadbalancing.plenus.io", "--wait=false"]))
        for (const definition of customResourceDefinitions) {
          const retry = () => as(token, apply, definition)
          let reply = retry()
          for (let tries = 0; tries < 50 && /being deleted|conflict/i.test(reply.text); tries++) reply = retry()
          must(reply)
        }
        const [ours] = customResourceDefinitions
        const foreign = {
          ...ours,
          metadata: { name: "foreigns.example.com" },
          spec: { ...ours?.spec, group: "example.com", names: { kind: "Foreign", plural: "foreigns" } }
        }
        assert.match(as(token, apply, foreign).text, /forbidden/i)
        assert.match(as(token, ["delete", "crd", "ipallocations.loadbalancing.plenus.io"]).text, /forbidden/i)
      })
    )

    it.effect.each([
      ["controller", "plenuslb", "patch", "services/status", true],
      ["controller", "plenuslb", "patch", "services", false],
      ["controller", "plenuslb", "get", "secrets", false],
      ["controller", "plenuslb", "list", "events --namespace=kube-system", false],
      ["controller", "plenuslb", "delete", "daemonsets/plenuslb-operator", true],
      ["controller", "plenuslb", "delete", "daemonsets/another", false],
      ["controller", "plenuslb", "patch", "configmaps/plenuslb-node-config", true],
      ["controller", "plenuslb", "patch", "configmaps/kube-root-ca.crt", false],
      ["controller", "plenuslb", "patch", "nodes", false],
      ["controller", "plenuslb", "patch", "deployments", false],
      ["operator", "plenuslb-operator", "list", "ipallocations --all-namespaces", true],
      ["operator", "plenuslb-operator", "patch", "ipallocations", false],
      ["operator", "plenuslb-operator", "get", "persistentippools", false],
      ["operator", "plenuslb-operator", "list", "services --all-namespaces", false],
      ["operator", "plenuslb-operator", "list", "nodes", false],
      ["operator", "plenuslb-operator", "watch", "configmaps/plenuslb-node-config", true],
      ["operator", "plenuslb-operator", "get", "configmaps/plenuslb-operator-daemonset", false],
      ["operator", "plenuslb-operator", "delete", "leases", false],
      ["operator", "plenuslb-operator", "update", "leases --namespace=kube-node-lease", false]
    ] as const)("the %s (%s): may it %s %s? %s", ([, account, verb, what, allowed]) =>
      Effect.gen(function* () {
        const { kubectl } = yield* Cluster
        const resource = what.replace(" ", "").split("--")
        const flags = resource.slice(1).map((flag) => `--${flag}`)
        const [name = ""] = resource
        const target = /^services\/status$/.test(name)
          ? [name.split("/")[0] ?? "", `--subresource=${name.split("/")[1]}`]
          : [name]
        const where = flags.length > 0 ? flags : ["--namespace=plenuslb"]
        const subject = `--as=system:serviceaccount:plenuslb:${account}`
        assert.strictEqual(kubectl(["auth", "can-i", verb, ...target, subject, ...where]).ok, allowed)
      })
    )

    it.effect("lets an operator write its own node's Lease and entries, and nobody else's", () =>
      Effect.gen(function* () {
        const { as, kubectl } = yield* Cluster
        const template = manifestOf(renderManifests({}), "DaemonSet", "plenuslb-operator")
        for (const node of ["n1", "n2"]) {
          must(kubectl(["create", "--filename=-"], { apiVersion: "v1", kind: "Node", metadata: { name: node } }))
          must(kubectl(["create", "--filename=-"], podFrom(template, `operator-${node}`, "plenuslb", node)))
        }
        const tokenOf = (node: string) =>
          must(
            kubectl([
              "create",
              "token",
              "plenuslb-operator",
              "--namespace=plenuslb",
              "--bound-object-kind=Pod",
              `--bound-object-name=operator-${node}`
            ])
          )
        const [n1, n2] = [tokenOf("n1"), tokenOf("n2")]
        const create = ["create", "--filename=-"]
        const replace = ["replace", "--filename=-"]

        const foreignLease =
          /The operator on n2 may write only the Lease whose annotation loadbalancing\.plenus\.io\/node names its node/
        must(as(n1, create, lease(nodeLeaseName("n1"), "n1")))
        must(as(n1, replace, lease(nodeLeaseName("n1"), "n1")))
        assert.match(as(n2, create, lease(nodeLeaseName("n3"), "n3")).text, foreignLease)
        assert.match(as(n2, replace, lease(nodeLeaseName("n1"), "n1")).text, foreignLease)
        assert.match(as(n2, replace, lease(nodeLeaseName("n1"), "n2")).text, foreignLease)
        must(
          kubectl(create, {
            ...lease("plenus.io-leader-lease", ""),
            metadata: { name: "plenus.io-leader-lease", namespace: "plenuslb" }
          })
        )
        assert.match(as(n2, replace, lease("plenus.io-leader-lease", "n2")).text, foreignLease)

        must(kubectl(create, allocation()))
        const write = (token: string, node: string, status: object) =>
          as(
            token,
            [
              "apply",
              "--server-side",
              "--subresource=status",
              `--field-manager=operator-${node}`,
              "--force-conflicts",
              "--filename=-"
            ],
            allocation(status)
          )
        must(write(n1, "n1", { addresses: [entry("n1")] }))
        must(write(n2, "n2", { addresses: [entry("n2", "Released"), entry("n2", "Released", "192.0.2.11")] }))
        must(write(n1, "n1", { addresses: [entry("n1", "Released"), entry("n1", "Serving", "192.0.2.9")] }))
        must(write(n1, "n1", { addresses: [] }))

        const foreignEntry = /The operator on n2 may not change the entries of other nodes in status\.addresses/
        must(write(n1, "n1", { addresses: [entry("n1")] }))
        assert.match(write(n2, "n2", { addresses: [entry("n1", "Released")] }).text, foreignEntry)
        assert.match(write(n2, "n2", { addresses: [entry("n3")] }).text, foreignEntry)
        for (const [field, value] of [
          ["state", "success"],
          ["message", "mine"]
        ]) {
          assert.match(
            write(n2, "n2", { [field ?? ""]: value }).text,
            new RegExp(`status\\.${field} is the controller's`)
          )
        }
        const condition = {
          type: "Ready",
          status: "True",
          reason: "X",
          message: "",
          lastTransitionTime: "2026-11-24T00:00:00Z"
        }
        assert.match(write(n2, "n2", { conditions: [condition] }).text, /status\.conditions is the controller's/)

        const noNode = must(kubectl(["create", "token", "plenuslb-operator", "--namespace=plenuslb"]))
        assert.match(write(noNode, "n1", { addresses: [entry("n1")] }).text, /The operator's token names no node/)
        const controller = must(kubectl(["create", "token", "plenuslb", "--namespace=plenuslb"]))
        must(
          as(
            controller,
            [
              "apply",
              "--server-side",
              "--subresource=status",
              "--field-manager=controller",
              "--force-conflicts",
              "--filename=-"
            ],
            allocation({ state: "success" })
          )
        )
        must(write(n1, "n1", { addresses: [entry("n1")] }))
      })
    )

    it.effect("refuses nothing for its cost: 200 addresses on one Service, in another order", () =>
      Effect.gen(function* () {
        const { as, kubectl } = yield* Cluster
        const addresses = Array.from({ length: 200 }, (_, index) => `198.51.100.${index}`)
        const token = must(
          kubectl([
            "create",
            "token",
            "plenuslb-operator",
            "--namespace=plenuslb",
            "--bound-object-kind=Pod",
            "--bound-object-name=operator-n1"
          ])
        )
        // kubectl reads before it patches; the policy, not RBAC, is looked at here.
        must(kubectl(["create", "clusterrole", "reader", "--verb=get", "--resource=ipallocations/status"]))
        must(
          kubectl([
            "create",
            "clusterrolebinding",
            "reader",
            "--clusterrole=reader",
            "--serviceaccount=plenuslb:plenuslb-operator"
          ])
        )
        const others = addresses.map((address) => entry("n2", "Serving", address))
        must(kubectl(mergePatch("n1", others)))
        must(as(token, mergePatch("n1", others.toReversed())))
      })
    )

    it.effect("sends the Lease writes of both accounts to the level of leader elections", () =>
      Effect.gen(function* () {
        const { as, kubectl } = yield* Cluster
        const uid = must(kubectl(["get", "flowschema", "plenuslb-leases", "--output=jsonpath={.metadata.uid}"]))
        const token = must(kubectl(["create", "token", "plenuslb", "--namespace=plenuslb"]))
        const headers = (what: string) => as(token, ["get", what, "--namespace=plenuslb", "--v=8"]).text
        assert.include(headers("leases/plenus.io-leader-lease"), uid)
        assert.notInclude(headers("configmaps/plenuslb-operator-daemonset"), uid)
      })
    )
  })
})

/** As v04-objects describes it: its selector, privileged, with the gRPC port. */
const daemonSetOfV04 = (() => {
  const labels = { "app.kubernetes.io/instance": "plenuslb-operator", "app.kubernetes.io/name": "plenuslb-operator" }
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: {
      name: "plenuslb-operator",
      namespace: "plenuslb",
      labels: { ...labels, "app.kubernetes.io/managed-by": "plenuslb" }
    },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          hostNetwork: true,
          containers: [
            {
              name: "plenuslb-operator",
              image: "plenus/plenuslb-operator:v0.4.0",
              securityContext: { privileged: true },
              ports: [
                { name: "health", containerPort: 8080 },
                { name: "grpc", containerPort: 10000 }
              ]
            }
          ]
        }
      }
    }
  }
})()

/** Its chart is not public: one with another selector, another container and a binding of the same purpose. */
const chartOfV04 = (): string => {
  const folder = join(mkdtempSync(join(tmpdir(), "plenuslb-v04-")), "plenuslb")
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "plenuslb" },
    spec: {
      selector: { matchLabels: { app: "plenuslb" } },
      template: {
        metadata: { labels: { app: "plenuslb" } },
        spec: { containers: [{ name: "plenuslb", image: "plenus/plenuslb:v0.4.0" }] }
      }
    }
  }
  const write = (path: string, content: object) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), JSON.stringify(content))
  }
  write("Chart.yaml", { apiVersion: "v2", name: "plenuslb", version: "0.4.0" })
  write("templates/all.yaml", deployment)
  return folder
}
