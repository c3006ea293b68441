/**
 * To which server a floating IP is routed. An assignment is done when a read says so: the reply to it only says that it was
 * accepted, and its action may vanish.
 */
import { Effect } from "effect"
import * as Cloud from "../../ports/Cloud.ts"
import type { Outcome } from "./ActionHub.ts"
import type { ApiClient } from "./ApiClient.ts"
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
    assigned: Cloud.CloudAddress,
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

export const make = (client: ApiClient, { operate, settled }: Operations.Operations): Routing => {
  const release: Routing["release"] = Effect.fnUntraced(function* ({ id }, priority) {
    // "cannot unassign … because it is not assigned" has the code `service_error`: the read that follows tells.
    const outcome = yield* Effect.catchIf(
      operate(id, "unassign", {}, priority),
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
    return before?.server === undefined ? before : yield* release(before, priority)
  })

  const assign: Routing["assign"] = Effect.fnUntraced(function* (id, server, { handover, priority }) {
    const before = yield* readSettled(id, priority)
    if (before === undefined) return yield* Effect.fail(gone(id))
    if (before.server === server) return { changed: false, address: before }
    if (handover === "unassignFirst" && before.server !== undefined) yield* release(before, priority)
    const direct = operate(id, "assign", { server: Number(server) }, priority)
    const outcome = yield* Effect.catchIf(
      direct,
      ({ reason }) => reason._tag === "Assigned",
      () => Effect.andThen(unassign(id, priority), direct)
    )
    const after = yield* readAddress(client, id, priority)
    if (after === undefined) return yield* Effect.fail(gone(id))
    if (after.server === server) return { changed: true, address: after }
    yield* Operations.unlessFailed(assignPath(id), outcome)
    return yield* Effect.fail(elsewhere(assignPath(id), after.server, `server ${server}`))
  })

  return { assign, release, unassign }
}
