/** The kinds of Kubernetes itself: what we rely on of their defaults and checks. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { leases } from "../../../../src/api/Lease.ts"
import { type Service, services } from "../../../../src/api/Service.ts"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { type Case, given, invalid, newNamespace, refused, untyped, versionOf } from "../Case.ts"
import { lease, loadBalancer } from "../Objects.ts"

const status = { subresource: "status" } as const
const showing = (...ingress: ReadonlyArray<object>) => ({ status: { loadBalancer: { ingress } } })
const rawServices = untyped(services)

const condition = (type: string, value: string) => ({
  type,
  status: value,
  reason: "Tested",
  message: "",
  lastTransitionTime: "2026-11-24T15:00:00Z"
})

/** On the Service that was created, as the controller does it. */
const applyConditions = (
  { name, namespace, uid }: Service["metadata"],
  fieldManager: string,
  conditions: ReadonlyArray<object> | undefined
) =>
  Kubernetes.use((kubernetes) =>
    kubernetes.apply(
      services,
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace, uid },
        ...(conditions === undefined ? {} : { status: { conditions } })
      },
      { fieldManager, force: true, subresource: "status" }
    )
  )

const conditionsOf = (service: Service): ReadonlyArray<string> =>
  (service.status?.conditions ?? []).map((each) => `${String(each["type"])}=${String(each["status"])}`)

export const builtinCases: ReadonlyArray<Case> = [
  given(
    "a Service is given a cluster address, a family and a traffic policy",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { spec } = yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      assert.match(spec.clusterIPs?.[0] ?? "", /^\d+\.\d+\.\d+\.\d+$/)
      assert.deepStrictEqual(spec.ipFamilies, ["IPv4"])
      assert.strictEqual(spec.ipFamilyPolicy, "SingleStack")
      assert.strictEqual(spec.externalTrafficPolicy, "Cluster")
      assert.strictEqual(spec.ports?.[0]?.protocol, "TCP")
    })
  ),
  given(
    "two Services have different cluster addresses",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const one = yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      const two = yield* kubernetes.create(services, loadBalancer(namespace, "b"))
      assert.notDeepEqual(one.spec.clusterIPs, two.spec.clusterIPs)
    })
  ),
  given(
    "a Service that prefers dual stack is given both families",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const single = loadBalancer(namespace, "a")
      const dual = { ...single, spec: { ...single.spec, ipFamilyPolicy: "PreferDualStack" } }
      const { spec } = yield* kubernetes.create(services, dual)
      assert.deepStrictEqual(spec.ipFamilies, ["IPv4", "IPv6"])
      assert.include(spec.clusterIPs?.[1] ?? "", ":")
    })
  ),
  given(
    "an address in a Service's status is a VIP unless it says otherwise",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      const ingress = showing({ ip: "192.0.2.10" }, { ip: "192.0.2.11", ipMode: "Proxy" })
      const patched = yield* kubernetes.patch(services, { namespace, name: "a" }, ingress, status)
      assert.deepStrictEqual(patched.status?.loadBalancer?.ingress, [
        { ip: "192.0.2.10", ipMode: "VIP" },
        { ip: "192.0.2.11", ipMode: "Proxy" }
      ])
    })
  ),
  given(
    "writing a Service's status again without the mode that was filled in changes nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      const first = yield* kubernetes.patch(services, ref, showing({ ip: "192.0.2.10" }), status)
      const second = yield* kubernetes.patch(services, ref, showing({ ip: "192.0.2.10" }), status)
      assert.strictEqual(versionOf(second), versionOf(first))
    })
  ),
  given(
    "applying a Service's status twice changes nothing the second time, and applying none takes it away",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      const apply = (fields: object) =>
        kubernetes.apply(
          services,
          { metadata: { name: "a", namespace }, ...fields },
          { fieldManager: "one", ...status }
        )
      const first = yield* apply(showing({ ip: "192.0.2.10" }))
      const second = yield* apply(showing({ ip: "192.0.2.10" }))
      assert.strictEqual(versionOf(second), versionOf(first))
      const third = yield* apply({})
      assert.isUndefined(third.status?.loadBalancer?.ingress)
    })
  ),
  given(
    "a status of what is no address is Invalid",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      const write = kubernetes.patch(services, { namespace, name: "a" }, showing({ ip: "192.0.2.999" }), status)
      yield* invalid("status.loadBalancer.ingress[0].ip", write)
    })
  ),
  given(
    "only a load balancer's status shows addresses",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { spec, metadata } = loadBalancer(namespace, "a")
      yield* kubernetes.create(services, { metadata, spec: { ...spec, type: "ClusterIP" } })
      const write = kubernetes.patch(
        services,
        { namespace, name: "a" },
        showing({ ip: "192.0.2.10", ipMode: "VIP" }),
        status
      )
      yield* invalid("status.loadBalancer.ingress", write)
    })
  ),
  given(
    "a Service that ceases to be a load balancer loses the addresses in its status",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      yield* kubernetes.patch(services, ref, showing({ ip: "192.0.2.10" }), status)
      const changed = yield* kubernetes.patch(services, ref, { spec: { type: "ClusterIP" } })
      assert.isUndefined(changed.status?.loadBalancer?.ingress)
      assert.isUndefined(changed.spec.externalTrafficPolicy)
    })
  ),
  given(
    "a Service's class may not change, and stands on load balancers only",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { spec, metadata } = loadBalancer(namespace, "a")
      const classed = { ...spec, loadBalancerClass: "example.com/one" }
      yield* kubernetes.create(services, { metadata, spec: classed })
      const change = { spec: { loadBalancerClass: "example.com/two" } }
      yield* invalid("spec.loadBalancerClass", kubernetes.patch(services, { namespace, name: "a" }, change))
      const plain = { metadata: { name: "b", namespace }, spec: { ...classed, type: "ClusterIP" } }
      yield* invalid("spec.loadBalancerClass", kubernetes.create(services, plain))
    })
  ),
  given(
    "a Service without ports, with an impossible port, type or address is Invalid",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const create = (spec: object) =>
        kubernetes.create(rawServices, { metadata: { name: "a", namespace }, spec: { type: "LoadBalancer", ...spec } })
      const ports = [{ port: 80 }]
      yield* invalid("spec.ports", create({}))
      yield* invalid("spec.ports[0].port", create({ ports: [{ port: 70_000 }] }))
      yield* invalid("spec.type", create({ ports, type: "Balancer" }))
      yield* invalid("spec.externalIPs[0]", create({ ports, externalIPs: ["300.1.1.1"] }))
    })
  ),
  given(
    "a Lease's times have exactly six decimals",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { spec, metadata } = lease(namespace, "a", "one")
      const three = { metadata, spec: { ...spec, renewTime: "2026-11-24T15:00:00.000Z" } }
      yield* refused("Invalid", kubernetes.create(leases, three))
      yield* kubernetes.create(leases, { metadata, spec: { ...spec } })
      const none = { spec: { renewTime: "2026-11-24T15:00:00Z" } }
      yield* refused("Invalid", kubernetes.patch(leases, { namespace, name: "a" }, none))
    })
  ),
  given(
    "a Lease lasts at least one second",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { spec, metadata } = lease(namespace, "a", "one")
      const never = { metadata, spec: { ...spec, leaseDurationSeconds: 0 } }
      yield* invalid("spec.leaseDurationSeconds", kubernetes.create(leases, never))
    })
  ),
  given(
    "conditions of a Service belong to who applied them: one manager's go, the others and the rest of the status stay",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { metadata } = yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      yield* applyConditions(metadata, "one", [condition("example.com/One", "False")])
      yield* applyConditions(metadata, "two", [condition("example.com/Two", "True")])
      yield* kubernetes.patch(services, { namespace, name: "a" }, showing({ ip: "192.0.2.10" }), status)
      const changed = yield* applyConditions(metadata, "one", [condition("example.com/One", "True")])
      assert.deepStrictEqual(conditionsOf(changed).toSorted(), ["example.com/One=True", "example.com/Two=True"])
      const { status: left } = yield* applyConditions(metadata, "one", undefined)
      assert.deepStrictEqual(left?.conditions, [condition("example.com/Two", "True")])
      assert.deepStrictEqual(left?.loadBalancer, { ingress: [{ ip: "192.0.2.10", ipMode: "VIP" }] })
      const { status: none } = yield* applyConditions(metadata, "two", undefined)
      assert.isUndefined(none?.conditions)
    })
  ),
  given(
    "a Service that ceases to be a load balancer keeps its conditions, and they can be taken off",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { metadata } = yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      yield* applyConditions(metadata, "one", [condition("example.com/One", "False")])
      const changed = yield* kubernetes.patch(services, { namespace, name: "a" }, { spec: { type: "ClusterIP" } })
      assert.deepStrictEqual(conditionsOf(changed), ["example.com/One=False"])
      assert.deepStrictEqual(conditionsOf(yield* applyConditions(metadata, "one", undefined)), [])
    })
  ),
  given(
    "an apply of the conditions that are there keeps the version of the Service",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { metadata } = yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      const first = yield* applyConditions(metadata, "one", [condition("example.com/One", "False")])
      const second = yield* applyConditions(metadata, "one", [condition("example.com/One", "False")])
      assert.strictEqual(versionOf(second), versionOf(first))
    })
  )
]
