/** Evidence and promises as a transition system: "kept" and "taken over" must never be true together. */
import type { Emit, Packer, System, Unpacker } from "../explorer/System.ts"
import { at } from "../lease/State.ts"
import type { Setting } from "./Configuration.ts"
import * as HolderSteps from "./HolderSteps.ts"
import * as LeaderSteps from "./LeaderSteps.ts"
import { bases, doings, machines, requests, rounds, type State, type Voter } from "./State.ts"
import type { World } from "./Steps.ts"

const less = (value: number): number => Math.max(0, value - 1)

/** For so long the kernel of a machine that goes on may answer: declared, since nothing on it can know better. */
const declaredTicks = ({ serve, ticket }: Setting): number => serve + ticket

const passed = ({ setting }: World, { holder, leader, voters, ...rest }: State): State => {
  const more = (value: number): number => Math.min(setting.quiet, value + 1)
  /** What is older than X arms nothing, however old it is. */
  const older = (value: number): number => Math.min(setting.serve, value + 1)
  const aged = {
    ...holder,
    leased: less(holder.leased),
    ticketLeft: less(holder.ticketLeft),
    r: older(holder.r),
    sent: older(holder.sent),
    asked: older(holder.asked)
  }
  const isStill = rest.machine === "still"
  const after = Math.min(declaredTicks(setting), rest.machineTicks + 1)
  return {
    ...rest,
    machineTicks: isStill ? rest.machineTicks - 1 : rest.machine === "after" ? after : rest.machineTicks,
    holder: isStill ? holder : aged,
    voters: voters.map((voter) => ({ ...voter, vouched: more(voter.vouched) })),
    leader: { ...leader, quiet: more(leader.quiet) }
  }
}

const initialOf = (setting: Setting): State => ({
  holder: {
    leased: setting.serve,
    ticketLeft: 0,
    doing: "idle",
    basis: "r",
    batch: 0,
    r: 0,
    request: "none",
    sent: 0,
    knowsNewest: true,
    list: 0,
    sentList: 0,
    isAsking: false,
    asked: 0
  },
  voters: Array.from({ length: setting.nodes - 1 }, () => ({
    hasVouched: false,
    vouched: setting.quiet,
    hasPromised: false,
    isClean: false,
    hasConfirmed: false,
    hasGiven: false
  })),
  isFenced: false,
  leaseList: 0,
  leader: { isNewest: true, quiet: 0, list: 0, round: "counting" },
  restarts: setting.restartsMax,
  machine: "before",
  machineTicks: setting.stillMax
})

/** One that stands still answers nobody. */
const isDeclared = (setting: Setting, { machine, machineTicks }: State): boolean =>
  machine === "still" || (machine === "after" && machineTicks < declaredTicks(setting))

const violatedIn =
  (setting: Setting) =>
  (state: State): string | undefined =>
    state.isFenced && state.holder.leased > 0 && !isDeclared(setting, state)
      ? "node-1's addresses may be taken over, and its kernel still answers for them"
      : undefined

const bits = (...flags: ReadonlyArray<boolean>): number => flags.reduce((value, flag) => value * 2 + (flag ? 1 : 0), 0)
const bit = (value: number, index: number): boolean => ((value >> index) & 1) === 1

const packVoter = (voter: Voter, { put }: Packer): void => {
  const { hasConfirmed, hasGiven, hasPromised, hasVouched, isClean, vouched } = voter
  put(vouched * 32 + bits(hasVouched, hasPromised, isClean, hasConfirmed, hasGiven))
}

const unpackVoter = ({ take }: Unpacker): Voter => {
  const value = take()
  return {
    vouched: value >> 5,
    hasVouched: bit(value, 4),
    hasPromised: bit(value, 3),
    isClean: bit(value, 2),
    hasConfirmed: bit(value, 1),
    hasGiven: bit(value, 0)
  }
}

/** What nobody will ask for again is packed as nothing. */
const pack = (state: State, packer: Packer): void => {
  const { put } = packer
  const { holder, leader } = state
  const isOpen = holder.request !== "none"
  put(holder.leased * 16 + holder.ticketLeft)
  put(
    doings.indexOf(holder.doing) * 64 + bases.indexOf(holder.doing === "idle" ? "r" : holder.basis) * 32 + holder.batch
  )
  put(holder.r * 16 + (isOpen ? holder.sent : 0))
  put(requests.indexOf(holder.request) * 64 + holder.list * 8 + (isOpen ? holder.sentList : 0))
  put((holder.isAsking ? holder.asked : 0) * 4 + bits(holder.knowsNewest, holder.isAsking))
  for (const voter of state.voters) packVoter(voter, packer)
  put(bits(state.isFenced, leader.isNewest) * 64 + rounds.indexOf(leader.round) * 16 + leader.quiet)
  put(state.leaseList * 64 + leader.list * 8 + state.restarts)
  put(machines.indexOf(state.machine) * 16 + state.machineTicks)
}

const unpack = (setting: Setting, unpacker: Unpacker): State => {
  const { take } = unpacker
  const kernel = take()
  const what = take()
  const ages = take()
  const write = take()
  const question = take()
  const voters = Array.from({ length: setting.nodes - 1 }, () => unpackVoter(unpacker))
  const count = take()
  const lists = take()
  const still = take()
  return {
    holder: {
      leased: kernel >> 4,
      ticketLeft: kernel & 15,
      doing: at(doings, what >> 6),
      basis: at(bases, (what >> 5) & 1),
      batch: what & 31,
      r: ages >> 4,
      sent: ages & 15,
      request: at(requests, write >> 6),
      list: (write >> 3) & 7,
      sentList: write & 7,
      asked: question >> 2,
      knowsNewest: bit(question, 1),
      isAsking: bit(question, 0)
    },
    voters,
    isFenced: bit(count, 7),
    leaseList: lists >> 6,
    leader: {
      isNewest: bit(count, 6),
      round: at(rounds, (count >> 4) & 3),
      quiet: count & 15,
      list: (lists >> 3) & 7
    },
    restarts: lists & 7,
    machine: at(machines, still >> 4),
    machineTicks: still & 15
  }
}

/** Once, for a bounded time. Nothing on the machine knows of it. */
const stopping = (state: State, emit: Emit<State>): void => {
  const { machine, machineTicks } = state
  if (machine === "before" && machineTicks > 0) {
    emit("node-1's machine stands still with its clock", { ...state, machine: "still" })
  }
  if (machine === "still") emit("node-1's machine goes on", { ...state, machine: "after", machineTicks: 0 })
}

export const make = (setting: Setting): System<State> => {
  const world: World = { setting, lacks: (guard) => setting.without === guard }
  return {
    initial: initialOf(setting),
    next: (state, emit) => {
      HolderSteps.steps(world, state, emit)
      LeaderSteps.steps(world, state, emit)
      stopping(state, emit)
      const isStill = state.machine === "still"
      if (!isStill) emit("time passes: 1 tick", passed(world, state))
      else if (state.machineTicks > 0) emit("time passes for all others: 1 tick", passed(world, state))
    },
    violated: violatedIn(setting),
    pack,
    unpack: (unpacker) => unpack(setting, unpacker)
  }
}
