/** What every operation of the project has at hand, and what one request brings. */
import type { Result } from "effect"
import { type Action, type Actions, type ActionOrder } from "./Actions.ts"
import type { Fault, RoutedRequest } from "./Faults.ts"
import type { PageOptions } from "./Paging.ts"
import { type Answer, type ApiError, error } from "./Reply.ts"
import type { Labels, ResourceRef, Type } from "./Resources.ts"
import type { Snapshot, Store } from "./Store.ts"

export interface Settings extends PageOptions {
  /** Of the project; ten unless the vendor has raised it. */
  readonly floatingIpsMax: number
  /**
   * What a direct move from server to server does. The docs list `floating_ip_assigned`, the official tools move without
   * an unassign first and nobody reports a refusal.
   */
  readonly moves: "direct" | "refused"
  /** The n-th address of a type, from 1. */
  readonly ipOf: (type: Type, n: number) => string
}

/** One floating IP, from its first day to its last: what the project pays for. */
export interface Purchase {
  readonly id: number
  readonly type: Type
  readonly ip: string
  /** As it was called, and labelled, at first: for whom it was bought. */
  readonly name: string
  readonly labels: Labels
  /** Name of the token, or `console`. */
  readonly by: string
  readonly boughtMillis: number
  readonly deletedMillis: number | null
}

export interface Core {
  readonly settings: Settings
  readonly nowMillis: () => number
  readonly store: Store
  readonly actions: Actions
  /** Ids of all kinds come from one counter: an id of another kind is `not_found`. */
  readonly newId: () => number
  readonly newIp: (type: Type) => string
  readonly purchases: Map<number, Purchase>
}

export interface Call extends RoutedRequest {
  readonly fault: Fault
  /** Name of the token. */
  readonly by: string
  /** What a read shows. */
  readonly view: Snapshot
}

export type Operation = (core: Core, call: Call) => Result.Result<Answer, ApiError>

export const startAction = (core: Core, call: Call, order: Omit<ActionOrder, "id" | "fault">): Action =>
  core.actions.start({ ...order, id: core.newId(), fault: call.fault.action }, core.nowMillis())

const kinds = { server: "Server", floating_ip: "Floating IP", network: "Network" } as const

/** 423 while an action runs on any of these, or while a server is being deleted. */
export const lockOf = (core: Core, resources: ReadonlyArray<ResourceRef>): ApiError | undefined => {
  const locked = resources.find((each) => isLocked(core, each))
  return locked === undefined ? undefined : error("locked", `${kinds[locked.type]} is locked`)
}

export const isLocked = ({ actions, store }: Core, resource: ResourceRef): boolean =>
  actions.isLocked(resource) ||
  (resource.type === "server" && store.now().servers.get(resource.id)?.status === "deleting")
