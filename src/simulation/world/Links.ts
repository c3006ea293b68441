/**
 * The connections of the clients to the API server, each with the troubles of its own. A client is named as the API
 * server knows it: `controller-1`, `operator-node-3`.
 */
import { Effect } from "effect"
import type { ApiRequest, Fault } from "../../memory/kubernetes/Faults.ts"
import type { MemoryKubernetes } from "../../memory/kubernetes/MemoryKubernetes.ts"
import { type Kubernetes, type KubernetesError, Unavailable } from "../../ports/Kubernetes.ts"
import type { Kernel } from "../kernel/Kernel.ts"
import type { Prng } from "../kernel/Prng.ts"
import type { Process } from "../kernel/Process.ts"
import { type Arrival, withLateWrites } from "./LateWrites.ts"

/** What a fault may do to one request; undefined: nothing. */
export type RequestFault = (request: ApiRequest, random: Prng) => Fault | undefined

/** What does not pass: nothing at all, what the client sends, or what the server sends. */
export type Cut = "both" | "requests" | "replies"

export interface LinkObserver {
  /** Before it is acted on: what befalls it. */
  readonly request: (request: ApiRequest, fault: Fault) => void
  /** A write was answered with an error. */
  readonly refusal: (client: string, error: KubernetesError) => void
  readonly lateWrite: (arrival: Arrival) => void
}

/** A request into a hole ends by the client's own patience. */
const patienceMillis = 10_000
/** The client's transport takes a watch for dead after this silence. */
const silenceMillis = 180_000
/** How closely the end of a stall is seen. */
const stallLookMillis = 25

export class Links {
  /** Asked in order for each request of a controller or operator; the first answer counts. */
  readonly faults = new Map<string, RequestFault>()
  /** Asked before them: who refuses everything leaves nothing for others to befall. */
  readonly refusals = new Map<string, RequestFault>()
  /** Told of the requests of controllers and operators. */
  readonly observers = new Set<Partial<LinkObserver>>()
  /** Who was sent 410 and has not listed since: client and plural. */
  readonly expired = new Set<string>()
  /** Until then nothing arrives of what the server has sent; then everything does. By client, or by client and plural. */
  readonly stalledUntilMillis = new Map<string, number>()
  /** For how long a write that is sent now is on its way while its sender may give up; undefined: not late. */
  lateMillis: () => number | undefined = () => undefined
  private readonly memory: MemoryKubernetes
  private readonly network: Process
  private readonly kernel: Kernel
  private readonly random: Prng
  /** By client, what cuts it off and how. */
  private readonly cuts = new Map<string, Map<string, Cut>>()
  /** Requests that wait in the hole for the connection to be reset, by client. */
  private readonly lost = new Map<string, Set<() => void>>()
  private readonly clients = new Set<string>()
  /** One way between client and server, in milliseconds: drawn once, since a network is near or far. */
  private readonly latencyMillisMax: number

  constructor(memory: MemoryKubernetes, kernel: Kernel) {
    this.memory = memory
    this.kernel = kernel
    this.network = kernel.process("network")
    this.random = kernel.random.fork("links")
    this.latencyMillisMax = this.random.pick([3, 3, 10, 40]) ?? 3
    memory.faults.setPolicy((request) => Effect.suspend(() => this.faultOf(request)))
    memory.faults.setDelivery((watch) =>
      Effect.suspend(() => (this.isStalled(watch) ? this.untilItFlows(watch) : Effect.yieldNow))
    )
  }

  /** From now on the client is one of ours: its requests take time and may fail. */
  add(client: string): void {
    this.clients.add(client)
  }

  /** The API as this process of the client has it. */
  portFor(client: string, process: Process): Kubernetes["Service"] {
    return withLateWrites(this.memory.view(client), this.memory.view(`${client}-gone`), {
      sender: process,
      network: this.network,
      lateMillis: () => this.lateMillis(),
      onRefused: (error) => {
        for (const { refusal } of this.observers) refusal?.(client, error)
      },
      onArrival: (arrival) => {
        for (const { lateWrite } of this.observers) lateWrite?.(arrival)
      }
    })
  }

  /** The process is no more: what the server still sends goes nowhere. */
  forget(client: string): void {
    this.memory.watches.abandon(({ user }) => user === client)
  }

  isCut(client: string): boolean {
    return this.cuts.has(client)
  }

  /** Nothing passes any more, in silence, as with a dead cable or a firewall that drops. `by` tells cutters apart. */
  sever(client: string, cut: Cut = "both", by = "cable"): void {
    const cuts = this.cuts.get(client) ?? new Map<string, Cut>()
    this.cuts.set(client, cuts.set(by, cut))
    if (cut !== "requests") this.memory.watches.silence(({ user }) => user === client)
  }

  /** Requests pass again at once; a watch that has been silenced is dead, and its connection is reset. */
  heal(client: string, by = "cable"): void {
    const cuts = this.cuts.get(client)
    if (cuts?.delete(by) !== true || cuts.size > 0) return
    this.cuts.delete(client)
    this.memory.watches.reset(({ user }) => user === client)
    const lost = [...(this.lost.get(client) ?? [])]
    this.lost.delete(client)
    for (const end of lost) end()
  }

  /** One watch of the client dies without a sign; the transport notices after its time. */
  silenceWatch(client: string, plural: string): Effect.Effect<void> {
    const isIt = (watch: ApiRequest) => watch.user === client && watch.plural === plural
    return Effect.sync(() => this.memory.watches.silence(isIt)).pipe(
      Effect.andThen(Effect.sleep(silenceMillis)),
      Effect.ensuring(Effect.sync(() => this.memory.watches.reset(isIt)))
    )
  }

  /** 410 into the open watches that match. */
  expire(matches: (watch: ApiRequest) => boolean): void {
    for (const watch of this.memory.watches.open())
      if (matches(watch)) this.expired.add(`${watch.user} ${watch.plural}`)
    this.memory.watches.expire(matches)
  }

  private isStalled({ plural, user }: ApiRequest): boolean {
    if (this.stalledUntilMillis.size === 0) return false
    return [user, `${user} ${plural}`].some((each) => (this.stalledUntilMillis.get(each) ?? 0) > this.kernel.nowMillis)
  }

  /** Looks again and again, since a fault that ends takes its stalls back. */
  private untilItFlows(watch: ApiRequest): Effect.Effect<void> {
    return Effect.sleep(stallLookMillis).pipe(Effect.repeat({ while: () => this.isStalled(watch) }))
  }

  private faultOf(request: ApiRequest): Effect.Effect<Fault> {
    if (!this.clients.has(request.user)) return Effect.succeed({})
    const cuts = this.cuts.get(request.user)
    if (cuts === undefined) return Effect.succeed(this.told(request, this.drawn(request)))
    const isActedOn = [...cuts.values()].every((cut) => cut === "replies") && request.method !== "watch"
    // The connection ends when it can pass again, or when the client has had enough.
    const end = this.untilReset(request.user)
    if (!isActedOn) {
      const refuse = new Unavailable({ message: "no reply within 10 s" })
      return Effect.as(end, this.told(request, { refuse }))
    }
    return Effect.succeed(this.told(request, { delayMillis: 1, loseReply: true, replyDelayMillis: 3_000 }))
  }

  private drawn(request: ApiRequest): Fault {
    for (const asked of [this.refusals, this.faults])
      for (const fault of asked.values()) {
        const found = fault(request, this.random)
        if (found !== undefined) return found
      }
    const oneWay = () => this.random.between(1, this.latencyMillisMax)
    return { delayMillis: oneWay(), replyDelayMillis: oneWay() }
  }

  private told(request: ApiRequest, fault: Fault): Fault {
    for (const observer of this.observers) observer.request?.(request, fault)
    return fault
  }

  private untilReset(client: string): Effect.Effect<void> {
    const reset = Effect.callback<void>((resume) => {
      const waiting = this.lost.get(client) ?? new Set<() => void>()
      // Through a timer of the waiter's own, which a stopped process does not hear.
      const end = () => resume(Effect.sleep(1))
      this.lost.set(client, waiting.add(end))
      return Effect.sync(() => waiting.delete(end))
    })
    return Effect.asVoid(Effect.timeoutOption(reset, patienceMillis))
  }
}
