import { assert, describe, it } from "@effect/vitest"
import { helm, manifestOf, needsHelm, renderManifests, type Manifest } from "./helm.ts"

const workloadKinds = new Set(["Deployment", "Job", "DaemonSet"])
const workloads = (manifests: ReadonlyArray<Manifest>): ReadonlyArray<Manifest> =>
  manifests.filter(({ kind }) => workloadKinds.has(kind))

const podOf = (workload: Manifest) => workload.spec.template.spec

describe.skipIf(helm === undefined)(`security posture${needsHelm}`, () => {
  const manifests = helm === undefined ? [] : renderManifests({})

  it("has four workloads, all of them looked at here", () => {
    assert.sameMembers(
      workloads(manifests).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ["Deployment plenuslb", "DaemonSet plenuslb-operator", "Job plenuslb-crds", "Job plenuslb-uninstall"]
    )
  })

  it.each(workloads(manifests).map((workload) => [`${workload.kind} ${workload.metadata.name}`, workload] as const))(
    "%s: never privileged, a read-only root, all capabilities dropped, default seccomp, memory bounded",
    (_, workload) => {
      const pod = podOf(workload)
      assert.deepStrictEqual(pod.securityContext.seccompProfile, { type: "RuntimeDefault" })
      assert.isTrue([undefined, false].includes(pod.hostPID) && [undefined, false].includes(pod.hostIPC))
      assert.isUndefined(pod.volumes?.find((volume: { readonly hostPath?: unknown }) => volume.hostPath !== undefined))
      for (const container of pod.containers) {
        assert.notStrictEqual(container.securityContext.privileged, true)
        assert.isFalse(container.securityContext.allowPrivilegeEscalation)
        assert.isTrue(container.securityContext.readOnlyRootFilesystem)
        assert.deepStrictEqual(container.securityContext.capabilities.drop, ["ALL"])
        assert.isString(container.resources.limits.memory)
        assert.isUndefined(container.resources.limits.cpu)
      }
    }
  )

  it("gives the operator NET_ADMIN and NET_RAW and nothing else, and only it the node's network", () => {
    for (const workload of workloads(manifests)) {
      const operator = workload.kind === "DaemonSet"
      const pod = podOf(workload)
      assert.strictEqual(pod.hostNetwork === true, operator)
      assert.deepStrictEqual(
        pod.containers[0].securityContext.capabilities.add,
        operator ? ["NET_ADMIN", "NET_RAW"] : undefined
      )
      assert.strictEqual(pod.securityContext.runAsNonRoot === true, !operator)
    }
  })

  it("adds NET_BIND_SERVICE for a health port below 1024, which v0.4's privileged operator could open", () => {
    const low = renderManifests({ envs: { HEALTH_PORT: 81 } })
    const operator = manifestOf(low, "DaemonSet", "plenuslb-operator").spec.template.spec
    assert.deepStrictEqual(operator.containers[0].securityContext.capabilities.add, [
      "NET_ADMIN",
      "NET_RAW",
      "NET_BIND_SERVICE"
    ])
    const controller = manifestOf(low, "Deployment", "plenuslb").spec.template.spec
    assert.deepStrictEqual(controller.securityContext.sysctls, [
      { name: "net.ipv4.ip_unprivileged_port_start", value: "0" }
    ])
  })

  it("opens one port, the health port", () => {
    for (const workload of workloads(manifests)) {
      const ports = podOf(workload).containers.flatMap(
        (container: { readonly ports?: ReadonlyArray<object> }) => container.ports ?? []
      )
      assert.isAtMost(ports.length, 1)
    }
    assert.isUndefined(manifests.find(({ kind }) => kind === "Service"))
  })

  it("lets no one but the health probe in, when the network policy is on", () => {
    const policy = manifestOf(renderManifests({ networkPolicy: { enabled: true } }), "NetworkPolicy", "plenuslb")
    assert.deepStrictEqual(policy.spec.policyTypes, ["Ingress", "Egress"])
    assert.deepStrictEqual(policy.spec.ingress, [{ ports: [{ port: "health", protocol: "TCP" }] }])
  })

  // oxfmt-ignore
  it.each([
    ["of the vendor",               "",                               [443, 6443, 8080]],
    ["of http with a port",         "http://172.30.0.1:8080/v1",      [443, 6443, 8080]],
    ["of an IPv6 host with a port", "http://[2001:db8::1]:8080/v1",   [443, 6443, 8080]],
    ["of an IPv6 host without one", "https://[2001:db8::1]/v1",       [443, 6443, 8080]],
    ["of http without a port",      "http://proxy.example/hcloud/v1", [443, 6443, 80, 8080]],
    ["of https without a port",     "https://proxy.example/v1",       [443, 6443, 8080]]
  ])("lets the controller reach the cloud's endpoint: port %s", (_, endpoint, ports) => {
    const values = { networkPolicy: { enabled: true }, hetzner: { endpoint } }
    const { spec } = manifestOf(renderManifests(values), "NetworkPolicy", "plenuslb")
    assert.deepStrictEqual(
      spec.egress[1].ports.map(({ port }: { readonly port: number }) => port),
      ports
    )
  })
})
