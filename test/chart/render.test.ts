import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { helm, manifestOf, needsHelm, render, renderManifests, root } from "./helm.ts"

const everything = {
  envs: { CLUSTER_NAME: "mycluster", HEALTH_PORT: 81, HTTPS_PROXY: "http://proxy:3128", OPERATOR_PULL_SECRET: "old" },
  image: { repository: "registry.example/plenuslb", tag: "v1.0.0", digest: `sha256:${"0a".repeat(32)}` },
  imagePullSecrets: [{ name: "registry" }],
  replicas: 3,
  logLevel: "debug",
  defaultLoadBalancer: false,
  loadBalancerClass: "example.com/edge",
  failover: { profile: "fast", witness: "on", quietMillis: 3500 },
  hetzner: { endpoint: "http://hetzner-fake.example:8080/v1" },
  ignoreExcludeLabel: true,
  controller: {
    nodeSelector: { role: "system" },
    tolerations: [{ key: "node-role.kubernetes.io/control-plane", operator: "Exists" }],
    affinity: { podAntiAffinity: {} },
    priorityClassName: "",
    podAnnotations: { "example.com/note": "a" },
    podLabels: { team: "net" },
    extraEnv: [{ name: "NODE_EXTRA_CA_CERTS", value: "/etc/ssl/ca.pem" }],
    secretNames: ["hcloud"]
  },
  operator: {
    image: { tag: "v1.0.1", pullPolicy: "Always" },
    nodeSelector: { edge: "yes" },
    tolerations: [{ operator: "Exists" }],
    priorityClassName: "edge",
    podAnnotations: { "example.com/note": "b" },
    extraEnv: [{ name: "KUBERNETES_SERVICE_HOST", value: "api.example" }],
    maxUnavailable: "20%"
  },
  networkPolicy: { enabled: true, egressPorts: [8443] }
}
const leastOfAll = {
  replicas: 1,
  crds: { enabled: false },
  uninstallHook: { enabled: false },
  admissionPolicy: { enabled: false },
  failover: { witness: false },
  flowSchema: { enabled: false },
  podDisruptionBudget: { enabled: false }
}

/** `GOLDEN=write npx vitest …` rewrites them. Commit only a difference that you understand. */
const compare = (name: string, text: string): void => {
  const file = join(root, "test/chart/golden", `${name}.txt`)
  if (process.env.GOLDEN === "write") {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  assert.strictEqual(text, readFileSync(file, "utf8"))
}

describe.skipIf(helm === undefined)(`helm template${needsHelm}`, () => {
  it.each([
    ["default", {}],
    ["everything", everything],
    ["least", leastOfAll]
  ])("renders the golden file %s.txt", (name, values) => {
    const { refusal, text } = render(values)
    assert.strictEqual(refusal, "")
    compare(name, text)
  })

  it("takes the command of v0.4's documentation, and passes any other variable of envs on", () => {
    const { text } = render(
      {},
      "--set",
      "envs.CLUSTER_NAME=mycluster",
      "--set",
      "envs.HEALTH_PORT=9080",
      "--set",
      "envs.ANY=1"
    )
    for (const line of [
      '{name: CLUSTER_NAME, value: "mycluster"}',
      '{name: HEALTH_PORT, value: "9080"}',
      '{name: ANY, value: "1"}'
    ]) {
      assert.include(text, line)
    }
  })

  it("keeps what belongs to v0.4's controller out of the release: CRDs and the operators' DaemonSet", () => {
    const kinds = new Set(
      renderManifests({})
        .slice(0, -1)
        .map(({ kind }) => kind)
    )
    assert.isFalse(kinds.has("CustomResourceDefinition"))
    assert.isFalse(kinds.has("DaemonSet"))
  })

  it("keeps the selector of v0.4's DaemonSet, which cannot change", () => {
    const { spec, metadata } = manifestOf(renderManifests(everything), "DaemonSet", "plenuslb-operator")
    const labels = { "app.kubernetes.io/instance": "plenuslb-operator", "app.kubernetes.io/name": "plenuslb-operator" }
    assert.deepStrictEqual(spec.selector, { matchLabels: labels })
    assert.include(spec.template.metadata.labels, labels)
    assert.strictEqual(metadata.namespace, "plenuslb")
  })

  it("propagates HEALTH_PORT to the operators and to every probe", () => {
    const manifests = renderManifests({ envs: { HEALTH_PORT: "9080" } })
    for (const workload of [
      manifestOf(manifests, "Deployment", "plenuslb"),
      manifestOf(manifests, "DaemonSet", "plenuslb-operator")
    ]) {
      const [container] = workload.spec.template.spec.containers
      assert.deepInclude(container.env, { name: "HEALTH_PORT", value: "9080" })
      assert.strictEqual(container.ports[0].containerPort, 9080)
      for (const probe of ["startupProbe", "livenessProbe"]) {
        assert.deepStrictEqual(container[probe].httpGet, { path: "/health", port: "health" })
      }
      assert.deepStrictEqual(container.readinessProbe.httpGet, { path: "/ready", port: "health" })
    }
  })

  it("runs with v0.4's OPERATOR_IMAGE and OPERATOR_PULL_SECRET", () => {
    const manifests = renderManifests({ envs: { OPERATOR_IMAGE: "mirror/op:1", OPERATOR_PULL_SECRET: "mirror" } })
    const pod = manifestOf(manifests, "DaemonSet", "plenuslb-operator").spec.template.spec
    assert.strictEqual(pod.containers[0].image, "mirror/op:1")
    assert.deepStrictEqual(pod.imagePullSecrets, [{ name: "mirror" }])
    const { env } = manifestOf(manifests, "Deployment", "plenuslb").spec.template.spec.containers[0]
    assert.deepInclude(env, { name: "OPERATOR_IMAGE", value: "mirror/op:1" })
    assert.deepInclude(env, { name: "OPERATOR_PULL_SECRET", value: "mirror" })
  })

  it("names every environment variable of the controller once", () => {
    const { env } = manifestOf(renderManifests(everything), "Deployment", "plenuslb").spec.template.spec.containers[0]
    const names = env.map(({ name }: { readonly name: string }) => name)
    assert.deepStrictEqual(names, [...new Set(names)])
  })

  it("runs on one node: replicas are spread as a wish", () => {
    const pod = manifestOf(renderManifests({}), "Deployment", "plenuslb").spec.template.spec
    assert.deepStrictEqual(
      pod.topologySpreadConstraints.map(
        (constraint: { readonly whenUnsatisfiable: string }) => constraint.whenUnsatisfiable
      ),
      ["ScheduleAnyway"]
    )
  })

  it("replaces operators one by one and keeps them on nodes that are not ready", () => {
    const { spec } = manifestOf(renderManifests({}), "DaemonSet", "plenuslb-operator")
    assert.deepStrictEqual(spec.updateStrategy, {
      type: "RollingUpdate",
      rollingUpdate: { maxUnavailable: 1, maxSurge: 0 }
    })
    assert.deepStrictEqual(spec.template.spec.tolerations, [
      { key: "node.kubernetes.io/not-ready", operator: "Exists" },
      { key: "node.kubernetes.io/unreachable", operator: "Exists" }
    ])
  })

  it("deletes an uninstall job that failed: waiting for its image, it would uninstall the next installation", () => {
    const { annotations } = manifestOf(renderManifests({}), "Job", "plenuslb-uninstall").metadata
    assert.strictEqual(annotations?.["helm.sh/hook-delete-policy"], "before-hook-creation,hook-succeeded,hook-failed")
  })
})
