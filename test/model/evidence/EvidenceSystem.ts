/** Evidence and promises as a transition system: "kept" and "taken over" must never be true together. */
import type { Packer, System, Unpacker } from "../explorer/System.ts"
import { at } from "../lease/State.ts"
import type { Setting } from "./Configuration.ts"
import * as HolderSteps from "./HolderSteps.ts"
import * as LeaderSteps from "./LeaderSteps.ts"
import { bases, doings, requests, rounds, type State, type Voter } from "./State.ts"
import type { World } from "./Steps.ts"

const less = (value: number): number => Math.max(0, value - 1)

const passed = ({ setting }: World, { holder, leader, voters, ...rest }: State): State => {
  const more = (value: number): number => Math.min(setting.quiet, value + 1)
  /** What is older than X arms nothing, however old it is. */
  const older = (value: number): number => Math.min(setting.serve, value + 1)
  return {
    ...rest,
    holder: {
      ...holder,
      leased: less(holder.leased),
      ticketLeft: less(holder.ticketLeft),
      r: older(holder.r),
      sent: older(holder.sent),
      asked: older(holder.asked)
    },
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
    hasConfirmed: false
  })),
  isFenced: false,
  leaseList: 0,
  leader: { isNewest: true, quiet: 0, list: 0, round: "counting" },
  restarts: setting.restartsMax
})

const violated = ({ holder, isFenced }: State): string | undefined =>
  isFenced && holder.leased > 0
    ? "node-1's addresses may be taken over, and its kernel still answers for them"
    : undefined

const bits = (...flags: ReadonlyArray<boolean>): number => flags.reduce((value, flag) => value * 2 + (flag ? 1 : 0), 0)
const bit = (value: number, index: number): boolean => ((value >> index) & 1) === 1

const packVoter = ({ hasConfirmed, hasPromised, hasVouched, isClean, vouched }: Voter, { put }: Packer): void =>
  put(vouched * 16 + bits(hasVouched, hasPromised, isClean, hasConfirmed))

const unpackVoter = ({ take }: Unpacker): Voter => {
  const value = take()
  return {
    vouched: value >> 4,
    hasVouched: bit(value, 3),
    hasPromised: bit(value, 2),
    isClean: bit(value, 1),
    hasConfirmed: bit(value, 0)
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
    restarts: lists & 7
  }
}

export const make = (setting: Setting): System<State> => {
  const world: World = { setting, lacks: (guard) => setting.without === guard }
  return {
    initial: initialOf(setting),
    next: (state, emit) => {
      HolderSteps.steps(world, state, emit)
      LeaderSteps.steps(world, state, emit)
      emit("time passes: 1 tick", passed(world, state))
    },
    violated,
    pack,
    unpack: (unpacker) => unpack(setting, unpacker)
  }
}
