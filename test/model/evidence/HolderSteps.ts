/** The holder: it renews, and while it cannot, it asks its voters and keeps its element by their word. */
import { at } from "../lease/State.ts"
import * as Witness from "../../../src/domain/Witness.ts"
import type { Holder, State } from "./State.ts"
import { memoryOf, nameOf, holdId, type Steps, votersOf, type World, whoSay } from "./Steps.ts"

const withHolder = (state: State, changes: Partial<Holder>): State => ({
  ...state,
  holder: { ...state.holder, ...changes }
})

/** By compare-and-set, as everywhere; what voters say is no renewal, and what is fenced stays so. */
const renewing: Steps = ({ setting }, state, emit) => {
  const { holder } = state
  if (holder.request === "none" && holder.knowsNewest) {
    const send = (sentList: number) => withHolder(state, { request: "flying", sent: 0, sentList })
    if (holder.r > 0) emit("node-1 sends its renewal", send(holder.list))
    if (holder.list + 1 < setting.lists.length) {
      emit(`node-1 sends its renewal with ${nameList(at(setting.lists, holder.list + 1))}`, send(holder.list + 1))
    }
  }
  if (holder.request === "applied") {
    const learned = { request: "none", r: holder.sent, sent: 0, list: holder.sentList } as const
    emit("node-1 learns that its renewal succeeded", withHolder(state, learned))
  }
  if (state.isFenced && !holder.knowsNewest && holder.request !== "applied" && holder.doing === "idle") {
    const dropped = { leased: 0, ticketLeft: 0, r: setting.serve, request: "none", isAsking: false } as const
    if (holder.leased > 0) emit("node-1 finds its hold id fenced and drops the address", withHolder(state, dropped))
  }
}

/** What is on its way arrives, whatever its sender does. */
const arriving: Steps = (_world, state, emit) => {
  const { holder } = state
  if (holder.request === "flying" && holder.knowsNewest) {
    emit("the API server accepts node-1's renewal", {
      ...withHolder(state, { request: "applied" }),
      leaseList: holder.sentList,
      leader: { ...state.leader, isNewest: false }
    })
  }
}

const nameList = (list: ReadonlyArray<number>): string => `the voters ${list.map(nameOf).join(", ")}`

/** While a write that changes the list is not acknowledged, both lists must agree. */
const isKept = (world: World, state: State): boolean => {
  const { list, request, sentList } = state.holder
  if (world.lacks("strict-majority")) return true
  const isOpen = request !== "none"
  const old = world.lacks("both-lists") && isOpen ? [] : [list]
  const lists = [...old, ...(isOpen ? [sentList] : [])].map((each) => votersOf(world, each))
  return Witness.isKept(lists, new Set([nameOf(0), ...whoSay(state, ({ hasVouched }) => hasVouched)]))
}

const asking: Steps = (_world, state, emit) => {
  const { holder, voters } = state
  if (!holder.isAsking || holder.asked > 0) {
    emit("node-1 asks its voters whether they, too, have lost the control plane", {
      ...withHolder(state, { isAsking: true, asked: 0 }),
      voters: voters.map((voter) => ({ ...voter, hasVouched: false }))
    })
  }
}

/** Whoever has confirmed a promise for this hold id vouches for it no more. */
const vouching: Steps = (world, state, emit) => {
  const { holder, voters } = state
  if (!holder.isAsking) return
  for (const [index, voter] of voters.entries()) {
    if (voter.hasVouched || !isAsked(world, state, index + 1)) continue
    if (!world.lacks("given-for-good") && !Witness.mayVouch(memoryOf(voter), holdId)) continue
    const vouched = { ...voter, hasVouched: true, vouched: 0, isClean: false }
    emit(`${nameOf(index + 1)} vouches for node-1`, { ...state, voters: voters.with(index, vouched) })
  }
}

const isAsked = ({ setting }: World, { holder }: State, node: number): boolean =>
  at(setting.lists, holder.list).includes(node) ||
  (holder.request !== "none" && at(setting.lists, holder.sentList).includes(node))

/** t = r + X - now, or asking + X - now. */
const timeoutOf = ({ lacks, setting }: World, { asked, r }: Holder, basis: Holder["basis"]): number => {
  if (basis === "r") return setting.serve - r
  return lacks("evidence-dated-at-asking") ? setting.serve : setting.serve - asked
}

const arming: Steps = (world, state, emit) => {
  const { holder } = state
  if (holder.doing === "idle") {
    const write = (says: string, basis: Holder["basis"]) => {
      // What could not prolong the element, even as late as its ticket allows, is not written.
      const timeout = timeoutOf(world, holder, basis)
      if (timeout <= 0 || timeout <= holder.leased - world.setting.ticket) return
      const ticketed = { doing: "ticketed", basis, ticketLeft: world.setting.ticket + 1 } as const
      emit(says, withHolder(state, ticketed))
    }
    write("node-1 writes a ticket, to renew by r", "r")
    if (holder.isAsking && isKept(world, state)) write("node-1 has its majority, and writes a ticket", "evidence")
  }
  if (holder.doing === "ticketed") {
    const timeout = timeoutOf(world, holder, holder.basis)
    const isOver = timeout <= 0 || (holder.basis === "evidence" && !holder.isAsking)
    if (isOver) emit("node-1 finds that its time is over", withHolder(state, { doing: "idle" }))
    else {
      const waiting = withHolder(state, { doing: "waiting", batch: timeout })
      emit(`node-1 computes the timeout ${timeout}, and hands the batch to its tool`, waiting)
    }
  }
  if (holder.doing === "waiting") {
    // delete + add: without the element the whole batch fails, so evidence never revives.
    const needsElement = holder.basis === "evidence" && !world.lacks("evidence-never-revives")
    const done = { doing: "idle", batch: 0 } as const
    if (holder.ticketLeft > 0 && !(needsElement && holder.leased === 0)) {
      const armed = withHolder(state, { ...done, leased: holder.batch, ticketLeft: 0 })
      emit(`node-1's batch sets the element's timeout to ${holder.batch}`, armed)
    } else emit("node-1's batch fails", withHolder(state, done))
  }
}

export const steps: Steps = (world, state, emit) => {
  arriving(world, state, emit)
  vouching(world, state, emit)
  if (state.machine === "still") return
  renewing(world, state, emit)
  asking(world, state, emit)
  arming(world, state, emit)
}
