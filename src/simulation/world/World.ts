/**
 * A cluster of the simulation: one API server, machines on one segment, and the programs that ship, each in a process
 * that can be killed or paused and is started again as its kubelet would.
 */
import { Effect } from "effect"
import { customResourceDefinitions } from "../../api/Crd.ts"
import { daemonSets } from "../../api/DaemonSet.ts"
import { daemonSetName } from "../../api/Names.ts"
import type { Policy } from "../../domain/Candidates.ts"
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import * as MemoryKubernetes from "../../memory/kubernetes/MemoryKubernetes.ts"
import { Cloud } from "../../ports/Cloud.ts"
import type { Kubernetes, KubernetesError } from "../../ports/Kubernetes.ts"
import { NodeNetwork } from "../../ports/NodeNetwork.ts"
import type { Kernel } from "../kernel/Kernel.ts"
import { CloudSite } from "./CloudSite.ts"
import { Host } from "./Host.ts"
import { install, ownNamespace } from "./Installation.ts"
import { healthPort, Lan } from "./Lan.ts"
import { type LinkObserver, Links } from "./Links.ts"
import { Post, type Surroundings } from "./Post.ts"
import * as Programs from "./Programs.ts"
import { Resting } from "./Resting.ts"
import { Segment } from "./Segment.ts"
import type { Story } from "./Story.ts"
import { Truth } from "./Truth.ts"
import { hinderUnsynced } from "./Unsynced.ts"

export interface WorldOptions {
  readonly nodesCount: number
  readonly controllersCount: number
  /** Whether the truth learns what the programs log. */
  readonly hearsLogs: boolean
  /** Absent: every node of a cluster this small is a candidate. */
  readonly candidates?: Policy | undefined
}

export interface World extends Surroundings {
  readonly cloud: CloudSite
  readonly segment: Segment
  readonly hosts: ReadonlyArray<Host>
  readonly controllers: ReadonlyArray<Post>
  readonly operators: ReadonlyArray<Post>
  /** The API as users and their tools have it: no fault touches it. */
  readonly kubectl: Kubernetes["Service"]
  /** Told of everything that happens, after the invariants. */
  readonly listeners: Set<(event: TruthEvent) => void>
  /** An operator beside the node's own, as after a DaemonSet that somebody made by hand. */
  readonly secondOperator: (host: Host) => Post
  readonly resting: Resting
  readonly powerOff: (host: Host) => void
  /** Nothing happens to one that is on. */
  readonly powerOn: (host: Host) => void
}

/** How soon a kubelet starts what should run. */
const kubeletMillis = 500
/** How soon the garbage collector and the namespace controller follow. */
const clusterControllersMillis = 50

/** How often the client on the segment talks to each address. */
const clientMillis = 1_000

export const make = Effect.fnUntraced(function* (
  kernel: Kernel,
  story: Story,
  { candidates, controllersCount, hearsLogs, nodesCount }: WorldOptions,
  onEvent: (event: TruthEvent) => void
): Effect.fn.Return<World, KubernetesError> {
  const memory = yield* MemoryKubernetes.make({ customResourceDefinitions })
  const links = new Links(memory, kernel)
  const segment = new Segment()
  const lan = new Lan(memory, kernel)
  const listeners = new Set<(event: TruthEvent) => void>()
  const truth = new Truth(kernel, memory, segment, (event) => {
    const text = render(event)
    if (text !== undefined) story.tell(text)
    onEvent(event)
    for (const listener of listeners) listener(event)
  })
  const cloud = new CloudSite(kernel, nodesCount)
  cloud.onChange = (by) => truth.lookAtProvider(cloud, by)
  // What is there from the beginning is nobody's doing, whoever asks first.
  cloud.onChange("console")
  const surroundings: Surroundings = { kernel, story, memory, links, truth, hearsLogs }
  const hosts: Array<Host> = numbers(nodesCount).map((each) => newHost(each, surroundings, segment, () => hosts))
  for (const host of hosts) truth.look(host, "boot")
  const kubectl = memory.view("kubectl")
  yield* install(kubectl, hosts, cloud)
  const controllers = numbers(controllersCount).map(newController(surroundings, lan, cloud, candidates))
  const operators = hosts.map((host) => newOperator(surroundings, lan, cloud, host, operatorOf(host.name)))
  truth.wasStopped = (client) => controllers.some((post) => post.client === client && wasStopped(post, kernel))
  const nodes = new Map(
    hosts.flatMap(({ name }) => [operatorOf(name), secondOperatorOf(name)].map((client) => [client, name] as const))
  )
  const resting = new Resting(() => kernel.nowMillis)
  links.observers.add(resting)
  links.observers.add(hinderUnsynced(truth, (client) => nodes.get(client)))
  links.observers.add(noteTurnedAway(truth, (client) => nodes.get(client)))
  yield* Effect.forkChild(memory.runControllers(clusterControllersMillis))
  yield* Effect.forkChild(each(kubeletMillis, () => keepRunning(memory, controllers, operators)))
  yield* Effect.forkChild(
    each(clientMillis, () => {
      for (const [address, holders] of truth.holders) segment.talk(address, holders, kernel.nowMillis)
    })
  )
  return {
    ...surroundings,
    cloud,
    segment,
    resting,
    listeners,
    hosts,
    controllers,
    operators,
    kubectl,
    secondOperator: (host) => newOperator(surroundings, lan, cloud, host, secondOperatorOf(host.name)),
    powerOff: (host) => {
      story.tell(`${host.name} loses power`)
      for (const each of operators) if (each.host === host) each.clear()
      for (const process of host.processes) process.kill()
      host.processes.clear()
      host.powerOff()
      cloud.setPower(host.name, "off")
    },
    powerOn: (host) => {
      // Another boot would take the kernel away from the processes of this one, which go on with the one before.
      if (host.isOn || cloud.serverOf(host.name) === undefined) return
      story.tell(`${host.name} boots`)
      host.powerOn()
      cloud.setPower(host.name, "running")
    }
  }
})

/** A request takes so long at most that was about to be sent, or sent, when the process was stopped. */
const sendMillis = 1_000

const wasStopped = ({ process }: Post, { nowMillis }: Kernel): boolean =>
  process !== undefined && nowMillis - process.resumedMillis <= sendMillis

/** A request that a fault turns away or whose reply it loses may have been the operator's renewal, or its news. */
const noteTurnedAway = (truth: Truth, nodeOf: (client: string) => string | undefined): Partial<LinkObserver> => ({
  request: ({ user }, fault) => {
    const node = nodeOf(user)
    if (node !== undefined && (fault.refuse !== undefined || fault.loseReply === true)) truth.turnedAway(node)
  }
})

const each = (pauseMillis: number, act: () => void): Effect.Effect<never> =>
  Effect.forever(Effect.andThen(Effect.sleep(pauseMillis), Effect.sync(act)))

const numbers = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index + 1)

const operatorOf = (node: string): string => `operator-${node}`
const secondOperatorOf = (node: string): string => `operator-${node}-second`

const newController =
  (surroundings: Surroundings, lan: Lan, cloud: CloudSite, candidates: Policy | undefined) =>
  (number: number): Post => {
    const name = `controller-${number}`
    return new Post(name, undefined, surroundings, (process) => {
      const program = Programs.controller(name, lan.peersFor(process), candidates)
      return Effect.provideServiceEffect(program, Cloud, cloud.portFor(name, process))
    })
  }

/** A second operator of one machine finds the health port taken, and votes for nobody. */
const newOperator = (surroundings: Surroundings, lan: Lan, cloud: CloudSite, host: Host, name: string): Post =>
  new Post(name, host, surroundings, (process) => {
    const { serveMillis } = Programs.times
    const voting = { serveMillis, port: healthPort, peers: lan.peersFor(process, host), key: lan.key }
    const program = Programs.operator({
      name: host.name,
      address: host.address,
      get ending() {
        return host.ending
      },
      witness: lan.isFree(host) ? voting : undefined,
      metadata: cloud.metadataOf(host),
      listen: (respond) => lan.listen(host, process, respond)
    })
    return Effect.provideService(program, NodeNetwork, host.portFor(process))
  })

/** Whoever of the others has it and is heard; the one that asks must be heard and hear. */
const answersTo = (
  asking: Host,
  address: string,
  hosts: ReadonlyArray<Host>,
  { foreign }: Segment
): ReadonlyArray<string> => {
  if (!asking.announces || !asking.hears) return []
  const own = hosts.filter((host) => host !== asking && host.answered().has(address)).map(({ mac }) => mac)
  return [foreign.get(address)?.mac ?? [], own].flat()
}

const newHost = (
  number: number,
  { kernel, truth }: Surroundings,
  segment: Segment,
  hosts: () => ReadonlyArray<Host>
): Host =>
  new Host(number, kernel, {
    onProbe: (host, address) => answersTo(host, address, hosts(), segment),
    onKernel: (host, by) => truth.look(host, by),
    onAnnouncement: (host, address) => {
      truth.announced(host, address)
      if (host.announces) segment.announce(host.name, address)
    }
  })

/** What the kubelets and the DaemonSet controller do. */
const keepRunning = (
  memory: MemoryKubernetes.MemoryKubernetes,
  controllers: ReadonlyArray<Post>,
  operators: ReadonlyArray<Post>
): void => {
  const isDeployed = memory.truth.get(daemonSets, { namespace: ownNamespace, name: daemonSetName }) !== undefined
  const due = isDeployed ? [...controllers, ...operators] : controllers
  for (const post of due) {
    const isPossible =
      post.host === undefined || (post.host.isOn && !post.host.isFrozen && post.host.processes.size === 0)
    if (post.process === undefined && post.mayRun && isPossible) post.start()
  }
}

/** Undefined: too much of it, and of no interest to who reads what led to what. */
const render = (event: TruthEvent): string | undefined => {
  if (event.type === "Held") return `${event.node} ${event.isHeld ? "holds" : "lost"} ${event.address} (${event.by})`
  if (event.type !== "Written" || event.kind === "Lease" || event.kind === "Other") return undefined
  const verb = event.before === undefined ? "creates" : event.after === undefined ? "removes" : "writes"
  return `${event.by} ${verb} ${event.kind} ${event.key}`
}
