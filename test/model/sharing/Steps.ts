/** What controllers and agents do with claims to one address. */
import type { Emit } from "../explorer/System.ts"
import type { SharingGuard } from "../Guard.ts"
import { controllerName, nodeName } from "../lease/Configuration.ts"
import { at } from "../lease/State.ts"
import { type Agent, type Claim, NODES, none, SERVICES, type Setting, type State } from "./State.ts"

export interface World {
  readonly setting: Setting
  readonly lacks: (guard: SharingGuard) => boolean
}

const serviceName = (service: number): string => `web-${service + 1}`
const services = Array.from({ length: SERVICES }, (_, index) => index)
const nodes = Array.from({ length: NODES }, (_, index) => index)

/** A write of one claim: whoever knew it knows an older version now. */
const written = (state: State, service: number, claim: Claim): State => ({
  ...state,
  claims: state.claims.with(service, claim),
  controllers: state.controllers.map((views) =>
    views.map((view, index) => (index === service ? { ...view, isNewest: false } : view))
  )
})

type ControllerSteps = (world: World, state: State, index: number, emit: Emit<State>) => void

const observing: ControllerSteps = (_world, state, index, emit) => {
  const views = at(state.controllers, index)
  for (const service of services) {
    if (at(views, service).isNewest) continue
    const seen = views.with(service, { claim: at(state.claims, service), isNewest: true })
    emit(`${controllerName(index)} sees the claim of ${serviceName(service)} as it is`, {
      ...state,
      controllers: state.controllers.with(index, seen)
    })
  }
}

/** A POST: it fails if there is one already; what other claims there are, the view tells. */
const creating: ControllerSteps = (world, state, index, emit) => {
  const { createdMax, mayShare } = world.setting
  if (state.created === createdMax) return
  const views = at(state.controllers, index)
  for (const service of services) {
    const other = at(views, 1 - service).claim
    if (at(state.claims, service).uid > 0 || at(views, service).claim.uid > 0) continue
    const uid = state.created + 1
    const create = (says: string, changes: Partial<Claim>) => {
      const isLabelled = !world.lacks("label-with-address")
      const next = written(state, service, { ...none, uid, isLabelled, ...changes })
      emit(`${controllerName(index)} creates the claim of ${serviceName(service)}${says}`, { ...next, created: uid })
    }
    if (other.uid === 0) for (const node of nodes) create(`, for ${nodeName(node)}`, { node })
    else if (mayShare && other.follows === 0 && !other.isLeaving) {
      create(`, which follows that of ${serviceName(1 - service)}`, { follows: other.uid })
    }
  }
}

/** By compare-and-set of the one claim; what the other is like may be old knowledge. */
const changing: ControllerSteps = (_world, state, index, emit) => {
  const views = at(state.controllers, index)
  const name = controllerName(index)
  for (const service of services) {
    const { claim, isNewest } = at(views, service)
    const other = at(views, 1 - service).claim
    if (!isNewest || claim.uid === 0 || claim.isLeaving) continue
    const title = `the claim of ${serviceName(service)}`
    if (!claim.isLabelled) emit(`${name} labels ${title}`, written(state, service, { ...claim, isLabelled: true }))
    // When the lead goes, a follower is first written with the same node.
    const isFollowed = other.uid > 0 && other.follows === claim.uid && !other.isLeaving
    if (!isFollowed) emit(`${name} withdraws ${title}`, written(state, service, { ...claim, isLeaving: true }))
    if (claim.follows > 0) {
      const targets = other.uid === claim.follows ? [other.node] : nodes
      for (const node of targets) {
        const lead = { ...claim, follows: 0, node }
        emit(`${name} makes ${title} lead, for ${nodeName(node)}`, written(state, service, lead))
      }
    } else if (state.moves > 0 && claim.previous < 0) {
      const moved = { ...claim, node: 1 - claim.node, previous: claim.node }
      const next = written(state, service, moved)
      emit(`${name} moves ${title} to ${nodeName(moved.node)}`, { ...next, moves: state.moves - 1 })
    }
  }
}

/** Whether another claim stands against serving for this one: a lead of its own that names another node (R8). */
const isRival = (other: Claim, claim: Claim): boolean =>
  other.uid > 0 &&
  other.isLabelled &&
  other.follows !== claim.uid &&
  (other.node !== claim.node || other.previous >= 0 || other.follows > 0)

const arming = (world: World, state: State, node: number, agent: Agent, emit: Emit<State>): void => {
  const agents = (changes: Partial<Agent>): State => ({
    ...state,
    agents: state.agents.with(node, { ...agent, ...changes })
  })
  for (const [service, claim] of state.claims.entries()) {
    const isMine = claim.uid > 0 && claim.follows === 0 && claim.node === node && !claim.isLeaving && claim.previous < 0
    const title = `the claim of ${serviceName(service)}`
    if (isMine && agent.checked === 0 && agent.serves[service] !== claim.uid) {
      const other = at(state.claims, 1 - service)
      const check = (says: string) => emit(`${nodeName(node)} ${says} ${title}`, agents({ checked: claim.uid }))
      if (world.lacks("R8")) check("does not look who else claims the address, and goes on with")
      else if (!isRival(other, claim)) check("lists by the address's label, and finds nobody against")
      else if (world.lacks("consistent-claims")) check("gets an old list, which has nobody against")
    }
    if (agent.checked > 0 && agent.checked === claim.uid) {
      const serves = agent.serves.with(service, claim.uid)
      emit(`${nodeName(node)} serves the address for ${title}`, agents({ serves, checked: 0 }))
    }
  }
}

/** The element goes only when no other claim on this node needs it; the acknowledgement comes after. */
const releasing = (_world: World, state: State, node: number, agent: Agent, emit: Emit<State>): void => {
  if (agent.checked > 0) return
  for (const [service, claim] of state.claims.entries()) {
    if (claim.uid === 0) continue
    const served = at(agent.serves, service)
    const isAsked = claim.previous === node || (claim.isLeaving && claim.node === node && claim.previous < 0)
    const title = `the claim of ${serviceName(service)}`
    if (!isAsked) continue
    if (served > 0) {
      const idle = { ...agent, serves: agent.serves.with(service, 0) }
      emit(`${nodeName(node)} serves no more for ${title}`, { ...state, agents: state.agents.with(node, idle) })
    } else {
      const after = claim.previous === node ? { ...claim, previous: -1 } : none
      emit(`${nodeName(node)} acknowledges that it let go of ${title}`, written(state, service, after))
    }
  }
}

/** A follower has no holder of its own: once it is withdrawn, nobody has to let go of anything. */
const forgetting = (state: State, emit: Emit<State>): void => {
  for (const [service, claim] of state.claims.entries()) {
    if (claim.uid === 0 || !claim.isLeaving || claim.follows === 0) continue
    emit(`the claim of ${serviceName(service)}, which only followed, is gone`, written(state, service, none))
  }
}

const unlabelling = (world: World, state: State, emit: Emit<State>): void => {
  if (!world.lacks("label-until-released")) return
  for (const [service, claim] of state.claims.entries()) {
    if (!claim.isLeaving || !claim.isLabelled) continue
    const bare = { ...claim, isLabelled: false }
    emit(`the label of the claim of ${serviceName(service)} goes`, written(state, service, bare))
  }
}

export const steps = (world: World, state: State, emit: Emit<State>): void => {
  for (const index of state.controllers.keys()) {
    observing(world, state, index, emit)
    creating(world, state, index, emit)
    changing(world, state, index, emit)
  }
  for (const [node, agent] of state.agents.entries()) {
    arming(world, state, node, agent, emit)
    releasing(world, state, node, agent, emit)
  }
  forgetting(state, emit)
  unlabelling(world, state, emit)
}
