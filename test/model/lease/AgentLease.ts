/**
 * An agent and the lease of its node: starting, registering, renewing, and what it finds when a write is refused
 * (`operator/Registration.ts` does the same with a real API). It goes on beside what the agent does in the kernel.
 */
import type { Emit } from "../explorer/System.ts"
import { generationAfter } from "./Allocations.ts"
import { processName } from "./Configuration.ts"
import { at, type Process, type State, withKernel, withProcess } from "./State.ts"
import { ended, leaseChanged, machineOf, nodeOf, type Steps, type World } from "./Steps.ts"

const isBusy = ({ doing }: Process): boolean => doing === "ticketed" || doing === "waiting"
const isRegistered = ({ doing }: Process): boolean =>
  isBusy({ doing } as Process) ||
  ["claiming", "confirming", "listing", "idle", "acknowledging", "parting"].includes(doing)

/** What it will announce from now on, once it has read the lease. */
const announcedAfter = (world: World, wasLong: boolean): boolean => wasLong && !world.lacks("R11")

/** It knows a new id to register with, unless the bound on generations forbids that. */
const withNewId = (world: World, state: State, index: number, doing: "dropping" | "ready"): State | undefined => {
  const lease = at(state.leases, nodeOf(world, index))
  const generation = generationAfter(lease.generation, machineOf(world, index))
  if (generation > world.setting.generationMax) return undefined
  return withProcess(state, index, {
    doing,
    generation,
    request: "none",
    knowsNewest: true,
    sent: 0,
    r: world.ageMax,
    isLong: announcedAfter(world, lease.isLong),
    rIsLong: false,
    isLeaving: false
  })
}

const starting: AgentSteps = (world, state, index, process, emit) => {
  const name = processName(world.setting, index)
  const machine = machineOf(world, index)
  const lease = at(state.leases, nodeOf(world, index))
  const emitMaybe = (says: string, next: State | undefined) => next !== undefined && emit(says, next)
  if (process.doing === "off" && process.request === "none" && process.stray === 0) {
    emit(`${name} starts`, withProcess(state, index, { doing: "started", generation: 0, r: world.ageMax }))
  }
  if (process.doing === "started") {
    if (lease.boot !== machine && !world.lacks("R9")) {
      emit(
        `${name} reads the lease: it is of another boot, and must be seen unchanged for L`,
        withProcess(state, index, { doing: "watching", knowsNewest: true, sent: 0 })
      )
    } else if (lease.boot !== machine) {
      emitMaybe(`${name} reads the lease, and takes a new hold id`, withNewId(world, state, index, "ready"))
    } else if (lease.isFenced || lease.isReleased) {
      emitMaybe(`${name} reads the lease: its hold id is over`, withNewId(world, state, index, "dropping"))
    } else {
      const known: Partial<Process> = {
        doing: "ready",
        generation: lease.generation,
        knowsNewest: true,
        isLong: announcedAfter(world, lease.isLong)
      }
      emit(`${name} reads the lease: hold id ${lease.generation}`, withProcess(state, index, known))
    }
  }
  if (process.doing === "watching") {
    const { longQuiet, quiet } = world.setting.times
    if (!process.knowsNewest && lease.isFenced) {
      // The program does so only if nothing else was written since it began to watch.
      emit(`${name} sees the lease fenced, and goes on counting`, withProcess(state, index, { knowsNewest: true }))
    }
    if (!process.knowsNewest) {
      emit(`${name} sees the lease renewed`, withProcess(state, index, { doing: "started", sent: 0 }))
    } else if (process.sent >= (lease.isLong ? longQuiet : quiet)) {
      emitMaybe(`${name} has seen the lease unchanged for L`, withNewId(world, state, index, "ready"))
    }
  }
  if (process.doing === "dropping") {
    emit(
      `${name} deletes the element and the address`,
      withKernel(withProcess(state, index, { doing: "ready" }), machine, { leased: 0 })
    )
  }
}

const sending: AgentSteps = (world, state, index, process, emit) => {
  const name = processName(world.setting, index)
  const send = (says: string, changes: Partial<Process>) =>
    emit(
      says,
      withProcess(state, index, {
        ...changes,
        request: process.knowsNewest || world.lacks("compare-and-set") ? "flying" : "dead",
        sent: 0,
        sentLong: process.isLong,
        sentReleased: process.doing === "parting"
      })
    )
  const duration = process.isLong ? ", announcing the long duration" : ""
  if (process.doing === "ready") {
    send(`${name} sends its registration under hold id ${process.generation}${duration}`, { doing: "registering" })
  }
  const lease = at(state.leases, nodeOf(world, index))
  const changesDuration = process.isLong !== lease.isLong
  if (process.doing === "parting" && process.request === "none") {
    send(`${name} sends the word that it has let go of everything`, {})
  } else if (isRegistered(process) && process.request === "none" && (process.r > 0 || changesDuration)) {
    send(`${name} sends its renewal${duration}`, {})
  }
}

/** The API server takes the write if it names the newest version (R6, compare-and-set), also of an agent that is gone. */
const accepting: AgentSteps = (world, state, index, process, emit) => {
  if (process.request !== "flying") return
  const node = nodeOf(world, index)
  const name = processName(world.setting, index)
  const kind = process.doing === "registering" ? "registration" : "renewal"
  const isGone = process.doing === "off"
  const written = {
    generation: process.generation,
    isFenced: false,
    boot: machineOf(world, index),
    writer: index,
    isLong: process.sentLong,
    isReleased: process.sentReleased
  }
  const changed = leaseChanged(world, { ...state, leases: state.leases.with(node, written) }, node)
  emit(
    `the API server accepts the ${kind} of ${name}`,
    withProcess(changed, index, { request: isGone ? "none" : "applied", knowsNewest: !isGone })
  )
  if (isGone) emit(`the ${kind} of ${name} is lost`, withProcess(state, index, { request: "none", knowsNewest: false }))
}

const learning: AgentSteps = (world, state, index, process, emit) => {
  const name = processName(world.setting, index)
  const lease = at(state.leases, nodeOf(world, index))
  if (process.request === "applied" && process.sentReleased) {
    emit(`${name} learns that its write succeeded, and ends`, ended(world, state, index))
  } else if (process.request === "applied") {
    emit(
      `${name} learns that its write succeeded`,
      withProcess(state, index, {
        request: "none",
        doing: process.doing === "registering" ? "claiming" : process.doing,
        r: world.lacks("R3") ? 0 : process.sent,
        rIsLong: process.sentLong,
        sent: 0
      })
    )
  }
  if (world.lacks("r-not-from-get") && isRegistered(process) && process.r > 0 && lease.writer === index) {
    if (!lease.isFenced)
      emit(`${name} reads the lease, and takes this moment for r`, withProcess(state, index, { r: 0 }))
  }
}

/** It reads the lease because a write was refused or not answered, and another has written it. */
const finding: AgentSteps = (world, state, index, process, emit) => {
  if (process.knowsNewest || isBusy(process)) return
  const name = processName(world.setting, index)
  const machine = machineOf(world, index)
  const lease = at(state.leases, nodeOf(world, index))
  if (process.doing === "ready" || (process.doing === "registering" && process.request === "dead")) {
    return emit(`${name} is refused, and reads again`, withProcess(state, index, { doing: "started", request: "none" }))
  }
  if (!isRegistered(process) && process.doing !== "registering") return
  if (lease.boot !== machine) {
    return emit(
      `${name} finds another machine's lease, drops everything and ends`,
      withKernel(ended(world, state, index), machine, { leased: 0 })
    )
  }
  if (lease.writer !== index) return emit(`${name} finds itself superseded and ends`, ended(world, state, index))
  if (!lease.isFenced) return
  const next = withNewId(world, state, index, "dropping")
  if (next !== undefined) emit(`${name} finds its hold id fenced`, next)
}

type AgentSteps = (world: World, state: State, index: number, process: Process, emit: Emit<State>) => void

export const steps: Steps = (world, state, emit) => {
  for (const [index, process] of state.processes.entries()) {
    if (at(world.setting.machines, machineOf(world, index)).isSteady) continue
    starting(world, state, index, process, emit)
    sending(world, state, index, process, emit)
    accepting(world, state, index, process, emit)
    learning(world, state, index, process, emit)
    finding(world, state, index, process, emit)
  }
}
