/**
 * The controllers: each watches, counts, fences and names anew by itself. They are not told who leads, since leadership
 * is tidiness only. A decision that waits on its way is one that was made with older knowledge; so nothing flies here.
 */
import type { Emit } from "../explorer/System.ts"
import * as LeaseCount from "../../../src/domain/LeaseCount.ts"
import { controllerName, nodeName } from "./Configuration.ts"
import { at, type Controller, type LeaseView, type State } from "./State.ts"
import { leaseChanged, type Steps, type World } from "./Steps.ts"

type ControllerSteps = (world: World, state: State, index: number, controller: Controller, emit: Emit<State>) => void

const withController = (state: State, index: number, changes: Partial<Controller>): State => ({
  ...state,
  controllers: state.controllers.with(index, { ...at(state.controllers, index), ...changes })
})

const withView = (state: State, index: number, node: number, changes: Partial<LeaseView>): State => {
  const { leases } = at(state.controllers, index)
  return withController(state, index, { leases: leases.with(node, { ...at(leases, node), ...changes }) })
}

const due = new Map<number, boolean>()
/** As the shipping count says it of a version that was first seen `quiet` ticks ago. */
const isDue = (quiet: number, ownMillis: number, announcedMillis: number): boolean => {
  const key = (quiet * 64 + ownMillis) * 64 + announcedMillis
  const known = due.get(key)
  if (known !== undefined) return known
  const versions = new Map([["node", "1"]])
  const counts = LeaseCount.resume(LeaseCount.make(1_000, 0), { versions, candidates: new Set() }, 0)
  const found = LeaseCount.isDue(counts, "node", { ownMillis, announcedMillis }, quiet)
  due.set(key, found)
  return found
}

const observing: ControllerSteps = (world, state, index, controller, emit) => {
  const name = controllerName(index)
  for (const [node, view] of controller.leases.entries()) {
    if (view.isNewest) continue
    const { boot, generation, isFenced, isLong, isReleased } = at(state.leases, node)
    const quiet = world.lacks("R7") ? view.quiet : 0
    const seen = withView(state, index, node, { boot, generation, isFenced, isLong, isReleased, quiet, isNewest: true })
    const what = `${isFenced ? "fenced, " : ""}${isReleased ? "released, " : ""}hold id ${generation}`
    emit(`${name} sees ${nodeName(node)}'s lease: ${what}`, seen)
  }
  if (controller.view !== state.allocation) {
    emit(`${name} sees the IPAllocation as it is`, withController(state, index, { view: state.allocation }))
  }
}

const fencing: ControllerSteps = (world, state, index, controller, emit) => {
  const { setting } = world
  const { longQuiet, quiet } = setting.times
  for (const [node, view] of controller.leases.entries()) {
    if (view.isFenced || (!view.isNewest && !world.lacks("fence-compare-and-set"))) continue
    const own = world.lacks("full-L") ? quiet - 1 : quiet
    const announced = view.isLong && !world.lacks("R6") ? longQuiet : own
    if (!view.isReleased && !isDue(view.quiet, own, announced)) continue
    const fenced = { ...at(state.leases, node), isFenced: true, generation: view.generation, boot: view.boot }
    const written = leaseChanged(world, { ...state, leases: state.leases.with(node, fenced) }, node)
    const why = view.isReleased ? "reads that everything was let go" : `has seen no change for ${view.quiet}`
    emit(`${controllerName(index)} ${why}, and fences ${nodeName(node)}'s hold id ${view.generation}`, written)
  }
}

/** By compare-and-set of the IPAllocation: it must be the version that the controller knows. */
const naming: ControllerSteps = (world, state, index, controller, emit) => {
  if (controller.view !== state.allocation) return
  const { allocations, setting } = world
  const { entry } = allocations.contentOf(state.allocation)
  const nodes = [...new Set(setting.machines.map(({ node }) => node))]
  const name = controllerName(index)
  const told = new Set<number>()
  const write = (target: number, isMove: boolean): void => {
    const allocation = allocations.reassigned(state.allocation, controller.leases, target, isMove)
    const next = allocations.contentOf(allocation).entry
    const epoch = next.epoch ?? 0
    if (allocation === state.allocation || told.has(allocation) || epoch > setting.epochMax) return
    told.add(allocation)
    const after = next.previous.map(({ epoch, node }) => `${node} (epoch ${epoch})`).join(" and ")
    emit(
      `${name} names ${next.node} with hold id ${next.holdId}, epoch ${epoch}${after === "" ? "" : `, after ${after}`}`,
      {
        ...state,
        allocation,
        moves: isMove ? state.moves - 1 : state.moves,
        isEpochBroken: epoch <= (entry.epoch ?? 0)
      }
    )
  }
  for (const node of nodes) write(node, false)
  if (state.moves > 0) for (const node of nodes) if (nodeName(node) !== entry.node) write(node, true)
}

export const steps: Steps = (world, state, emit) => {
  for (const [index, controller] of state.controllers.entries()) {
    observing(world, state, index, controller, emit)
    fencing(world, state, index, controller, emit)
    naming(world, state, index, controller, emit)
  }
}
