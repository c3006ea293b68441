/**
 * To which server a floating IP is routed. An assignment is done when a read says so: the reply to it only says that it was
 * accepted, and its action may vanish.
 */
import { Effect } from "effect"
import * as Cloud from "../../ports/Cloud.ts"
import type { Outcome } from "./ActionHub.ts"
import type { ApiClient } from "./ApiClient.ts"
import { Asked, type Wanted } from "./Asked.ts"
import * as Operations from "./Operations.ts"
import { readAddress } from "./Resources.ts"

export interface Routing {
  readonly assign: (
    id: string,
    server: string,
    how: Cloud.Assigning
  ) => Effect.Effect<{ readonly changed: boolean; readonly address: Cloud.CloudAddress }, Cloud.CloudError>
  /** Unassigns what was just read as assigned. Undefined: it is not there any more. */
  readonly release: (
    id: string,
    priority: Cloud.Priority
  ) => Effect.Effect<Cloud.CloudAddress | undefined, Cloud.CloudError>
  /** The same of one that may be unassigned, or not there. */
  readonly unassign: (
    id: string,
    priority: Cloud.Priority
  ) => Effect.Effect<Cloud.CloudAddress | undefined, Cloud.CloudError>
}

const unassignPath = (id: string) => Operations.pathOf(id, "unassign")
const assignPath = (id: string) => Operations.pathOf(id, "assign")

const gone = (id: string): Cloud.CloudError =>
  Operations.failure(assignPath(id), new Cloud.NotFound(), "it is not there")

const elsewhere = (path: string, server: string | undefined, wanted: string): Cloud.CloudError => {
  const routed = server === undefined ? "no server" : `server ${server}`
  return Operations.failure(path, new Cloud.Conflict(), `it is routed to ${routed}, not to ${wanted}`)
}

const isThere: Outcome = { type: "success" }

export const make = (client: ApiClient, operations: Operations.Operations): Routing => {
  const { settled } = operations
  const asked = new Asked()

  const operate = (id: string, target: Wanted, priority: Cloud.Priority) =>
    asked.asking(
      id,
      target,
      target === undefined
        ? operations.operate(id, "unassign", {}, priority)
        : operations.operate(id, "assign", { server: Number(target) }, priority)
    )

  const release: Routing["release"] = Effect.fnUntraced(function* (id, priority) {
    // "cannot unassign … because it is not assigned" has the code `service_error`: the read that follows tells.
    const outcome = yield* Effect.catchIf(
      operate(id, undefined, priority),
      ({ code }) => code === "service_error",
      ({ code, detail }) => Effect.succeed<Outcome>({ type: "error", code, message: detail })
    )
    const after = yield* readAddress(client, id, priority)
    if (after?.server === undefined) return after
    yield* Operations.unlessFailed(unassignPath(id), outcome)
    return yield* Effect.fail(elsewhere(unassignPath(id), after.server, "none"))
  })

  /** As it stays, unless somebody asks for something. */
  const readSettled = (id: string, priority: Cloud.Priority) =>
    Effect.andThen(settled(id, priority), readAddress(client, id, priority))

  const unassign: Routing["unassign"] = Effect.fnUntraced(function* (id, priority) {
    const before = yield* readSettled(id, priority)
    const isDone = before?.server === undefined && (yield* asked.pastMillis(id, undefined)) === 0
    return isDone ? before : yield* release(id, priority)
  })

  /** What the API refuses to move, unless it is there already. */
  const reassign = Effect.fnUntraced(function* (id: string, server: string, priority: Cloud.Priority) {
    yield* Effect.sleep(yield* asked.pastMillis(id, server))
    const found = yield* readSettled(id, priority)
    if (found?.server === server) return isThere
    if (found?.server !== undefined) yield* release(id, priority)
    return yield* operate(id, server, priority)
  })

  const assign: Routing["assign"] = Effect.fnUntraced(function* (id, server, { handover, priority }) {
    const before = yield* readSettled(id, priority)
    if (before === undefined) return yield* Effect.fail(gone(id))
    const isDone = before.server === server && (yield* asked.pastMillis(id, server)) === 0
    if (isDone) return { changed: false, address: before }
    if (handover === "unassignFirst" && before.server !== undefined) yield* release(id, priority)
    const direct = operate(id, server, priority)
    const outcome = yield* Effect.catchIf(
      direct,
      ({ reason }) => reason._tag === "Assigned",
      () => reassign(id, server, priority)
    )
    const after = yield* readAddress(client, id, priority)
    if (after === undefined) return yield* Effect.fail(gone(id))
    if (after.server === server) return { changed: true, address: after }
    yield* Operations.unlessFailed(assignPath(id), outcome)
    return yield* Effect.fail(elsewhere(assignPath(id), after.server, `server ${server}`))
  })

  return { assign, release, unassign }
}
