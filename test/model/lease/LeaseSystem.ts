/** The lease protocol as a transition system: its first state, its steps, and how a state is packed. */
import type { Packer, System, Unpacker } from "../explorer/System.ts"
import * as AgentKernel from "./AgentKernel.ts"
import * as AgentLease from "./AgentLease.ts"
import * as Allocations from "./Allocations.ts"
import type { Setting } from "./Configuration.ts"
import * as ControllerSteps from "./ControllerSteps.ts"
import * as Environment from "./Environment.ts"
import {
  at,
  type Controller,
  type Doing,
  doings,
  type Kernel,
  type LeaseView,
  type NodeLease,
  off,
  type Process,
  requests,
  type State,
  STEADY
} from "./State.ts"
import { mayCommit, type World } from "./Steps.ts"

const worldOf = (setting: Setting): World => {
  const { longQuiet, quiet } = setting.times
  return {
    setting,
    allocations: Allocations.make(setting),
    ageMax: setting.handoversMax > 0 ? longQuiet : quiet,
    lacks: (guard) => setting.without === guard
  }
}

/** Everybody is registered under generation 1, node-1 holds the address and has just renewed. */
const initialOf = ({ allocations, setting }: World): State => {
  const { processes } = setting
  const nodes = [...new Set(setting.machines.map(({ node }) => node))]
  const bootOf = (node: number) => setting.machines.findIndex((each) => each.node === node)
  const view = { generation: 1, isFenced: false, isLong: false, isReleased: false, isNewest: true, quiet: 0 }
  return {
    kernels: setting.machines.map(({ isSteady }, machine) => ({
      leased: machine > 0 ? 0 : isSteady ? STEADY : setting.times.serve,
      ticketOf: 0,
      ticketLeft: 0,
      owner: processes.indexOf(machine)
    })),
    processes: processes.map((machine, index) => {
      const isFirst = processes.indexOf(machine) === index && bootOf(at(setting.machines, machine).node) === machine
      return isFirst ? { ...off, doing: "idle", generation: 1, knowsNewest: true, view: allocations.initial } : off
    }),
    leases: nodes.map((node) => {
      const boot = bootOf(node)
      return { generation: 1, isFenced: false, boot, writer: processes.indexOf(boot), isLong: false, isReleased: false }
    }),
    allocation: allocations.initial,
    controllers: Array.from({ length: setting.controllers }, () => ({
      leases: nodes.map((node) => ({ ...view, boot: bootOf(node) })),
      view: allocations.initial
    })),
    moves: setting.movesMax,
    handovers: setting.handoversMax,
    isEpochBroken: false
  }
}

const number = (is: boolean): number => (is ? 1 : 0)
const putWide = ({ put }: Packer, value: number): void => {
  put(value >> 8)
  put(value & 255)
}
const takeWide = ({ take }: Unpacker): number => take() * 256 + take()

/** A ticket is for the batch that its process is about to hand over, or has handed over. */
const isTicketUsed = ({ processes }: State, { ticketOf }: Kernel): boolean => {
  const process = processes[ticketOf - 1]
  return process !== undefined && (process.doing === "ticketed" || process.doing === "waiting" || process.stray > 0)
}

const packKernel = (state: State, kernel: Kernel, { put }: Packer): void => {
  const { leased, owner, ticketLeft, ticketOf } = kernel
  put(leased)
  put(isTicketUsed(state, kernel) ? ticketOf * 16 + ticketLeft : 0)
  put(owner)
}

const unpackKernel = ({ take }: Unpacker): Kernel => {
  const leased = take()
  const ticket = take()
  return { leased, ticketOf: ticket >> 4, ticketLeft: ticket & 15, owner: take() }
}

/** It lists before it acts on what it has seen. */
const seesNothing: ReadonlySet<Doing> = new Set([
  "off",
  "started",
  "watching",
  "dropping",
  "ready",
  "registering",
  "claiming",
  "confirming",
  "listing"
])

/** What nobody will ask for again is packed as nothing, so that states which differ in it only are one. */
const packProcess = (world: World, state: State, index: number, packer: Packer): void => {
  const { put } = packer
  const process = at(state.processes, index)
  const { doing, request } = process
  const isSent = request === "flying" || request === "applied"
  const isDated = isSent || doing === "watching"
  // What is older than X arms nothing, however old it is.
  const { handoversMax, times } = world.setting
  const useful = handoversMax > 0 ? times.longServe : times.serve
  const sent = isSent ? Math.min(useful, process.sent) : process.sent
  const flags = [
    process.sentReleased && isDated,
    process.isLong,
    process.sentLong && isDated,
    process.rIsLong,
    process.isLeaving,
    process.knowsNewest
  ]
  // A stray batch whose ticket is gone can never commit.
  const keepsStray = process.stray > 0 && (world.lacks("nonce-per-transaction") || mayCommit(world, state, index, true))
  put(doings.indexOf(doing) * 4 + requests.indexOf(request))
  put((doing === "off" && !isSent ? 0 : process.generation * 16) + (isDated ? sent : 0))
  put(Math.min(useful, process.r))
  putWide(packer, seesNothing.has(doing) ? 0 : process.view)
  // Nobody's view goes back but by a late event.
  put(world.setting.eventsAreLate ? process.floor : 0)
  put(process.batch * 16 + (keepsStray ? process.stray : 0))
  put(flags.reduce((bits, flag) => bits * 2 + number(flag), 0))
}

const unpackProcess = (unpacker: Unpacker): Process => {
  const { take } = unpacker
  const what = take()
  const dated = take()
  const r = take()
  const view = takeWide(unpacker)
  const floor = take()
  const batches = take()
  const flags = take()
  return {
    doing: at(doings, what >> 2),
    request: at(requests, what & 3),
    generation: dated >> 4,
    sent: dated & 15,
    r,
    view,
    floor,
    batch: batches >> 4,
    stray: batches & 15,
    sentReleased: (flags & 32) !== 0,
    isLong: (flags & 16) !== 0,
    sentLong: (flags & 8) !== 0,
    rIsLong: (flags & 4) !== 0,
    isLeaving: (flags & 2) !== 0,
    knowsNewest: (flags & 1) !== 0
  }
}

const leaseNumber = ({ boot, generation, isFenced, isLong, isReleased }: Omit<NodeLease, "writer">): number =>
  generation * 32 + boot * 8 + number(isReleased) * 4 + number(isFenced) * 2 + number(isLong)

const leaseFrom = (value: number): Omit<NodeLease, "writer"> => ({
  generation: value >> 5,
  boot: (value >> 3) & 3,
  isReleased: (value & 4) !== 0,
  isFenced: (value & 2) !== 0,
  isLong: (value & 1) !== 0
})

const packView = (world: World, view: LeaseView, { put }: Packer): void => {
  const needsCount = view.isNewest || world.lacks("R7") || world.lacks("fence-compare-and-set")
  put(leaseNumber(view))
  put(number(view.isNewest) * 128 + (needsCount && !view.isFenced ? view.quiet : 0))
}

const unpackView = ({ take }: Unpacker): LeaseView => {
  const lease = leaseFrom(take())
  const count = take()
  return { ...lease, isNewest: count >= 128, quiet: count & 127 }
}

const rankOf = (world: World, { leases, view }: Controller): number => {
  let rank = view
  for (const each of leases) {
    packView(world, each, {
      put: (value) => {
        rank = rank * 256 + value
      }
    })
  }
  return rank
}

/** The controllers are alike: which is which says nothing. In a trace they keep their names. */
const orderedControllers = (world: World, { controllers }: State): ReadonlyArray<Controller> => {
  const [first, second] = controllers
  if (world.setting.without !== undefined || first === undefined || second === undefined) return controllers
  return rankOf(world, first) <= rankOf(world, second) ? controllers : [second, first]
}

const pack = (world: World, state: State, packer: Packer): void => {
  for (const kernel of state.kernels) packKernel(state, kernel, packer)
  for (const index of state.processes.keys()) packProcess(world, state, index, packer)
  for (const lease of state.leases) {
    packer.put(leaseNumber(lease))
    packer.put(lease.writer)
  }
  putWide(packer, state.allocation)
  for (const { leases, view } of orderedControllers(world, state)) {
    for (const each of leases) packView(world, each, packer)
    putWide(packer, view)
  }
  packer.put(state.moves * 16 + state.handovers * 2 + number(state.isEpochBroken))
}

const unpack = ({ setting }: World, nodes: number, unpacker: Unpacker): State => {
  const { take } = unpacker
  const kernels = setting.machines.map(() => unpackKernel(unpacker))
  const processes = setting.processes.map(() => unpackProcess(unpacker))
  const leases = Array.from({ length: nodes }, () => ({ ...leaseFrom(take()), writer: take() }))
  const allocation = takeWide(unpacker)
  const controllers = Array.from({ length: setting.controllers }, () => {
    const views = Array.from({ length: nodes }, () => unpackView(unpacker))
    return { leases: views, view: takeWide(unpacker) }
  })
  const rest = take()
  return {
    kernels,
    processes,
    leases,
    allocation,
    controllers,
    moves: rest >> 4,
    handovers: (rest >> 1) & 7,
    isEpochBroken: (rest & 1) !== 0
  }
}

export const make = (setting: Setting): System<State> => {
  const world = worldOf(setting)
  const nodes = new Set(setting.machines.map(({ node }) => node)).size
  return {
    initial: initialOf(world),
    next: (state, emit) => {
      AgentLease.steps(world, state, emit)
      AgentKernel.steps(world, state, emit)
      ControllerSteps.steps(world, state, emit)
      Environment.steps(world, state, emit)
    },
    violated: (state) => Environment.violated(world, state),
    pack: (state, packer) => pack(world, state, packer),
    unpack: (unpacker) => unpack(world, nodes, unpacker)
  }
}
