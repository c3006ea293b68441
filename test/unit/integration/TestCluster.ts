/**
 * A cluster in memory: one API server, nodes with kernels, and the real controller and operators on them, each in a
 * process of its own that can be stopped in peace or killed. Synchronous throughout; time is the caller's.
 */
import { Clock, Context, Effect, Exit, Fiber, Logger, Redacted, References, Result, Scope, Stream } from "effect"
import { witnessKey, witnessSecretName } from "../../../src/api/Names.ts"
import { secrets } from "../../../src/api/Secret.ts"
import * as WitnessMessage from "../../../src/api/WitnessMessage.ts"
import { customResourceDefinitions } from "../../../src/api/Crd.ts"
import type { KubernetesObject } from "../../../src/api/KubernetesObject.ts"
import { namespaces } from "../../../src/api/Namespace.ts"
import { type Node, nodes } from "../../../src/api/Node.ts"
import * as Controller from "../../../src/controller/Controller.ts"
import { Events } from "../../../src/controller/Events.ts"
import type { ControllerSettings } from "../../../src/controller/Settings.ts"
import * as Address from "../../../src/domain/Address.ts"
import { leaderTimes, profiles } from "../../../src/domain/FailoverTimes.ts"
import * as HetznerCloud from "../../../src/cloud/hetzner/HetznerCloud.ts"
import * as HetznerExchange from "../../../src/memory/hetzner/HetznerExchange.ts"
import * as HetznerProject from "../../../src/memory/hetzner/HetznerProject.ts"
import * as MemoryKubernetes from "../../../src/memory/kubernetes/MemoryKubernetes.ts"
import * as MemoryNodeNetwork from "../../../src/memory/network/MemoryNodeNetwork.ts"
import * as MemoryPeers from "../../../src/memory/peers/MemoryPeers.ts"
import type { Ending } from "../../../src/operator/Parts.ts"
import * as Operator from "../../../src/operator/Operator.ts"
import type * as Registration from "../../../src/operator/Registration.ts"
import { Cloud } from "../../../src/ports/Cloud.ts"
import { HttpExchange } from "../../../src/ports/HttpExchange.ts"
import { Kubernetes, Unavailable, type Undecodable } from "../../../src/ports/Kubernetes.ts"
import { NodeNetwork, type NodeNetworkError } from "../../../src/ports/NodeNetwork.ts"
import { keyOf } from "../../../src/reconcile/Reflector.ts"
import type { Peers, Respond } from "../../../src/ports/Peers.ts"

export const ownNamespace = "plenuslb"
export const times = profiles.default

/** A running program. `kill` is a power cut: not one more request, no last words. */
export interface Process {
  readonly stop: Effect.Effect<void>
  readonly kill: Effect.Effect<void>
}

export interface RunningController extends Process, Controller.Controller {}
export interface RunningOperator extends Process {
  readonly isReady: Effect.Effect<boolean>
  readonly running: Fiber.Fiber<never, Registration.Superseded | Registration.Displaced>
  /** As by SIGTERM. */
  readonly terminate: Effect.Effect<void>
}

export interface TestCluster {
  readonly memory: MemoryKubernetes.MemoryKubernetes
  /** The user's view. */
  readonly api: Kubernetes["Service"]
  /** Of the cloud. */
  readonly project: HetznerProject.HetznerProject
  /** By the path of a URL: for how long a request waits on its way to the cloud. */
  readonly cloudPause: { millisOf: (path: string) => number }
  /** By node, which server its machine is told that it is; and which nodes have asked. */
  readonly metadata: { readonly instanceIds: Map<string, string>; readonly asked: Array<string> }
  /** By token, what is not the cluster's. */
  readonly otherProjects: Map<string, HetznerProject.HetznerProject>
  readonly kernel: (node: string) => MemoryNodeNetwork.Handle
  /** By address: the hardware address of a machine beside the nodes that has it. */
  readonly foreign: Map<string, string>
  readonly startController: (name: string, settings?: Partial<ControllerSettings>) => Effect.Effect<RunningController>
  /** `user` names the process at the API server: a second operator of one node needs another. */
  readonly startOperator: (
    node: string,
    user?: string,
    ending?: Ending
  ) => Effect.Effect<RunningOperator, NodeNetworkError>
  /** `plural/key` of what controllers cannot decode, as if a newer version had written it. */
  readonly unreadable: Set<string>
  /** From now on the client's requests get no further than its own machine; `heal` ends it. */
  readonly cutOff: (user: string) => void
  readonly heal: (user: string) => void
  /** Nodes that no other node and no controller reaches any more, nor they any. */
  readonly offLan: Set<string>
  /** By node: another key than the one that the controller made, as if it were mounted from an older Secret. */
  readonly otherKeys: Map<string, string>
  /** Asks one node's operator as another one would. */
  readonly ask: (from: string, question: WitnessMessage.Question) => ReturnType<Peers["Service"]["ask"]>
  /** How many questions were sent to the node's operator. */
  readonly sentTo: (node: string) => number
}

export interface ClusterOptions {
  /** Nobody votes (`witness: off`). */
  readonly witness?: "off"
  /** Of the project; ten unless given, as of a new one. */
  readonly floatingIpsMax?: number
  /** Hears all that the programs log, at every level, as it would stand in their Pods' logs. */
  readonly onLog?: (line: string) => void
}

export const controllerSettings = (podName: string): ControllerSettings => ({
  podName,
  namespace: ownNamespace,
  clusterName: "",
  healthPort: 8080,
  defaultLoadBalancer: true,
  loadBalancerClass: "loadbalancing.plenus.io/plenuslb",
  ignoreExcludeLabel: false,
  fenceAfterMillis: times.quietMillis,
  renewEveryMillis: times.renewMillis,
  concurrency: 64
})

export const nodeObject = (name: string, index: number): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: {} },
  spec: { podCIDR: `10.244.${index}.0/24`, podCIDRs: [`10.244.${index}.0/24`] },
  status: {
    addresses: [{ type: "InternalIP", address: `10.0.0.${10 + index}` }],
    conditions: [{ type: "Ready", status: "True" }]
  }
})

export const address = (text: string): Address.Address => Result.getOrThrow(Address.parse(text))

const newKernel = (index: number, foreign: ReadonlyMap<string, string>): MemoryNodeNetwork.Handle =>
  MemoryNodeNetwork.make({
    onProbe: (each) => [foreign.get(each) ?? []].flat(),
    interfaces: [
      {
        name: "eth0",
        mac: `02:00:00:00:01:0${index}`,
        addresses: [{ address: address(`10.0.0.${10 + index}`), prefixLength: 24, scope: "global" }]
      },
      { name: "pl0", kind: "bridge" }
    ],
    defaultRoutes: [{ interfaceName: "eth0", metric: 100 }],
    identity: { bootId: `boot-${index}`, systemUuid: `machine-${index}` }
  })

export const cloudToken = "fake-token"

/** One server for each node, of its name, all in one place. */
const newProject = (
  nowMillis: () => number,
  nodeNames: ReadonlyArray<string>,
  floatingIpsMax = 10
): HetznerProject.HetznerProject => {
  const project = HetznerProject.make({
    floatingIpsMax,
    nowMillis,
    tokens: [{ secret: cloudToken, name: "controller", mayWrite: true }]
  })
  for (const name of nodeNames) project.console.addServer({ name })
  return project
}

const cloudOver = ({
  cloudPause,
  otherProjects,
  project
}: Pick<TestCluster, "project" | "otherProjects" | "cloudPause">) => {
  const send: HttpExchange["Service"]["send"] = (request) => {
    const sent = HetznerExchange.make(otherProjects.get(Redacted.value(request.token)) ?? project).send(request)
    const pauseMillis = cloudPause.millisOf(new URL(request.url).pathname)
    return pauseMillis === 0 ? sent : Effect.delay(sent, pauseMillis)
  }
  return HetznerCloud.make({ endpoint: "http://cloud.test/v1", userAgent: "test" }).pipe(
    Effect.provideService(HttpExchange, HttpExchange.of({ send }))
  )
}

const refusal = ({ metadata }: KubernetesObject): Undecodable => ({ metadata, message: "spec.newer: not expected" })

/** The client's view, in which some objects do not decode. */
const withUnreadable = (kubernetes: Kubernetes["Service"], unreadable: ReadonlySet<string>): Kubernetes["Service"] => {
  const isRefused = (type: { readonly plural: string }, { metadata }: KubernetesObject) =>
    unreadable.has(`${type.plural}/${keyOf(metadata)}`)
  return Kubernetes.of({
    ...kubernetes,
    list: (type, selection) =>
      Effect.map(kubernetes.list(type, selection), (all) => ({
        ...all,
        items: all.items.filter((item) => !isRefused(type, item)),
        undecodable: [...all.undecodable, ...all.items.filter((item) => isRefused(type, item)).map(refusal)]
      })),
    watch: (type, selection, resourceVersion) =>
      Stream.map(kubernetes.watch(type, selection, resourceVersion), (event) =>
        "object" in event && event.type !== "Undecodable" && isRefused(type, event.object)
          ? {
              type: "Undecodable" as const,
              object: refusal(event.object),
              ...(event.type === "Deleted" ? { deleted: true as const } : {})
            }
          : event
      )
  })
}

const hostOf = (index: number): string => `10.0.0.${10 + index}`

/** The voters' network: by host, who listens; a node that is off the LAN neither asks nor answers. */
const newLan = (nodeNames: ReadonlyArray<string>) => {
  const memory = MemoryPeers.make()
  const offLan = new Set<string>()
  const nodeAt = (host: string) => nodeNames.find((_, index) => hostOf(index + 1) === host) ?? ""
  const peerOf = (node: string) => ({ host: hostOf(nodeNames.indexOf(node) + 1), port: 8080 })
  const passes = (from: string | undefined, to: string) => !offLan.has(from ?? "") && !offLan.has(to)
  const sent = new Map<string, number>()
  return {
    offLan,
    peerOf,
    sentTo: (node: string) => sent.get(node) ?? 0,
    peersFrom: (from?: string) =>
      memory.peers(({ host }, respond) => {
        const to = nodeAt(host)
        sent.set(to, (sent.get(to) ?? 0) + 1)
        return passes(from, to) ? respond : Effect.never
      }),
    listen: (node: string, respond: Respond | undefined) => {
      if (respond !== undefined) memory.listen(peerOf(node), respond)
    },
    close: (node: string) => Effect.sync(() => memory.close(peerOf(node)))
  }
}

export const make = Effect.fnUntraced(function* (nodeNames: ReadonlyArray<string>, options: ClusterOptions = {}) {
  const memory = yield* MemoryKubernetes.make({ customResourceDefinitions })
  const api = memory.view("user")
  const clock = yield* Clock.Clock
  const metadata = { instanceIds: new Map<string, string>(), asked: new Array<string>() }
  const otherProjects = new Map<string, HetznerProject.HetznerProject>()
  const cloudPause = { millisOf: (_path: string) => 0 }
  const project = newProject(() => clock.currentTimeMillisUnsafe(), nodeNames, options.floatingIpsMax)
  const cut = new Set<string>()
  const unreadable = new Set<string>()
  memory.faults.setPolicy(({ user }) =>
    Effect.succeed(cut.has(user) ? { refuse: new Unavailable({ message: "no route to host" }) } : {})
  )
  const cutOff = (user: string) => {
    cut.add(user)
    memory.watches.silence((watch) => watch.user === user)
  }
  const heal = (user: string) => {
    cut.delete(user)
    memory.watches.reset((watch) => watch.user === user)
  }
  const lan = newLan(nodeNames)
  const otherKeys = new Map<string, string>()
  const mountedKey = (node: string) =>
    Effect.sync(() => {
      const secret = memory.truth.get(secrets, { namespace: ownNamespace, name: witnessSecretName })
      return WitnessMessage.keyOf(otherKeys.get(node) ?? atob(secret?.data?.[witnessKey] ?? ""))
    })
  const hasWitness = options.witness !== "off"
  const ask: TestCluster["ask"] = Effect.fnUntraced(function* (from, question) {
    const key = (yield* mountedKey(from)) ?? (yield* Effect.die(`${from} has no key`))
    return yield* lan.peersFrom(from).ask(lan.peerOf(question.voter), question, key)
  })
  const foreign = new Map<string, string>()
  const kernels = new Map(nodeNames.map((name, index) => [name, newKernel(index + 1, foreign)]))
  const kernel = (node: string): MemoryNodeNetwork.Handle => {
    const found = kernels.get(node)
    if (found === undefined) throw new Error(`the cluster has no node ${node}`)
    return found
  }
  for (const name of [ownNamespace, "shop"]) yield* api.create(namespaces, { metadata: { name } })
  for (const [index, name] of nodeNames.entries()) yield* api.create(nodes, nodeObject(name, index + 1))

  /** Runs a program until its process ends. */
  const spawn = Effect.fnUntraced(function* <A, E>(
    user: string,
    program: Effect.Effect<A, E, Kubernetes | Cloud | Scope.Scope>
  ) {
    const scope = yield* Scope.make()
    const context = Context.empty().pipe(
      Context.add(Kubernetes, withUnreadable(memory.view(user), unreadable)),
      Context.add(Scope.Scope, scope),
      Context.add(Cloud, yield* Scope.provide(cloudOver({ project, otherProjects, cloudPause }), scope)),
      Context.add(References.MinimumLogLevel, options.onLog === undefined ? "None" : "All"),
      Context.add(Logger.CurrentLoggers, new Set([Logger.map(Logger.formatJson, options.onLog ?? (() => {}))]))
    )
    const value = yield* Effect.provideContext(program, context)
    const stop = Scope.close(scope, Exit.void)
    return {
      value,
      stop,
      kill: Effect.andThen(
        Effect.sync(() => cutOff(user)),
        stop
      )
    }
  })

  const startController = Effect.fnUntraced(function* (name: string, settings: Partial<ControllerSettings> = {}) {
    const program = Controller.make({
      settings: { ...controllerSettings(name), ...settings },
      identity: name,
      leaderTimes: leaderTimes.default,
      witness: hasWitness ? { peers: lan.peersFrom(), newKey: Effect.succeed("k".repeat(64)) } : undefined
    }).pipe(Effect.provideServiceEffect(Events, Events.make("plenuslb-controller", name)))
    const { value, ...process } = yield* spawn(name, program)
    return { ...process, ...value } satisfies RunningController
  })

  const startOperator = Effect.fnUntraced(function* (
    node: string,
    user = `operator-${node}`,
    ending: Ending = "unknown"
  ) {
    const program = Effect.gen(function* () {
      const operator = yield* Operator.make({
        node,
        namespace: ownNamespace,
        nodeAddresses: [],
        times,
        keepsKernelLease: true,
        instanceId: Effect.sync(() => {
          metadata.asked.push(node)
          return metadata.instanceIds.get(node)
        }),
        whyEnding: Effect.succeed(ending),
        witness: hasWitness
          ? { serveMillis: times.serveMillis, port: 8080, peers: lan.peersFrom(node), key: mountedKey(node) }
          : undefined
      })
      lan.listen(node, operator.respond)
      yield* Effect.addFinalizer(() => lan.close(node))
      const running = yield* Effect.forkScoped(operator.superseded)
      const shutdown = Effect.provide(operator.shutdown, yield* Effect.context<Kubernetes>())
      return { isReady: operator.isReady, running, shutdown: Effect.andThen(Fiber.interrupt(running), shutdown) }
    }).pipe(Effect.provideService(NodeNetwork, kernel(node).network))
    const { value, ...process } = yield* spawn(user, program)
    const terminate = Effect.andThen(value.shutdown, process.stop)
    return { ...process, ...value, terminate } satisfies RunningOperator
  })

  yield* Effect.forkChild(memory.runControllers(50))
  return {
    memory,
    api,
    project,
    otherProjects,
    cloudPause,
    metadata,
    kernel,
    foreign,
    startController,
    startOperator,
    unreadable,
    cutOff,
    heal,
    offLan: lan.offLan,
    otherKeys,
    ask,
    sentTo: lan.sentTo
  } satisfies TestCluster
})
