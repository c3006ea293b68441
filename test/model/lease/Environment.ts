/** What befalls: time, and death. A pause needs no step of its own, since whoever can act need not. */
import type { Emit } from "../explorer/System.ts"
import { controllerName, machineName, processName } from "./Configuration.ts"
import { at, type Kernel, type Process, type State, STEADY } from "./State.ts"
import { ended, machineOf, type Steps, type World } from "./Steps.ts"

const agedKernel = (kernel: Kernel, ticks: number): Kernel => {
  const ticketLeft = Math.max(0, kernel.ticketLeft - ticks)
  const leased = kernel.leased === STEADY ? STEADY : Math.max(0, kernel.leased - ticks)
  return { ...kernel, leased, ticketLeft, ticketOf: ticketLeft === 0 ? 0 : kernel.ticketOf }
}

const agedProcess = (process: Process, ticks: number, ageMax: number): Process =>
  process.doing === "off"
    ? process
    : { ...process, r: Math.min(ageMax, process.r + ticks), sent: Math.min(ageMax, process.sent + ticks) }

/** Machine by machine and controller by controller, how much its clock counts in one step of time. */
const passed = (world: World, state: State, counted: (clock: number) => number): State => {
  const { setting, ageMax } = world
  const machines = setting.machines.length
  return {
    ...state,
    kernels: state.kernels.map((kernel, index) => agedKernel(kernel, counted(index))),
    processes: state.processes.map((each, index) => agedProcess(each, counted(machineOf(world, index)), ageMax)),
    controllers: state.controllers.map((controller, index) => ({
      ...controller,
      leases: controller.leases.map((view, node) =>
        isCounted(world, node) && !view.isFenced
          ? { ...view, quiet: Math.min(ageMax, view.quiet + counted(machines + index)) }
          : view
      )
    }))
  }
}

/** A node whose machines are steady renews for ever. */
const isCounted = ({ setting }: World, node: number): boolean =>
  setting.machines.some((each) => each.node === node && !each.isSteady)

const ticking = (world: World, state: State, emit: Emit<State>): void => {
  const { setting } = world
  if (!setting.clocksDiffer)
    return emit(
      "time passes: 1 tick",
      passed(world, state, () => 1)
    )
  const machines = setting.machines.length
  const clocks = setting.machines.flatMap(({ isSteady }, index) => (isSteady ? [] : [index]))
  clocks.push(...state.controllers.map((_, index) => machines + index))
  for (let choice = 0; choice < 1 << clocks.length; choice++) {
    const counted = (clock: number) => ((choice >> clocks.indexOf(clock)) & 1) + 1
    const told = clocks.map((clock) => {
      const whose = clock < machines ? machineName(setting, clock) : controllerName(clock - machines)
      return `${whose}'s clock counts ${counted(clock)}`
    })
    emit(`time passes: ${told.join(", ")}`, passed(world, state, counted))
  }
}

const dying = (world: World, state: State, emit: Emit<State>): void => {
  for (const [index, { doing }] of state.processes.entries()) {
    if (doing === "off" || at(world.setting.machines, machineOf(world, index)).isSteady) continue
    emit(`${processName(world.setting, index)} is killed`, ended(world, state, index))
  }
}

export const steps: Steps = (world, state, emit) => {
  ticking(world, state, emit)
  dying(world, state, emit)
}

/** S1, and S8. */
export const violated = ({ setting }: World, state: State): string | undefined => {
  if (state.isEpochBroken) return "an epoch was given that is not above the one before it"
  const serving = state.kernels.flatMap(({ leased }, machine) => (leased > 0 ? [machine] : []))
  if (serving.length < 2) return undefined
  const names = serving.map((machine) => machineName(setting, machine))
  return `192.0.2.10 is served by ${names.join(" and by ")}`
}
