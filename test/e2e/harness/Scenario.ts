/** A namespace, pools and Services of one test, and the end of all of them after it, whatever became of it. */
import { onTestFinished } from "vitest"
import type { IPAllocation } from "../../../src/api/IPAllocation.ts"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import type { PersistentIPPool } from "../../../src/api/PersistentIPPool.ts"
import type { Service } from "../../../src/api/Service.ts"
import { services } from "../../../src/api/Service.ts"
import * as Cluster from "./Cluster.ts"
import { eventually } from "./eventually.ts"
import { placesOf } from "./Lab.ts"

export interface Scenario {
  readonly namespace: string
  /** Its name is the namespace's unless given. */
  readonly pool: (spec: Cluster.Manifest, name?: string) => Promise<string>
  /** A pool that the test makes by other means: it goes with the others. */
  readonly ownPool: (name: string, kind?: PoolKind) => void
  /** `spec.externalIPs: [address]` and the ports of the echo workload, unless `spec` says otherwise. */
  readonly service: (name: string, address: string | undefined, more?: ServiceExtras) => Promise<void>
  /** Two echo pods that answer on 8080, TCP and UDP; waits until they are ready. */
  readonly workload: (placement?: Cluster.Manifest) => Promise<void>
  readonly allocation: (name: string) => Promise<IPAllocation | undefined>
  readonly get: (name: string) => Promise<Service | undefined>
  /** Waits until the IPAllocation says so and the Service shows the address. */
  readonly served: (name: string) => Promise<Served>
  /** Runs before the namespace goes, the last one first. */
  readonly after: (cleaning: () => Promise<unknown>) => void
}

type PoolKind = "persistentippool" | "ephemeralippool"

export interface ServiceExtras {
  readonly annotations?: { readonly [name: string]: string }
  readonly spec?: Cluster.Manifest
}

export interface Served {
  readonly address: string
  readonly node: string
}

export const poolManifest = (name: string, spec: Cluster.Manifest): Cluster.Manifest => ({
  apiVersion: "loadbalancing.plenus.io/v1alpha1",
  kind: "PersistentIPPool",
  metadata: { name },
  spec: { options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } }, ...spec }
})

export const serviceManifest = (
  namespace: string,
  name: string,
  address: string | undefined,
  { annotations = {}, spec = {} }: ServiceExtras = {}
): Cluster.Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace, annotations },
  spec: {
    type: "LoadBalancer",
    selector: { app: "echo" },
    ports: [
      { name: "http", port: 80, targetPort: 8080 },
      { name: "udp", port: 80, targetPort: 8080, protocol: "UDP" }
    ],
    ...(address === undefined ? {} : { externalIPs: [address] }),
    ...spec
  }
})

const workloadManifest = (namespace: string, placement: Cluster.Manifest): Cluster.Manifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "echo", namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "echo" } },
    template: {
      metadata: { labels: { app: "echo" } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: "echo", image: "localhost/plenuslb-echo:lab", imagePullPolicy: "Never" }],
        ...placement
      }
    }
  }
})

/** Pods on the given nodes only. */
export const onNodes = (names: ReadonlyArray<string>): Cluster.Manifest => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [...names] }] }
        ]
      }
    }
  }
})

export const poolNamed = (name: string): Promise<PersistentIPPool | undefined> =>
  Cluster.get(persistentIPPools, { name })

export const conditionOf = (pool: PersistentIPPool | undefined, type: string) =>
  pool?.status?.conditions?.find((each) => each.type === type)

export const poolReady = (name: string): Promise<boolean> =>
  eventually(`pool ${name} is ready`, async () => conditionOf(await poolNamed(name), "Ready")?.status === "True")

/** `pools`: kind and name. The end of a scenario is itself an assertion: no IPAllocation and no pool may hang on a finalizer. */
const clear = async (namespace: string, pools: ReadonlyArray<string>) => {
  const addresses = (await Cluster.list(ipAllocations, { namespace })).flatMap(({ spec }) =>
    spec.allocations.map(({ address }) => address)
  )
  // Before the namespace: its controller looks again only every five seconds. The API server ends a request after 60 s,
  // when a busy machine may have deleted half of a thousand.
  await eventually(`the Services in ${namespace} are deleted`, async () => {
    await Cluster.kubectl("delete", "--raw", `/api/v1/namespaces/${namespace}/services`)
    return true
  })
  if (pools.length > 0) await Cluster.remove(...pools)
  await eventually(`IPAllocations in ${namespace} and ${pools.join(", ")} are gone`, async () => {
    const left = pools.length === 0 ? "" : await Cluster.kubectl("get", "--ignore-not-found", "-o", "name", ...pools)
    const allocations = await Cluster.list(ipAllocations, { namespace })
    return left === "" && allocations.length === 0
  })
  await Cluster.remove("namespace", namespace)
  for (const address of new Set(addresses)) {
    await eventually(`${address} is on no node`, async () => (await placesOf(address)).length === 0)
  }
}

const servedAddress = async ({ allocation, get }: Scenario, name: string): Promise<Served | undefined> => {
  const found = await allocation(name)
  const entry = found?.spec.allocations[0]
  const shown = (await get(name))?.status?.loadBalancer?.ingress ?? []
  const served = found?.status?.state === "success" && shown.some(({ ip }) => ip === entry?.address)
  if (!served || entry?.nodeName === undefined) return undefined
  return { address: entry.address, node: entry.nodeName }
}

export interface Options {
  /** The cluster has no definitions of ours yet, hence no pool of an earlier run. */
  readonly bare?: boolean
}

/** Removes what a run that was killed has left, so that a test can be repeated. */
const startAfresh = async (namespace: string, { bare = false }: Options) => {
  await Cluster.remove("namespace", namespace)
  if (!bare) await Cluster.remove("persistentippool", namespace)
  await eventually(`the namespace ${namespace} of an earlier run is gone`, async () => {
    const left = await Cluster.kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "name")
    return left === "" && (bare || (await poolNamed(namespace)) === undefined)
  })
  await Cluster.kubectl("create", "namespace", namespace)
}

export const scenario = async (name: string, options: Options = {}): Promise<Scenario> => {
  const namespace = `e2e-${name}`
  const pools = new Set<string>()
  const cleanings: Array<() => Promise<unknown>> = []
  onTestFinished(async () => {
    for (const cleaning of cleanings.toReversed()) await cleaning()
    await clear(namespace, [...pools])
  })
  await startAfresh(namespace, options)
  const self: Scenario = {
    namespace,
    pool: async (spec, poolName = namespace) => {
      pools.add(`persistentippool/${poolName}`)
      await Cluster.apply(poolManifest(poolName, spec))
      return poolName
    },
    ownPool: (poolName, kind = "persistentippool") => void pools.add(`${kind}/${poolName}`),
    service: (service, address, more) => Cluster.apply(serviceManifest(namespace, service, address, more)),
    workload: async (placement = {}) => {
      await Cluster.apply(workloadManifest(namespace, placement))
      await Cluster.kubectl("-n", namespace, "rollout", "status", "deployment/echo", "--timeout=180s")
    },
    allocation: (service) => Cluster.get(ipAllocations, { namespace, name: service }),
    get: (service) => Cluster.get(services, { namespace, name: service }),
    served: (service) => eventually(`${namespace}/${service} is served`, () => servedAddress(self, service)),
    after: (cleaning) => void cleanings.push(cleaning)
  }
  return self
}
