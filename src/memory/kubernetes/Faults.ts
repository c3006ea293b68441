/** What may go wrong with one request, and who decides it. */
import { Effect } from "effect"
import type { KubernetesError, Reason } from "../../ports/Kubernetes.ts"

export interface ApiRequest {
  /** Name of the view that asks. */
  readonly user: string
  readonly method: KubernetesError["method"]
  readonly group: string
  readonly plural: string
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly subresource?: "status" | undefined
  /** Of a list or watch. */
  readonly labelSelector?: string | undefined
}

export interface Fault {
  /** Before the server acts. */
  readonly delayMillis?: number
  /** The server does nothing and answers so: `Unavailable` for a lost request, `Conflict`, `Throttled`, `Denied`, … */
  readonly refuse?: Reason
  /** The server acts, the answer is lost: `ReplyLost` for a write, `Unavailable` for a read. */
  readonly loseReply?: boolean
  /** After the server acted. */
  readonly replyDelayMillis?: number
}

export interface FaultKnobs {
  /** Asked for every request that no `next` covers. It may draw from Random and read the Clock. */
  readonly setPolicy: (policy: (request: ApiRequest) => Effect.Effect<Fault>) => void
  /** For the first request that matches, once. */
  readonly next: (matches: (request: ApiRequest) => boolean, fault: Fault) => void
  /** Runs before each event that a watch delivers: a slow or congested connection. */
  readonly setDelivery: (delivery: (watch: ApiRequest) => Effect.Effect<void>) => void
}

export interface Faults extends FaultKnobs {
  readonly faultOf: (request: ApiRequest) => Effect.Effect<Fault>
  readonly delivery: (watch: ApiRequest) => Effect.Effect<void>
}

const noFault = (_: ApiRequest): Effect.Effect<Fault> => Effect.succeed({})

const noDelay = (_: ApiRequest): Effect.Effect<void> => Effect.void

export const make = (): Faults => {
  let policy = noFault
  let delivery = noDelay
  const scripted: Array<{ readonly matches: (request: ApiRequest) => boolean; readonly fault: Fault }> = []
  return {
    setPolicy: (next) => {
      policy = next
    },
    setDelivery: (next) => {
      delivery = next
    },
    next: (matches, fault) => {
      scripted.push({ matches, fault })
    },
    delivery: (watch) => delivery(watch),
    faultOf: (request) => {
      const index = scripted.findIndex(({ matches }) => matches(request))
      const [found] = index < 0 ? [] : scripted.splice(index, 1)
      return found === undefined ? policy(request) : Effect.succeed(found.fault)
    }
  }
}
