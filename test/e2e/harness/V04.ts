/**
 * A cluster as PlenusLB v0.4 leaves it, in our own words: its definitions, without what came later, a DaemonSet under its
 * names, and objects as they stand after success. Where v0.4's operator ran, the echo image stands in: it answers
 * `/health` on the same port.
 */
import * as Cluster from "./Cluster.ts"
import { eventually } from "./eventually.ts"
import { onNode } from "./Lab.ts"
import { namespace } from "./Product.ts"

type Schema = { readonly [field: string]: unknown }

const text: Schema = { type: "string" }
const record = (properties: { readonly [name: string]: Schema }, ...required: ReadonlyArray<string>): Schema => ({
  type: "object",
  properties,
  ...(required.length === 0 ? {} : { required })
})
const listOf = (items: Schema): Schema => ({ type: "array", items })

const poolSpec = (own: { readonly [name: string]: Schema }, ...required: ReadonlyArray<string>): Schema =>
  record(
    {
      ...own,
      allowedNamespaces: listOf(text),
      cloudIntegration: record({ hetzner: record({ token: text }, "token") }),
      options: record({
        hostNetworkInterface: record(
          { addAddressesToInterface: { type: "boolean" }, interfaceName: text },
          "addAddressesToInterface",
          "interfaceName"
        )
      })
    },
    ...required
  )

const allocationSpec = record(
  {
    type: text,
    allocations: listOf(
      record(
        { address: text, pool: text, nodeName: text, networkInterface: text, cloudProvider: text },
        "address",
        "pool"
      )
    )
  },
  "type"
)

const definition = (kind: string, spec: Schema, scope: string, names: object, version: object): Cluster.Manifest => {
  const singular = kind.toLowerCase()
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${singular}s.loadbalancing.plenus.io` },
    spec: {
      group: "loadbalancing.plenus.io",
      scope,
      names: { kind, singular, plural: `${singular}s`, ...names },
      versions: [
        {
          name: "v1alpha1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: record({ spec, status: record({ state: text, message: text }) }) },
          ...version
        }
      ]
    }
  }
}

const column = (name: string, jsonPath: string, type = "string") => ({ name, jsonPath, type })

const definitions: ReadonlyArray<Cluster.Manifest> = [
  definition(
    "IPAllocation",
    allocationSpec,
    "Namespaced",
    { shortNames: ["ipa"], categories: ["all"] },
    {
      subresources: { status: {} },
      additionalPrinterColumns: [
        column("Type", ".spec.type"),
        column("State", ".status.state"),
        column("Message", ".status.message"),
        column("Age", ".metadata.creationTimestamp", "date")
      ]
    }
  ),
  definition("PersistentIPPool", poolSpec({ addresses: listOf(text) }, "addresses"), "Cluster", {}, {}),
  definition("EphemeralIPPool", poolSpec({}), "Cluster", {}, {})
]

const ours = { "app.kubernetes.io/instance": "plenuslb-operator", "app.kubernetes.io/name": "plenuslb-operator" }
const labels = {
  ...ours,
  "app.kubernetes.io/managed-by": "plenuslb",
  "app.kubernetes.io/version": "v1alpha2"
}

const operator = {
  name: "plenuslb-operator",
  image: "localhost/plenuslb-echo:lab",
  imagePullPolicy: "Never",
  env: [
    { name: "MY_NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
    { name: "HEALTH_PORT", value: "8080" }
  ],
  ports: [
    { name: "health", containerPort: 8080 },
    { name: "grpc", containerPort: 10000 }
  ],
  livenessProbe: { httpGet: { path: "/health", port: "health" } },
  readinessProbe: { httpGet: { path: "/health", port: "health" } },
  resources: { limits: { cpu: "50m", memory: "100Mi" } },
  securityContext: { privileged: true }
}

const daemonSet: Cluster.Manifest = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: "plenuslb-operator", namespace, labels },
  spec: {
    selector: { matchLabels: ours },
    template: {
      metadata: { labels },
      spec: {
        hostNetwork: true,
        terminationGracePeriodSeconds: 0,
        tolerations: ["not-ready", "unreachable"].map((each) => ({
          key: `node.kubernetes.io/${each}`,
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: 2
        })),
        containers: [operator]
      }
    }
  }
}

/** Its controller is gone and left this behind: nobody may lead before a minute without renewal. */
const leaderLease = (now: string): Cluster.Manifest => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "plenus.io-leader-lease", namespace },
  spec: { holderIdentity: "plenuslb-0", leaseDurationSeconds: 60, acquireTime: now, renewTime: now }
})

export interface Held {
  readonly namespace: string
  readonly service: string
  readonly pool: string
  readonly address: string
  readonly node: string
  /** Absent where the pool adds addresses to none. */
  readonly interfaceName?: string
}

const pool = ({ address, interfaceName, pool: name }: Held): Cluster.Manifest => ({
  apiVersion: "loadbalancing.plenus.io/v1alpha1",
  kind: "PersistentIPPool",
  metadata: { name },
  spec: {
    addresses: [address],
    options: {
      hostNetworkInterface: {
        addAddressesToInterface: interfaceName !== undefined,
        interfaceName: interfaceName ?? ""
      }
    }
  }
})

const allocation = ({
  address,
  interfaceName,
  namespace: home,
  node,
  pool: name,
  service
}: Held): Cluster.Manifest => ({
  apiVersion: "loadbalancing.plenus.io/v1alpha1",
  kind: "IPAllocation",
  metadata: { name: service, namespace: home, labels: { "app.kubernetes.io/managed-by": "plenuslb" } },
  spec: {
    type: "persistent",
    allocations: [
      {
        address,
        pool: name,
        nodeName: node,
        ...(interfaceName === undefined ? {} : { networkInterface: interfaceName })
      }
    ]
  }
})

/** `create`, since `apply` would leave an annotation that v0.4's objects do not have. */
const create = async (manifest: Cluster.Manifest): Promise<void> => {
  await Cluster.apply(manifest)
  const { kind, metadata } = manifest as { kind: string; metadata: { name: string; namespace?: string } }
  const where = metadata.namespace === undefined ? [] : ["-n", metadata.namespace]
  const annotation = "kubectl.kubernetes.io/last-applied-configuration-"
  await Cluster.kubectl(...where, "annotate", kind.toLowerCase(), metadata.name, annotation)
}

const hold = async (held: Held): Promise<void> => {
  await create(pool(held))
  await create(allocation(held))
  const status = JSON.stringify({ status: { state: "success", message: "Allocated" } })
  const where = ["-n", held.namespace, "ipallocation", held.service]
  await Cluster.kubectl("patch", "--subresource=status", "--type=merge", "-p", status, ...where)
  if (held.interfaceName === undefined) return
  const { address, interfaceName, node } = held
  const label = `${interfaceName}:pllb`
  await onNode(node, "ip", "address", "add", `${address}/32`, "scope", "link", "dev", interfaceName, "label", label)
}

/** Into a cluster without PlenusLB; the namespaces of the Services exist already. */
export const install = async (holdings: ReadonlyArray<Held>): Promise<void> => {
  await Cluster.kubectl("create", "namespace", namespace)
  await Cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=privileged")
  for (const each of definitions) await create(each)
  await Cluster.kubectl("wait", "--for=condition=Established", "customresourcedefinition", "--all", "--timeout=60s")
  await eventually("the definitions are served", () =>
    Cluster.kubectl("get", "ipallocations,persistentippools,ephemeralippools", "-A").then(() => true)
  )
  await create(leaderLease(new Date().toISOString().replace("Z", "000Z")))
  await create(daemonSet)
  await Cluster.kubectl("-n", namespace, "rollout", "status", "daemonset/plenuslb-operator", "--timeout=180s")
  for (const each of holdings) await hold(each)
}
