/**
 * Actions: what a write has started and what it will have changed. 201 means accepted; the change happens when the action
 * ends, and whoever reads before that reads the old state.
 */
import type { ActionFault } from "./Faults.ts"
import type { ResourceRef } from "./Resources.ts"
import type { Snapshot, Store } from "./Store.ts"

/** By time, or by so many reads of the action that still find it running: then nobody who waits needs a clock. */
export type ActionTime = { readonly millis: number } | { readonly polls: number }

export interface Action {
  readonly id: number
  readonly command: string
  readonly startedMillis: number
  readonly resources: ReadonlyArray<ResourceRef>
  readonly status: "running" | "success" | "error"
  readonly finishedMillis: number | null
  /** Absent: it ends by polls. */
  readonly endsMillis: number | undefined
  /** Nobody can read it. */
  readonly isVanished: boolean
}

export interface ActionOrder {
  readonly id: number
  readonly command: string
  readonly resources: ReadonlyArray<ResourceRef>
  /** What it does at its end; undefined: it cannot be done any more, and the action ends in error. */
  readonly change: (before: Snapshot) => Snapshot | undefined
  /** Takes back, after an error, what was done at the start. */
  readonly undo?: (before: Snapshot) => Snapshot
  readonly fault: ActionFault | undefined
}

export interface Actions {
  readonly start: (order: ActionOrder, nowMillis: number) => Action
  /** Ends all whose time has come, each as of its own time. */
  readonly settle: (nowMillis: number) => void
  readonly isLocked: (resource: ResourceRef) => boolean
  /** A read by a client, which counts where actions end by polls; undefined when there is no such action for clients. */
  readonly poll: (id: number, nowMillis: number) => Action | undefined
  readonly all: () => ReadonlyArray<Action>
}

interface Running {
  readonly order: ActionOrder
  pollsLeft: number
}

export const make = (store: Store, time: ActionTime): Actions => {
  const actions = new Map<number, Action>()
  const running = new Map<number, Running>()

  const finish = (action: Action, { order }: Running, atMillis: number): void => {
    running.delete(action.id)
    const isDone = order.fault?.status !== "error" && doChange(store, order, atMillis)
    if (!isDone && order.undo !== undefined) store.commit(order.undo(store.now()), atMillis)
    actions.set(action.id, { ...action, status: isDone ? "success" : "error", finishedMillis: atMillis })
  }

  return {
    start: (order, nowMillis) => {
      const { command, fault, id, resources } = order
      const millis = fault?.millis ?? ("millis" in time ? time.millis : undefined)
      const action: Action = {
        id,
        command,
        startedMillis: nowMillis,
        resources,
        status: "running",
        finishedMillis: null,
        endsMillis: millis === undefined ? undefined : nowMillis + millis,
        isVanished: fault?.vanishes === true
      }
      actions.set(id, action)
      running.set(id, { order, pollsLeft: "polls" in time ? time.polls : 0 })
      return action
    },
    settle: (nowMillis) => {
      const due = [...running].flatMap(([id, each]) => {
        const action = actions.get(id)
        const endsMillis = action?.endsMillis
        return action === undefined || endsMillis === undefined || endsMillis > nowMillis
          ? []
          : [{ action, each, endsMillis }]
      })
      due.sort((a, b) => a.endsMillis - b.endsMillis || a.action.id - b.action.id)
      for (const { action, each, endsMillis } of due) finish(action, each, endsMillis)
    },
    isLocked: ({ id, type }) =>
      [...running.values()].some(({ order }) => order.resources.some((each) => each.id === id && each.type === type)),
    poll: (id, nowMillis) => {
      const action = actions.get(id)
      if (action === undefined || action.isVanished) return undefined
      const each = running.get(id)
      if (each === undefined || action.endsMillis !== undefined) return action
      if (each.pollsLeft <= 0) finish(action, each, nowMillis)
      each.pollsLeft -= 1
      return actions.get(id)
    },
    all: () => [...actions.values()]
  }
}

const doChange = (store: Store, { change, fault }: ActionOrder, atMillis: number): boolean => {
  if (fault?.isMute === true) return true
  const after = change(store.now())
  if (after !== undefined) store.commit(after, atMillis)
  return after !== undefined
}
