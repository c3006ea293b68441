/** What is done to a floating IP and takes a while: accepted by a reply, done or failed by its action. */
import { Effect } from "effect"
import * as Cloud from "../../ports/Cloud.ts"
import type { ActionHub, Outcome } from "./ActionHub.ts"
import type { ApiClient } from "./ApiClient.ts"
import { actionsIn } from "./Elements.ts"
import { orGone } from "./Resources.ts"
import { ActionReply, ActionsReply } from "./Wire.ts"

type Command = "assign" | "unassign" | "change_dns_ptr"

interface Body {
  readonly [key: string]: string | number | null
}

export interface Operations {
  /** How it ended. While another operation works on the floating IP, its turn is waited for. */
  readonly operate: (
    id: string,
    command: Command,
    body: Body,
    priority: Cloud.Priority
  ) => Effect.Effect<Outcome, Cloud.CloudError>
  /**
   * Waits for what was asked here and may be under way still, since nobody told how it ended: until then what is read of the
   * floating IP is not for good.
   */
  readonly settled: (id: string, priority: Cloud.Priority) => Effect.Effect<void, Cloud.CloudError>
}

/** Another operation may follow the one that was waited for. */
const locksMax = 3

export const pathOf = (id: string, command: Command): string => `/floating_ips/${id}/actions/${command}`

/** Found out by us, without an answer that says so. */
export const failure = (path: string, reason: Cloud.Reason, detail: string, code = ""): Cloud.CloudError =>
  new Cloud.CloudError({ request: `POST ${path}`, reason, detail, code, correlationId: "" })

/** An action that failed is told as it is; one that is unknown is judged by what is read. */
export const unlessFailed = (path: string, outcome: Outcome): Effect.Effect<void, Cloud.CloudError> =>
  outcome.type === "error"
    ? Effect.fail(failure(path, new Cloud.OperationFailed(), outcome.message, outcome.code))
    : Effect.void

const isEndKnown = ({ type }: Outcome): boolean => type !== "unknown"

const isNothingDone = ({ category }: Cloud.CloudError): boolean => category !== "ambiguous"

export const make = (client: ApiClient, hub: ActionHub): Operations => {
  /** Floating IPs to which something may be happening that nobody waits for any more. */
  const open = new Set<string>()

  /** An action that was accepted may go on, whatever becomes of asking for it. */
  const post = (id: string, command: Command, body: Body, priority: Cloud.Priority) =>
    Effect.suspend(() => {
      const isOlderOpen = open.has(id)
      open.add(id)
      return client.call({ method: "POST", path: pathOf(id, command), body, reply: ActionReply, priority }).pipe(
        Effect.tapError((error) => Effect.sync(() => !isOlderOpen && isNothingDone(error) && open.delete(id))),
        Effect.flatMap(({ action }) => hub.outcome(action)),
        Effect.tap((outcome) => Effect.sync(() => isEndKnown(outcome) && open.delete(id)))
      )
    })

  const awaitRunning = Effect.fnUntraced(function* (id: string, priority: Cloud.Priority) {
    const path = `/floating_ips/${id}/actions`
    const query = [["status", "running"] as const]
    const reply = yield* client.call({ method: "GET", path, query, reply: ActionsReply, priority })
    const known = actionsIn(reply)
    const outcomes = yield* Effect.forEach(known, (action) => hub.outcome(action))
    const notUnderstood = reply.actions.slice(known.length).map((): Outcome => ({ type: "unknown" }))
    return [...outcomes, ...notUnderstood]
  })

  /** Until nothing works on the floating IP any more; what its server is busy with is not seen, and only time helps. */
  const untilUnlocked = Effect.fnUntraced(function* (id: string, priority: Cloud.Priority) {
    if ((yield* awaitRunning(id, priority)).length === 0) yield* Effect.sleep("1 second")
  })

  const attempt = (
    operation: Effect.Effect<Outcome, Cloud.CloudError>,
    unlocked: Effect.Effect<void, Cloud.CloudError>,
    left: number
  ): Effect.Effect<Outcome, Cloud.CloudError> =>
    Effect.catchIf(
      operation,
      ({ reason }) => reason._tag === "Locked" && left > 0,
      () => Effect.andThen(unlocked, attempt(operation, unlocked, left - 1))
    )

  const settle = (id: string, priority: Cloud.Priority) =>
    Effect.map(orGone(awaitRunning(id, priority)), (outcomes = []) => {
      if (outcomes.every(isEndKnown)) open.delete(id)
    })

  return {
    operate: (id, command, body, priority) =>
      attempt(post(id, command, body, priority), untilUnlocked(id, priority), locksMax),
    settled: (id, priority) => Effect.suspend(() => (open.has(id) ? settle(id, priority) : Effect.void))
  }
}
