/**
 * A cluster inside this process: an API server in memory, two replicas of the controller, and nodes whose network is in
 * memory, with one operator each. The programs are those of a real cluster; only the layers under their ports differ.
 */
import { Clock, Effect, Exit, Result, Scope } from "effect"
import { configMaps } from "../../api/ConfigMap.ts"
import { customResourceDefinitions } from "../../api/Crd.ts"
import { daemonSets } from "../../api/DaemonSet.ts"
import { daemonSetName, loadBalancerClass } from "../../api/Names.ts"
import { namespaces } from "../../api/Namespace.ts"
import { nodes } from "../../api/Node.ts"
import * as HetznerCloud from "../../cloud/hetzner/HetznerCloud.ts"
import * as Controller from "../../controller/Controller.ts"
import { Events } from "../../controller/Events.ts"
import { templateConfigMapName, templateKey } from "../../controller/OperatorDaemonSet.ts"
import * as Address from "../../domain/Address.ts"
import * as FailoverTimes from "../../domain/FailoverTimes.ts"
import * as HetznerExchange from "../../memory/hetzner/HetznerExchange.ts"
import * as HetznerProject from "../../memory/hetzner/HetznerProject.ts"
import * as MemoryKubernetes from "../../memory/kubernetes/MemoryKubernetes.ts"
import type { ApiRequest } from "../../memory/kubernetes/Faults.ts"
import type { Announcement } from "../../memory/network/MemoryNode.ts"
import * as MemoryNodeNetwork from "../../memory/network/MemoryNodeNetwork.ts"
import * as Operator from "../../operator/Operator.ts"
import { Cloud } from "../../ports/Cloud.ts"
import { HttpExchange } from "../../ports/HttpExchange.ts"
import { Kubernetes, Unavailable } from "../../ports/Kubernetes.ts"
import type { KubernetesError } from "../../ports/Kubernetes.ts"
import { NodeNetwork } from "../../ports/NodeNetwork.ts"
import type { HeldAddress, NodeNetworkError } from "../../ports/NodeNetwork.ts"
import { template } from "../../simulation/world/Installation.ts"
import { Segment } from "./Segment.ts"

export const NAMESPACE = "plenuslb"

export interface Replica {
  readonly name: string
  readonly controller: Controller.Controller
}

export interface Cluster {
  readonly api: MemoryKubernetes.MemoryKubernetes
  /** The API as the user's `kubectl` sees it. */
  readonly kubectl: Kubernetes["Service"]
  readonly segment: Segment
  readonly project: HetznerProject.HetznerProject
  readonly nodeNames: ReadonlyArray<string>
  readonly replicas: ReadonlyArray<Replica>
  readonly times: FailoverTimes.FailoverTimes
  /** Operators that reported themselves ready. */
  readonly operatorsReady: Effect.Effect<number>
  /** No warning, no goodbye: the operator stops in the middle, and nothing leaves or reaches the node any more. */
  readonly powerOff: (node: string) => Effect.Effect<void>
}

export interface Options {
  readonly profile: FailoverTimes.Profile
  readonly nodesCount: number
  readonly replicasCount: number
  /** Each request of the controllers and operators, before the API server acts. */
  readonly onRequest?: (request: ApiRequest) => void
  readonly onAnnouncement?: (node: string, announcement: Announcement) => void
  readonly onHeld?: (node: string, held: HeldAddress) => void
}

interface Node {
  readonly name: string
  readonly address: Address.Address
  readonly network: MemoryNodeNetwork.Handle
  readonly scope: Scope.Closeable
  operator: Operator.Operator | undefined
}

/** RFC 5737's third documentation network; the examples' pools are in the other two. */
const addressOf = (number: number): Address.Address => Result.getOrThrow(Address.parse(`203.0.113.${number}`))

const makeNode = Effect.fnUntraced(function* (number: number, segment: Segment, options: Options) {
  const name = `node-${number}`
  const scope = yield* Scope.fork(yield* Effect.scope)
  const address = addressOf(number)
  const network = MemoryNodeNetwork.make({
    identity: { bootId: `00000000-0000-4000-8000-00000000000${number}`, systemUuid: "" },
    interfaces: [
      { name: "pl0", kind: "bridge" },
      {
        name: "eth0",
        mac: `02:00:00:00:0${number}:00`,
        addresses: [{ address, prefixLength: 24, scope: "global" }]
      }
    ],
    defaultRoutes: [{ interfaceName: "eth0", metric: 100 }],
    onAnnouncement: (announcement) => {
      segment.announce(name, announcement.address)
      if (segment.isLit(name)) options.onAnnouncement?.(name, announcement)
    }
  })
  segment.attach(name, network)
  const node: Node = { name, address, network, scope, operator: undefined }
  return node
})

const nodeObject = ({ address, name }: Node) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "kubernetes.io/hostname": name } },
  status: {
    addresses: [
      { type: "InternalIP", address },
      { type: "Hostname", address: name }
    ],
    conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }]
  }
})

/** What the chart would install: our namespace, and the template from which the operators are deployed. */
const install = Effect.fnUntraced(function* (kubectl: Kubernetes["Service"], all: ReadonlyArray<Node>) {
  yield* kubectl.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } })
  yield* kubectl.create(configMaps, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: templateConfigMapName, namespace: NAMESPACE },
    data: { [templateKey]: JSON.stringify(template) }
  })
  for (const node of all) yield* kubectl.create(nodes, nodeObject(node))
})

const startReplica = Effect.fnUntraced(function* (
  name: string,
  api: MemoryKubernetes.MemoryKubernetes,
  project: HetznerProject.HetznerProject,
  { profile }: Options
) {
  const times = FailoverTimes.profiles[profile]
  const settings = {
    podName: name,
    namespace: NAMESPACE,
    clusterName: "playground",
    healthPort: 8080,
    defaultLoadBalancer: true,
    loadBalancerClass,
    ignoreExcludeLabel: false,
    fenceAfterMillis: times.quietMillis,
    renewEveryMillis: times.renewMillis,
    concurrency: 64
  }
  const controller = yield* Controller.make({
    settings,
    identity: name,
    leaderTimes: FailoverTimes.leaderTimes[profile]
  }).pipe(
    Effect.provideServiceEffect(Events, Events.make("plenuslb-controller", name)),
    Effect.provideService(Kubernetes, api.view(name)),
    Effect.provideServiceEffect(
      Cloud,
      HetznerCloud.make({ endpoint: "http://cloud.test/v1", userAgent: "playground" })
    ),
    Effect.provideService(HttpExchange, HetznerExchange.make(project)),
    Effect.annotateLogs({ program: name })
  )
  return { name, controller } satisfies Replica
})

/** The examples' own, as it stands in their Secret. */
const cloudToken = "YOUR_HETZNER_API_TOKEN"

/** A project of Hetzner Cloud in memory, whose servers are the nodes. */
const makeProject = (nowMillis: () => number, all: ReadonlyArray<Node>): HetznerProject.HetznerProject => {
  const project = HetznerProject.make({
    nowMillis,
    tokens: [{ secret: cloudToken, name: "playground", mayWrite: true }]
  })
  for (const { name } of all) project.console.addServer({ name })
  return project
}

export const operatorUser = (node: string): string => `operator-${node}`

const networkOf = (node: Node, options: Options): NodeNetwork["Service"] => ({
  ...node.network.network,
  addAddress: (held) =>
    node.network.network.addAddress(held).pipe(Effect.tap(() => Effect.sync(() => options.onHeld?.(node.name, held))))
})

const startOperator = Effect.fnUntraced(function* (
  node: Node,
  api: MemoryKubernetes.MemoryKubernetes,
  options: Options
) {
  const times = FailoverTimes.profiles[options.profile]
  const program = Effect.gen(function* () {
    node.operator = yield* Operator.make({
      node: node.name,
      namespace: NAMESPACE,
      nodeAddresses: [node.address],
      times,
      keepsKernelLease: true,
      instanceId: Effect.succeed(undefined),
      whyEnding: Effect.succeed("unknown")
    })
    yield* Effect.forkScoped(node.operator.superseded)
  })
  yield* program.pipe(
    Effect.provideService(Kubernetes, api.view(operatorUser(node.name))),
    Effect.provideService(NodeNetwork, networkOf(node, options)),
    Effect.provideService(Scope.Scope, node.scope),
    Effect.annotateLogs({ program: operatorUser(node.name) })
  )
})

/** What the DaemonSet controller and the kubelets do: one operator on each node, once there is such a DaemonSet. */
const runOperators = Effect.fnUntraced(function* (
  all: ReadonlyArray<Node>,
  api: MemoryKubernetes.MemoryKubernetes,
  options: Options
): Effect.fn.Return<void, NodeNetworkError> {
  const isDeployed = Effect.sync(
    () => api.truth.get(daemonSets, { namespace: NAMESPACE, name: daemonSetName }) !== undefined
  )
  yield* Effect.repeat(Effect.delay(isDeployed, 50), { until: (deployed) => deployed })
  yield* Effect.forEach(all, (node) => startOperator(node, api, options), { discard: true })
})

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Cluster, KubernetesError, Scope.Scope> {
  const api = yield* MemoryKubernetes.make({ customResourceDefinitions })
  const dark = new Set<string>()
  api.faults.setPolicy((request) =>
    Effect.sync(() => {
      if (dark.has(request.user)) return { refuse: new Unavailable({ message: "the node is off" }) }
      options.onRequest?.(request)
      return {}
    })
  )
  const segment = new Segment()
  const all: Array<Node> = []
  for (let number = 1; number <= options.nodesCount; number++) all.push(yield* makeNode(number, segment, options))
  const clock = yield* Clock.Clock
  const project = makeProject(() => clock.currentTimeMillisUnsafe(), all)
  const kubectl = api.view("kubectl")
  yield* install(kubectl, all)
  yield* Effect.forkScoped(api.runControllers(100))
  const replicas: Array<Replica> = []
  for (let number = 1; number <= options.replicasCount; number++) {
    replicas.push(yield* startReplica(`controller-${number}`, api, project, options))
  }
  yield* Effect.forkScoped(runOperators(all, api, options))
  return {
    api,
    project,
    kubectl,
    segment,
    nodeNames: all.map(({ name }) => name),
    replicas,
    times: FailoverTimes.profiles[options.profile],
    operatorsReady: Effect.map(
      Effect.forEach(all, ({ operator }) => operator?.isReady ?? Effect.succeed(false)),
      (ready) => ready.filter(Boolean).length
    ),
    powerOff: (name) =>
      Effect.suspend(() => {
        const node = all.find((each) => each.name === name)
        if (node === undefined) return Effect.die(new Error(`the playground has no node ${name}`))
        dark.add(operatorUser(name))
        segment.cut(name)
        node.network.setUp("eth0", false)
        return Scope.close(node.scope, Exit.void)
      })
  }
})
