/** What the chart and the cluster itself put there before our programs start. */
import { Effect } from "effect"
import { configMaps } from "../../api/ConfigMap.ts"
import { daemonSetName, daemonSetSelector } from "../../api/Names.ts"
import { namespaces } from "../../api/Namespace.ts"
import { type Node, nodes } from "../../api/Node.ts"
import { templateConfigMapName, templateKey } from "../../controller/OperatorDaemonSet.ts"
import type { Kubernetes } from "../../ports/Kubernetes.ts"
import type { CloudSite } from "./CloudSite.ts"
import type { Host } from "./Host.ts"

export const ownNamespace = "plenuslb"

/** As its kubelet registers a machine. */
export const nodeObject = ({ address, name }: Host, providerID: string | undefined): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "kubernetes.io/hostname": name } },
  ...(providerID === undefined ? {} : { spec: { providerID } }),
  status: {
    addresses: [{ type: "InternalIP", address }],
    conditions: [{ type: "Ready", status: "True" }]
  }
})

/** From which the operators are deployed, as the chart would have it. */
export const template = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: daemonSetName },
  spec: {
    selector: { matchLabels: daemonSetSelector },
    template: {
      metadata: { labels: daemonSetSelector },
      spec: { containers: [{ name: "operator", image: "plenuslb-operator" }] }
    }
  }
}

export const install = Effect.fnUntraced(function* (
  kubectl: Kubernetes["Service"],
  hosts: ReadonlyArray<Host>,
  cloud: CloudSite
) {
  yield* kubectl.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: ownNamespace } })
  yield* kubectl.create(configMaps, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: templateConfigMapName, namespace: ownNamespace },
    data: { [templateKey]: JSON.stringify(template) }
  })
  for (const host of hosts) yield* kubectl.create(nodes, nodeObject(host, cloud.providerIdOf(host)))
})
