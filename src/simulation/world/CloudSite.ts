/**
 * The cluster's project at the provider, as controllers reach it: over a network that takes its time, with the shipping
 * adapter. What the project really has goes into the ground truth at each request that may change it.
 */
import { Effect, Redacted } from "effect"
import * as HetznerCloud from "../../cloud/hetzner/HetznerCloud.ts"
import type { CloudAddressTruth } from "../../invariants/GroundTruth.ts"
import type { Fault } from "../../memory/hetzner/Faults.ts"
import * as HetznerExchange from "../../memory/hetzner/HetznerExchange.ts"
import * as HetznerProject from "../../memory/hetzner/HetznerProject.ts"
import type { FloatingIp, Server } from "../../memory/hetzner/Resources.ts"
import * as MemoryMetadata from "../../memory/metadata/MemoryMetadata.ts"
import type { Cloud } from "../../ports/Cloud.ts"
import { HttpExchange, type HttpRequest, NoReply } from "../../ports/HttpExchange.ts"
import type { MachineMetadata } from "../../ports/MachineMetadata.ts"
import type { Kernel } from "../kernel/Kernel.ts"
import type { Prng } from "../kernel/Prng.ts"
import type { Process } from "../kernel/Process.ts"
import * as OtherProject from "./OtherProject.ts"

export const token = "token-of-the-simulated-project"
const tokenName = "controller"

/** What befalls one request: nothing arrives at the provider, or it meets a fault there. */
export interface CloudTrouble {
  readonly delayMillis?: number
  readonly isLost?: boolean
  readonly fault?: Fault
}

export type CloudFault = (client: string, request: HttpRequest, random: Prng) => CloudTrouble | undefined

/** There and back, in milliseconds: the provider is in another town. */
const latencyMillis = [10, 60] as const

export const isCloudWrite = ({ method }: HttpRequest): boolean => method !== "GET"

interface Machine {
  readonly name: string
  readonly number: number
}

export class CloudSite {
  readonly project: HetznerProject.HetznerProject
  /** Nothing of it is the cluster's, whatever token it is given. */
  readonly other: HetznerProject.HetznerProject
  /** Asked in order for each request; the first answer counts. */
  readonly faults = new Map<string, CloudFault>()
  /** Told of all that the project has once it may be otherwise. */
  onChange: (by: string) => void = () => {}
  private readonly kernel: Kernel
  private readonly random: Prng
  /** When somebody made, deleted or renamed a server last. */
  serversChangedMillis = 0
  /** By the id of each server that there ever was: the machine that it is, whatever the provider calls it by now. */
  private readonly nodes = new Map<number, string>()

  constructor(kernel: Kernel, nodesCount: number) {
    this.kernel = kernel
    this.random = kernel.random.fork("cloud")
    this.project = projectOf(kernel)
    for (let number = 1; number <= nodesCount; number++) this.addServer({ name: `node-${number}`, number })
    const names = this.project.truth.servers().map(({ name }) => name)
    this.other = OtherProject.make(kernel, tokenName, names)
  }

  /** Secrets that the provider takes. */
  tokens: ReadonlyArray<string> = [token]

  /** These and no others from now on. */
  allow(secrets: ReadonlyArray<string>): void {
    this.tokens = secrets
    this.project.setTokens(secrets.map((secret) => ({ secret, name: tokenName, mayWrite: true })))
  }

  setPower(node: string, status: "off" | "running"): void {
    const server = this.serverOf(node)
    if (server !== undefined) this.project.console.setServerStatus(server.id, status)
  }

  /** Undefined: it has been deleted. */
  serverOf(node: string): Server | undefined {
    return this.project.truth.servers().find(({ id }) => this.nodes.get(id) === node)
  }

  deleteServer({ name }: Machine): void {
    const server = this.serverOf(name)
    if (server === undefined) return
    this.project.console.deleteServer(server.id)
    this.serversChangedMillis = this.kernel.nowMillis
  }

  /** What it is called from now on, by a person in the console. */
  renameServer({ name }: Machine, called: string): void {
    const server = this.serverOf(name)
    if (server === undefined) return
    this.project.console.renameServer(server.id, called)
    this.serversChangedMillis = this.kernel.nowMillis
  }

  /** Of an id that no other has had. */
  addServer({ name, number }: Machine): void {
    this.nodes.set(this.project.console.addServer({ name, location: locationOf(number) }).id, name)
    this.serversChangedMillis = this.kernel.nowMillis
  }

  /** As a cloud-controller-manager writes it; every other node has none, and is known by its name. */
  providerIdOf({ name, number }: Machine): string | undefined {
    const server = this.serverOf(name)
    return server === undefined || number % 2 === 0 ? undefined : `hcloud://${server.id}`
  }

  /** As the provider tells the machine: every fourth, so that some are known by their names alone. */
  metadataOf({ name, number }: Machine): MachineMetadata["Service"] {
    return MemoryMetadata.make(() => {
      const server = this.serverOf(name)
      return server === undefined || number % 4 !== 0 ? undefined : String(server.id)
    })
  }

  /** All floating IPs, each with the node to which it is routed. */
  addresses(): ReadonlyArray<CloudAddressTruth> {
    return addressesOf(this.project, this.nodes)
  }

  /** Those of the other project. */
  othersAddresses(): ReadonlyArray<CloudAddressTruth> {
    return addressesOf(this.other, namesOf(this.other))
  }

  /** The provider as this process has it, for as long as it runs. */
  portFor(client: string, process: Process) {
    const before = (request: HttpRequest) => this.before(client, process, request)
    const own = HetznerExchange.make(this.project, before)
    const others = HetznerExchange.make(this.other, before)
    const noticing = HttpExchange.of({
      send: (request) =>
        (isOfOther(request) ? others : own).send(request).pipe(
          Effect.ensuring(Effect.sync(() => this.onChange(client))),
          Effect.tap(() => this.delay())
        )
    })
    return HetznerCloud.make({ endpoint: "http://cloud.test/v1", userAgent: "plenuslb/simulation" }).pipe(
      Effect.provideService(HttpExchange, noticing)
    ) satisfies Effect.Effect<Cloud["Service"], never, unknown>
  }

  private before(client: string, process: Process, request: HttpRequest): Effect.Effect<Fault | undefined, NoReply> {
    return Effect.gen({ self: this }, function* () {
      yield* this.delay()
      const trouble = this.troubleOf(client, request)
      if (!process.isAlive) return yield* Effect.never
      if (trouble === undefined) return undefined
      yield* Effect.sleep(trouble.delayMillis ?? 0)
      if (trouble.isLost === true) return yield* new NoReply({ message: "the connection broke" })
      return trouble.fault
    })
  }

  private troubleOf(client: string, request: HttpRequest): CloudTrouble | undefined {
    for (const fault of this.faults.values()) {
      const trouble = fault(client, request, this.random)
      if (trouble !== undefined) return trouble
    }
    return undefined
  }

  private delay(): Effect.Effect<void> {
    return Effect.suspend(() => Effect.sleep(this.random.between(...latencyMillis) / 2))
  }
}

export const nameOfCloudRequest = ({ method, url }: HttpRequest): string =>
  `${method} ${new URL(url).pathname.slice("/v1".length)}`

const isOfOther = ({ token: secret }: HttpRequest) => Redacted.value(secret) === OtherProject.otherToken

const namesOf = ({ truth }: HetznerProject.HetznerProject): ReadonlyMap<number, string> =>
  new Map(truth.servers().map(({ id, name }) => [id, name]))

const addressesOf = (
  { truth }: HetznerProject.HetznerProject,
  nodes: ReadonlyMap<number, string>
): ReadonlyArray<CloudAddressTruth> => {
  const buyers = new Map(truth.purchases().map(({ by, id }) => [id, by]))
  return truth.floatingIps().map((each) => addressOf(each, nodes, buyers.get(each.id)))
}

const addressOf = (
  { id, ip, labels, name, server }: FloatingIp,
  nodes: ReadonlyMap<number, string>,
  buyer: string | undefined
): CloudAddressTruth => ({
  id: String(id),
  network: ip,
  name,
  labels,
  node: server === null ? undefined : nodes.get(server),
  isBoughtByUs: buyer === tokenName
})

/** Two locations of one network zone and, from the fourth on, a third. */
const locationOf = (number: number): string => (number > 3 ? "hel1" : number % 2 === 0 ? "nbg1" : "fsn1")

const projectOf = (kernel: Kernel): HetznerProject.HetznerProject =>
  HetznerProject.make({
    nowMillis: () => kernel.nowMillis,
    tokens: [{ secret: token, name: tokenName, mayWrite: true }],
    floatingIpsMax: 1_000
  })
