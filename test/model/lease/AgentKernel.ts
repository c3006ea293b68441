/**
 * An agent and the kernel of its machine: `owner`, the ticket, arming and renewing the element, letting go. One thing at
 * a time, and any time may pass between two steps.
 */
import type { Emit } from "../explorer/System.ts"
import { processName } from "./Configuration.ts"
import { at, type Process, type State, STEADY, withKernel, withProcess } from "./State.ts"
import { committed, ended, machineOf, mayCommit, type Steps, type World } from "./Steps.ts"

type AgentSteps = (world: World, state: State, index: number, process: Process, emit: Emit<State>) => void

const taking: AgentSteps = (world, state, index, process, emit) => {
  const { lacks } = world
  const name = processName(world.setting, index)
  if (process.doing === "claiming") {
    const claimed = withKernel(state, machineOf(world, index), { owner: index })
    const doing = lacks("lease-read-after-owner") ? "listing" : "confirming"
    emit(`${name} claims owner`, withProcess(claimed, index, { doing }))
  }
  if (process.doing === "confirming" && process.knowsNewest) {
    emit(`${name} reads the lease again: it is still its own`, withProcess(state, index, { doing: "listing" }))
  }
  if (process.doing === "listing") {
    const list = (view: number) => withProcess(state, index, { doing: "idle", view })
    emit(`${name} lists the IPAllocations`, list(state.allocation))
    if (world.lacks("consistent-list") && state.allocation !== world.allocations.initial) {
      emit(`${name} lists the IPAllocations and gets an old list`, list(world.allocations.initial))
    }
  }
}

const looking: AgentSteps = (world, state, index, process, emit) => {
  const name = processName(world.setting, index)
  const { initial } = world.allocations
  if (process.view !== state.allocation) {
    emit(`${name} sees the IPAllocation as it is`, withProcess(state, index, { view: state.allocation }))
  }
  if (world.setting.eventsAreLate && process.floor > 0 && process.view !== initial) {
    emit(`${name} gets an older event of the IPAllocation`, withProcess(state, index, { view: initial }))
  }
}

/** How long the element may live from now on: by X, or by the long X of a handover that is announced. */
const timeoutOf = ({ lacks, setting }: World, { isLeaving, r, rIsLong }: Process): number => {
  const usesLong = isLeaving && (rIsLong || lacks("announced-before-used"))
  return (usesLong ? setting.times.longServe : setting.times.serve) - r
}

const arming: AgentSteps = (world, state, index, process, emit) => {
  const { allocations, lacks, setting } = world
  const name = processName(setting, index)
  const machine = machineOf(world, index)
  const { leased } = at(state.kernels, machine)
  const epoch = allocations.duty(process.view, machine, process.generation)
  if (epoch === 0 || (epoch < process.floor && !lacks("R2"))) return
  if (at(setting.machines, machine).isSteady) {
    if (leased === 0) emit(`${name} arms and serves`, withKernel(state, machine, { leased: STEADY }))
    return
  }
  // Nothing is written that could not prolong the element, even if it is executed as late as its ticket allows.
  const timeout = timeoutOf(world, process)
  const { serve, ticket } = setting.times
  if (timeout <= 0 || (timeout <= leased - ticket && leased <= serve)) return
  if (lacks("R4")) {
    return emit(
      `${name} computes the timeout ${timeout}, and hands the batch to its tool`,
      withProcess(state, index, { doing: "waiting", batch: timeout })
    )
  }
  const written = withKernel(state, machine, { ticketOf: index + 1, ticketLeft: ticket + 1 })
  const stray = lacks("nonce-per-transaction") ? process.stray : 0
  emit(`${name} writes a ticket`, withProcess(written, index, { doing: "ticketed", stray }))
}

const writing: AgentSteps = (world, state, index, process, emit) => {
  const name = processName(world.setting, index)
  if (process.doing === "ticketed") {
    const timeout = timeoutOf(world, process)
    if (timeout <= 0) {
      emit(`${name} finds that its time is over`, withProcess(state, index, { doing: "idle" }))
    } else {
      const waiting = withProcess(state, index, { doing: "waiting", batch: timeout })
      emit(`${name} computes the timeout ${timeout}, and hands the batch to its tool`, waiting)
    }
  }
  if (process.doing === "waiting") {
    if (mayCommit(world, state, index, true)) {
      const done = committed(world, state, index, process.batch, { doing: "idle", batch: 0 })
      emit(`${name}'s batch sets the element's timeout to ${process.batch}`, done)
    } else if (mayCommit(world, state, index, false)) {
      emit(`${name}'s batch fails, as its ticket is gone`, withProcess(state, index, { doing: "idle", batch: 0 }))
    } else {
      emit(`${name}'s batch fails on owner, and it ends`, ended(world, withProcess(state, index, { batch: 0 }), index))
    }
    if (world.setting.toolsHang) {
      const given = withProcess(state, index, { doing: "idle", batch: 0, stray: process.batch })
      emit(`${name} gives up its tool, which hangs`, given)
    }
  }
  if (process.stray > 0 && mayCommit(world, state, index, true)) {
    const done = committed(world, state, index, process.stray, { stray: 0 })
    emit(`${name}'s hanging tool goes on, and sets the element's timeout to ${process.stray}`, done)
  }
}

const acknowledged = (world: World, state: State, index: number, process: Process): State => {
  const machine = machineOf(world, index)
  const { generation, view } = process
  const allocation = world.allocations.acknowledged(state.allocation, view, machine, generation)
  return { ...state, allocation }
}

/** Its own delete must succeed (R10); the ticket goes with it, so that no batch of its own can arm again. */
const releasing: AgentSteps = (world, state, index, process, emit) => {
  const name = processName(world.setting, index)
  const machine = machineOf(world, index)
  const owed = world.allocations.owed(process.view, machine, process.generation)
  const floor = Math.max(process.floor, owed + 1)
  const isSteady = at(world.setting.machines, machine).isSteady
  if (process.doing === "idle" && owed > 0) {
    if (world.lacks("delete-before-acknowledging")) {
      emit(`${name} acknowledges, and has not deleted the element`, acknowledged(world, state, index, process))
    }
    if (isSteady || mayCommit(world, state, index, false)) {
      const keepsTicket = world.lacks("release-flushes-ticket")
      const emptied = withKernel(
        state,
        machine,
        keepsTicket ? { leased: 0 } : { leased: 0, ticketOf: 0, ticketLeft: 0 }
      )
      emit(`${name} deletes the element`, withProcess(emptied, index, { doing: "acknowledging", floor }))
    } else if (world.lacks("R10")) {
      emit(
        `${name} fails to delete the element, on owner`,
        withProcess(state, index, { doing: "acknowledging", floor })
      )
    } else {
      emit(`${name} fails to delete the element, on owner, and ends`, ended(world, state, index))
    }
  }
  if (process.doing === "acknowledging") {
    const done = withProcess(acknowledged(world, state, index, process), index, { doing: "idle" })
    emit(`${name} acknowledges that it let go of epoch ${owed}`, done)
  }
}

const handingOver: AgentSteps = (world, state, index, process, emit) => {
  const name = processName(world.setting, index)
  const { leased } = at(state.kernels, machineOf(world, index))
  const { longServe, serve } = world.setting.times
  if (world.setting.nodesShutDown) return
  if (state.handovers > 0 && !process.isLeaving) {
    const told = withProcess(state, index, { isLeaving: true, isLong: true })
    emit(`${name} is told to hand over`, { ...told, handovers: state.handovers - 1 })
  }
  if (process.isLeaving && leased > serve && leased + process.r === longServe) {
    emit(`${name} ends, and leaves the element to its successor`, ended(world, state, index))
  }
  if (process.isLong && !process.isLeaving && leased <= serve && mayCommit(world, state, index, false)) {
    emit(
      `${name} lists the elements: none has more than X left, so it will announce the short duration`,
      withProcess(state, index, { isLong: false })
    )
  }
}

/** Everything is deleted, then the lease says so: whoever reads that need not count L. */
const shuttingDown: AgentSteps = (world, state, index, process, emit) => {
  const name = processName(world.setting, index)
  if (!world.setting.nodesShutDown) return
  if (state.handovers > 0 && !process.isLeaving) {
    const told = withProcess(state, index, { isLeaving: true })
    emit(`${name} is told that its node goes down`, { ...told, handovers: state.handovers - 1 })
  }
  if (!process.isLeaving || process.request !== "none") return
  if (mayCommit(world, state, index, false)) {
    const emptied = withKernel(state, machineOf(world, index), { leased: 0, ticketOf: 0, ticketLeft: 0 })
    emit(`${name} deletes the element`, withProcess(emptied, index, { doing: "parting" }))
  } else emit(`${name} fails to delete the element, on owner, and ends`, ended(world, state, index))
}

export const steps: Steps = (world, state, emit) => {
  for (const [index, process] of state.processes.entries()) {
    taking(world, state, index, process, emit)
    if (process.doing === "idle") {
      looking(world, state, index, process, emit)
      arming(world, state, index, process, emit)
      handingOver(world, state, index, process, emit)
      shuttingDown(world, state, index, process, emit)
    }
    releasing(world, state, index, process, emit)
    writing(world, state, index, process, emit)
  }
}
