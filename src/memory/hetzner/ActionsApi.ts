/** Reading actions. Each read counts as a poll of every action that it asks for. */
import { Result } from "effect"
import type { Action } from "./Actions.ts"
import type { Core, Operation } from "./Core.ts"
import * as Paging from "./Paging.ts"
import { error, invalidInput, notFound } from "./Reply.ts"
import { actionJson } from "./Wire.ts"

const sortFields = ["id", "command", "status", "started", "finished"]

const polled = (core: Core, ids: ReadonlyArray<number>): ReadonlyArray<Action> =>
  ids.flatMap((id) => core.actions.poll(id, core.nowMillis()) ?? [])

const hasStatus = (statuses: ReadonlyArray<string>) => (action: Action) =>
  statuses.length === 0 || statuses.includes(action.status)

/** By id only, since 2025-01-30; the answer has no `meta`, and what does not exist is left out. */
export const listActions: Operation = (core, { query }) =>
  Result.gen(function* () {
    const ids = query.getAll("id")
    if (ids.length === 0) {
      return yield* Result.fail(
        error("deprecated_api_endpoint", "listing all actions is not possible any more, ask for ids", {
          announcement: "https://docs.hetzner.cloud/changelog"
        })
      )
    }
    if (!ids.every((id) => /^[1-9]\d*$/u.test(id))) {
      return yield* Result.fail(invalidInput({ name: "id", messages: ["must be a positive whole number"] }))
    }
    const found = polled(core, [...new Set(ids)].map(Number)).filter(hasStatus(query.getAll("status")))
    const items = found.map((action) => actionJson(action, core.nowMillis()))
    return { status: 200, body: { actions: yield* Paging.sorted(query, sortFields, items) } }
  })

export const getAction: Operation = (core, { id = 0 }) => {
  const action = core.actions.poll(id, core.nowMillis())
  if (action === undefined) return Result.fail(notFound("action", id))
  return Result.succeed({ status: 200, body: { action: actionJson(action, core.nowMillis()) } })
}

export const listFloatingIpActions: Operation = (core, { id = 0, query }) =>
  Result.gen(function* () {
    if (!core.store.now().floatingIps.has(id)) return yield* Result.fail(notFound("floating_ip", id))
    const own = core.actions
      .all()
      .filter(({ resources }) => resources.some((each) => each.type === "floating_ip" && each.id === id))
    const found = polled(
      core,
      own.map((action) => action.id)
    ).filter(hasStatus(query.getAll("status")))
    const items = found.map((action) => actionJson(action, core.nowMillis()))
    const ordered = yield* Paging.sorted(query, sortFields, items)
    const path = `/floating_ips/${id}/actions`
    return yield* Paging.page(core.settings, { path, query, key: "actions" }, ordered)
  })
