/** What the steps share: the setting, the allocation's functions, how a sentence and a state are told. */
import type { LeaseGuard } from "../Guard.ts"
import type { Emit } from "../explorer/System.ts"
import type { Allocations } from "./Allocations.ts"
import type { Setting } from "./Configuration.ts"
import { at, type Process, type State, withKernel, withProcess } from "./State.ts"

export interface World {
  readonly setting: Setting
  readonly allocations: Allocations
  /** From here on an age counts no more. */
  readonly ageMax: number
  readonly lacks: (guard: LeaseGuard) => boolean
}

export type Steps = (world: World, state: State, emit: Emit<State>) => void

export const machineOf = ({ setting }: World, process: number): number => at(setting.processes, process)

export const nodeOf = (world: World, process: number): number =>
  at(world.setting.machines, machineOf(world, process)).node

/** Nobody's knowledge of the node's lease is the newest any more; what was sent for an older version will be refused. */
export const leaseChanged = (world: World, state: State, node: number): State => ({
  ...state,
  processes: state.processes.map((each, index) =>
    nodeOf(world, index) !== node || !each.knowsNewest
      ? each
      : {
          ...each,
          knowsNewest: false,
          request: each.request === "flying" && !world.lacks("compare-and-set") ? "dead" : each.request
        }
  ),
  controllers: state.controllers.map((controller) => ({
    ...controller,
    leases: controller.leases.map((view, index) => (index === node ? { ...view, isNewest: false } : view))
  }))
})

/** The process ends; what its tool has been given, the tool may still do. */
export const ended = (world: World, state: State, index: number): State => {
  const { batch, generation, knowsNewest, request, sentLong, sentReleased, stray } = at(state.processes, index)
  const left = world.setting.toolsHang && batch > 0 ? batch : stray
  return withProcess(state, index, {
    doing: "off",
    generation,
    request: request === "flying" ? "flying" : "none",
    knowsNewest: request === "flying" && knowsNewest,
    sentLong,
    sentReleased,
    sent: 0,
    r: 0,
    view: 0,
    floor: 0,
    batch: 0,
    stray: left,
    isLong: false,
    rIsLong: false,
    isLeaving: false
  })
}

/** A transaction of the process: all of it or nothing, by its ticket and by `owner`. */
export const mayCommit = (world: World, state: State, index: number, needsTicket: boolean): boolean => {
  const kernel = at(state.kernels, machineOf(world, index))
  const hasTicket = !needsTicket || world.lacks("R4") || kernel.ticketOf === index + 1
  return hasTicket && (world.lacks("R5") || kernel.owner === index)
}

/** The element is set to `timeout`, the ticket is used up. */
export const committed = (
  world: World,
  state: State,
  index: number,
  timeout: number,
  changes: Partial<Process>
): State =>
  withProcess(
    withKernel(state, machineOf(world, index), { leased: timeout, ticketOf: 0, ticketLeft: 0 }),
    index,
    changes
  )
