/**
 * The leader: it counts L, gathers promises, has them confirmed, and fences by compare-and-set. An answer that is late is
 * a leader that goes on later, so answers do not fly.
 */
import { at } from "../lease/State.ts"
import * as Witness from "../../../src/domain/Witness.ts"
import type { State, Voter } from "./State.ts"
import { nameOf, type Steps, votersOf, whoSay, type World } from "./Steps.ts"

const nothingPromised = { hasPromised: false, isClean: false, hasConfirmed: false }

const withLeader = (state: State, changes: Partial<State["leader"]>): State => ({
  ...state,
  leader: { ...state.leader, ...changes }
})

const isEnough = (world: World, state: State, says: (voter: Voter) => boolean): boolean =>
  Witness.isPromised(votersOf(world, state.leader.list), nameOf(0), new Set(whoSay(state, says)))

/** Another version drops the round: what was promised belongs to the version that was seen then. */
const observing: Steps = (world, state, emit) => {
  if (state.leader.isNewest) return
  const seen = { isNewest: true, quiet: 0, list: state.leaseList }
  if (world.lacks("round-of-one-version")) return emit("the leader sees the lease renewed", withLeader(state, seen))
  const voters = state.voters.map((voter) => ({ ...voter, ...nothingPromised }))
  emit("the leader sees the lease renewed", withLeader({ ...state, voters }, { ...seen, round: "counting" }))
}

const promising: Steps = (world, state, emit) => {
  const { leader, voters } = state
  const isDue = leader.quiet >= world.setting.quiet
  if (leader.round === "counting" && isDue) {
    emit("the leader has seen no change for L, and asks for promises", withLeader(state, { round: "first" }))
  }
  for (const [index, voter] of voters.entries()) {
    if (!at(world.setting.lists, leader.list).includes(index + 1)) continue
    const answer = (says: string, changes: Partial<Voter>) =>
      emit(says, { ...state, voters: voters.with(index, { ...voter, ...changes }) })
    const within = world.lacks("full-V") ? world.setting.quiet - 1 : world.setting.quiet
    if (leader.round === "first" && !voter.hasPromised && voter.vouched >= within) {
      answer(`node-${index + 2} answers that it has not vouched for node-1 within V`, {
        hasPromised: true,
        isClean: true
      })
    }
    if (leader.round === "second" && voter.hasPromised && voter.isClean && !voter.hasConfirmed) {
      answer(`node-${index + 2} confirms that it has not vouched since`, { hasConfirmed: true, hasGiven: true })
    }
  }
  if (leader.round === "first" && isEnough(world, state, ({ hasPromised }) => hasPromised)) {
    emit("the leader has half of the list, and asks these again", withLeader(state, { round: "second" }))
  }
}

const isPromised = (world: World, state: State): boolean => {
  if (world.lacks("R12")) return true
  if (world.lacks("confirming-round")) return isEnough(world, state, ({ hasPromised }) => hasPromised)
  return isEnough(world, state, ({ hasConfirmed }) => hasConfirmed)
}

const fencing: Steps = (world, state, emit) => {
  const { leader } = state
  if (state.isFenced || !leader.isNewest || leader.quiet < world.setting.quiet) return
  if (!isPromised(world, state)) return
  const refused = state.holder.request === "flying" ? "none" : state.holder.request
  emit("the leader fences node-1's hold id, and others may take its addresses", {
    ...state,
    isFenced: true,
    holder: { ...state.holder, knowsNewest: false, request: refused }
  })
}

/** A restarted voter counts as one that has vouched for everybody at its start. */
const restarting: Steps = (world, state, emit) => {
  if (state.restarts === 0) return
  for (const [index, voter] of state.voters.entries()) {
    const vouched = world.lacks("voter-restarts") ? world.setting.quiet : 0
    const isClean = voter.isClean && world.lacks("voter-restarts")
    const restarted = { ...voter, vouched, isClean, hasGiven: false }
    emit(`node-${index + 2}'s agent restarts`, {
      ...state,
      voters: state.voters.with(index, restarted),
      restarts: state.restarts - 1
    })
  }
}

export const steps: Steps = (world, state, emit) => {
  if (!state.isFenced) {
    observing(world, state, emit)
    promising(world, state, emit)
    fencing(world, state, emit)
  }
  restarting(world, state, emit)
}
