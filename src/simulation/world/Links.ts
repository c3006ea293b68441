/**
 * The connections of the clients to the API server, each with the troubles of its own. A client is named as the API
 * server knows it: `controller-1`, `operator-node-3`.
 */
import { Effect } from "effect"
import type { ApiRequest, Fault } from "../../memory/kubernetes/Faults.ts"
import type { MemoryKubernetes } from "../../memory/kubernetes/MemoryKubernetes.ts"
import { Unavailable } from "../../ports/Kubernetes.ts"
import type { Prng } from "../kernel/Prng.ts"

/** What a fault may do to one request; undefined: nothing. */
export type RequestFault = (request: ApiRequest, random: Prng) => Fault | undefined

/** A request into a hole ends by the client's own patience. */
const patienceMillis = 10_000
/** The client's transport takes a watch for dead after this silence. */
const silenceMillis = 180_000

export class Links {
  /** Asked in order for each request of a controller or operator; the first answer counts. */
  readonly faults = new Map<string, RequestFault>()
  /** Extra milliseconds before each event of a watch. */
  readonly watchDelays = new Map<string, number>()
  private readonly memory: MemoryKubernetes
  private readonly random: Prng
  private readonly cut = new Set<string>()
  private readonly clients = new Set<string>()

  constructor(memory: MemoryKubernetes, random: Prng) {
    this.memory = memory
    this.random = random
    memory.faults.setPolicy((request) => Effect.sync(() => this.faultOf(request)))
    memory.faults.setDelivery(({ user }) => {
      const delay = this.watchDelays.get(user)
      return delay === undefined ? Effect.yieldNow : Effect.sleep(delay)
    })
  }

  /** From now on the client is one of ours: its requests take time and may fail. */
  add(client: string): void {
    this.clients.add(client)
  }

  /** The process is no more: what the server still sends goes nowhere. */
  forget(client: string): void {
    this.memory.watches.abandon(({ user }) => user === client)
  }

  isCut(client: string): boolean {
    return this.cut.has(client)
  }

  /** Nothing passes any more, in silence, as with a dead cable or a firewall that drops. */
  sever(client: string): void {
    this.cut.add(client)
    this.memory.watches.silence(({ user }) => user === client)
  }

  /** Requests pass again at once; a watch that has been silenced is dead, and its connection is reset. */
  heal(client: string): void {
    if (!this.cut.delete(client)) return
    this.memory.watches.reset(({ user }) => user === client)
  }

  /** One watch of the client dies without a sign; the transport notices after its time. */
  silenceWatch(client: string, plural: string): Effect.Effect<void> {
    const isIt = (watch: ApiRequest) => watch.user === client && watch.plural === plural
    return Effect.sync(() => this.memory.watches.silence(isIt)).pipe(
      Effect.andThen(Effect.sleep(silenceMillis)),
      Effect.andThen(Effect.sync(() => this.memory.watches.reset(isIt)))
    )
  }

  private faultOf(request: ApiRequest): Fault {
    if (!this.clients.has(request.user)) return {}
    if (this.cut.has(request.user)) {
      return { delayMillis: patienceMillis, refuse: new Unavailable({ message: "no reply within 10 s" }) }
    }
    for (const fault of this.faults.values()) {
      const found = fault(request, this.random)
      if (found !== undefined) return found
    }
    return { delayMillis: this.random.between(1, 3), replyDelayMillis: this.random.between(1, 3) }
  }
}
