/** What an uninstallation leaves, on the memory layers with the real controller and operators. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Schema } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { objectFields } from "../../../src/api/KubernetesObject.ts"
import { finalizer } from "../../../src/api/Names.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { type LoadBalancerIngress, services } from "../../../src/api/Service.ts"
import * as UninstallCommand from "../../../src/cli/UninstallCommand.ts"
import { Kubernetes } from "../../../src/ports/Kubernetes.ts"
import * as TestCluster from "../integration/TestCluster.ts"
import { virtually } from "../virtually.ts"

const shown = ({ memory }: TestCluster.TestCluster, name: string): ReadonlyArray<LoadBalancerIngress> =>
  memory.truth.get(services, { namespace: "shop", name })?.status?.loadBalancer?.ingress ?? []

const service = (name: string, address: string, loadBalancerClass?: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "shop" },
  spec: {
    type: "LoadBalancer",
    ports: [{ port: 80 }],
    externalIPs: [address],
    ...(loadBalancerClass === undefined ? {} : { loadBalancerClass })
  }
})

const show = ({ api }: TestCluster.TestCluster, name: string, ingress: ReadonlyArray<LoadBalancerIngress>) =>
  api.patch(services, { namespace: "shop", name }, { status: { loadBalancer: { ingress } } }, { subresource: "status" })

const start = Effect.gen(function* () {
  const cluster = yield* TestCluster.make(["node-1"])
  const controller = yield* cluster.startController("controller-a")
  const operator = yield* cluster.startOperator("node-1")
  yield* cluster.api.create(persistentIPPools, {
    apiVersion: "loadbalancing.plenus.io/v1alpha1",
    kind: "PersistentIPPool",
    metadata: { name: "rack-1" },
    spec: {
      addresses: ["192.0.2.10-192.0.2.12"],
      options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" } }
    }
  })
  yield* cluster.api.create(services, service("web", "192.0.2.10"))
  yield* cluster.api.create(services, service("mixed", "192.0.2.11"))
  yield* cluster.api.create(services, service("theirs", "192.0.2.12", "example.com/other"))
  yield* Effect.sleep("10 seconds")
  yield* show(cluster, "theirs", [{ ip: "192.0.2.12" }])
  const end = Effect.andThen(controller.stop, Effect.sleep("1 second"))
  return { cluster, end, operator }
})

const uninstall = (cluster: TestCluster.TestCluster) =>
  UninstallCommand.run.pipe(
    Effect.provideService(Kubernetes, cluster.memory.view("uninstall")),
    Effect.provideService(
      ConfigProvider.ConfigProvider,
      ConfigProvider.fromEnv({ env: { MY_POD_NAMESPACE: TestCluster.ownNamespace } })
    )
  )

/** As `kubectl` sees them, whatever they hold. */
const bare = { ...ipAllocations, schema: Schema.Struct(objectFields) }

describe("plenuslb uninstall", () => {
  it("takes our addresses out of the Services' status, and nobody else's", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, end } = yield* start
        assert.deepStrictEqual(shown(cluster, "web"), [{ ip: "192.0.2.10", ipMode: "VIP" }])
        yield* end
        const foreign = { hostname: "lb.example.com" }
        yield* show(cluster, "mixed", [{ ip: "192.0.2.11" }, foreign])
        yield* uninstall(cluster)
        assert.deepStrictEqual(shown(cluster, "web"), [])
        assert.deepStrictEqual(shown(cluster, "mixed"), [foreign])
        assert.deepStrictEqual(
          shown(cluster, "theirs").map(({ ip }) => ip),
          ["192.0.2.12"]
        )
      })
    )
  })

  it("keeps IPAllocations, so that the next installation gives each Service what it had", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, end, operator } = yield* start
        yield* end
        yield* uninstall(cluster)
        yield* operator.stop
        const left = cluster.memory.truth.list(ipAllocations)
        assert.deepStrictEqual(
          left.map(({ metadata, spec }) => [metadata.name, spec.addressList, metadata.finalizers ?? []]),
          [
            ["mixed", "192.0.2.11", []],
            ["web", "192.0.2.10", []]
          ]
        )
        yield* cluster.startController("controller-b")
        yield* cluster.startOperator("node-1", "operator-b")
        yield* Effect.sleep("60 seconds")
        assert.deepStrictEqual(
          shown(cluster, "web").map(({ ip }) => ip),
          ["192.0.2.10"]
        )
      })
    )
  })

  it("takes our finalizer off what this version cannot read, too", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, end } = yield* start
        yield* end
        // The reply cannot be read either.
        yield* cluster.api
          .patch(
            ipAllocations,
            { namespace: "shop", name: "web" },
            { spec: { allocations: [{ address: "192.0.2.10", pool: "rack-1", epoch: 2 ** 60 }] } }
          )
          .pipe(Effect.ignore)
        assert.isUndefined(cluster.memory.truth.get(ipAllocations, { namespace: "shop", name: "web" }), "not readable")
        yield* uninstall(cluster)
        assert.deepStrictEqual(shown(cluster, "web"), [])
        const finalizers = cluster.memory.truth.list(bare).flatMap(({ metadata }) => metadata.finalizers ?? [])
        assert.notInclude(finalizers, finalizer)
      })
    )
  })
})
