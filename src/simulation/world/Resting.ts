/**
 * How long a key may rest after its last refusal: its pauses double, so that one is never longer than twice the time for
 * which it has been refused (`RetryPolicy.ts`). A liveness bound that begins when the faults end begins after that.
 */
import { backoffByCategory } from "../../reconcile/RetryPolicy.ts"
import type { ApiRequest } from "../../memory/kubernetes/Faults.ts"
import type { LinkObserver } from "./Links.ts"

/** A step makes several requests, each of which may wait for ten seconds before it fails. */
const stepMillis = 30_000

interface Span {
  readonly sinceMillis: number
  readonly untilMillis: number
}

const keyOf = ({ name, namespace, user }: ApiRequest): string => `${user} ${namespace ?? ""}/${name ?? ""}`

export class Resting implements Pick<LinkObserver, "request"> {
  private readonly spans = new Map<string, Span>()
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  readonly request: LinkObserver["request"] = (request, { refuse }) => {
    if (refuse === undefined) return
    const nowMillis = this.now()
    const key = keyOf(request)
    const span = this.spans.get(key)
    const goesOn = span !== undefined && nowMillis <= span.untilMillis + stepMillis
    const sinceMillis = goesOn ? span.sinceMillis : nowMillis
    const { capMillis, firstMillis } = backoffByCategory[refuse.category]
    const restMillis = Math.min(capMillis, firstMillis + 2 * (nowMillis - sinceMillis))
    this.spans.set(key, { sinceMillis, untilMillis: nowMillis + restMillis })
  }

  /** Milliseconds from now until every key has been tried again. */
  millis(): number {
    const untilMillis = Math.max(0, ...[...this.spans.values()].map((span) => span.untilMillis))
    return Math.max(0, untilMillis - this.now())
  }
}
