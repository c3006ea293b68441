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
import type { FloatingIp } from "../../memory/hetzner/Resources.ts"
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

export class CloudSite {
  readonly project: HetznerProject.HetznerProject
  /** Nothing of it is the cluster's, whatever token it is given. */
  readonly other: HetznerProject.HetznerProject
  /** Asked in order for each request; the first answer counts. */
  readonly faults = new Map<string, CloudFault>()
  /** Told of all that the project has once it may be otherwise. */
  onChange: (by: string) => void = () => {}
  private readonly random: Prng

  constructor(kernel: Kernel, nodesCount: number) {
    this.random = kernel.random.fork("cloud")
    this.project = projectOf(kernel, nodesCount)
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
    const server = this.project.truth.servers().find(({ name }) => name === node)
    if (server !== undefined) this.project.console.setServerStatus(server.id, status)
  }

  /** As a cloud-controller-manager writes it; every other node has none, and is known by its name. */
  providerIdOf({ name, number }: { readonly name: string; readonly number: number }): string | undefined {
    const server = this.project.truth.servers().find((each) => each.name === name)
    return server === undefined || number % 2 === 0 ? undefined : `hcloud://${server.id}`
  }

  /** As the provider tells the machine: every fourth, so that some are known by their names alone. */
  metadataOf({ name, number }: { readonly name: string; readonly number: number }): MachineMetadata["Service"] {
    const server = this.project.truth.servers().find((each) => each.name === name)
    return MemoryMetadata.make(() => (server === undefined || number % 4 !== 0 ? undefined : String(server.id)))
  }

  /** All floating IPs, each with the node to which it is routed. */
  addresses(): ReadonlyArray<CloudAddressTruth> {
    return addressesOf(this.project)
  }

  /** Those of the other project. */
  othersAddresses(): ReadonlyArray<CloudAddressTruth> {
    return addressesOf(this.other)
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

const addressesOf = ({ truth }: HetznerProject.HetznerProject): ReadonlyArray<CloudAddressTruth> => {
  const names = new Map(truth.servers().map(({ id, name }) => [id, name]))
  const buyers = new Map(truth.purchases().map(({ by, id }) => [id, by]))
  return truth.floatingIps().map((each) => addressOf(each, names, buyers.get(each.id)))
}

const addressOf = (
  { id, ip, labels, name, server }: FloatingIp,
  servers: ReadonlyMap<number, string>,
  buyer: string | undefined
): CloudAddressTruth => ({
  id: String(id),
  network: ip,
  name,
  labels,
  node: server === null ? undefined : servers.get(server),
  isBoughtByUs: buyer === tokenName
})

/** Its servers are the nodes, in two locations of one network zone and, from the fourth on, a third. */
const projectOf = (kernel: Kernel, nodesCount: number): HetznerProject.HetznerProject => {
  const project = HetznerProject.make({
    nowMillis: () => kernel.nowMillis,
    tokens: [{ secret: token, name: tokenName, mayWrite: true }],
    floatingIpsMax: 1_000
  })
  for (let number = 1; number <= nodesCount; number++) {
    const location = number > 3 ? "hel1" : number % 2 === 0 ? "nbg1" : "fsn1"
    project.console.addServer({ name: `node-${number}`, location })
  }
  return project
}
