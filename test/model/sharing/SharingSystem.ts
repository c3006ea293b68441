/** Claims of several Services to one address as a transition system. */
import type { Packer, System, Unpacker } from "../explorer/System.ts"
import { nodeName } from "../lease/Configuration.ts"
import { type Claim, NODES, none, SERVICES, type Setting, type State } from "./State.ts"
import { steps, type World } from "./Steps.ts"

const violated = ({ agents }: State): string | undefined => {
  const serving = agents.flatMap(({ serves }, node) => (serves.some((uid) => uid > 0) ? [nodeName(node)] : []))
  return serving.length < 2 ? undefined : `192.0.2.10 is served by ${serving.join(" and by ")}`
}

const packClaim = (claim: Claim, { put }: Packer): void => {
  put(claim.uid * 16 + claim.follows)
  put((claim.previous + 1) * 32 + claim.node * 8 + (claim.isLeaving ? 2 : 0) + (claim.isLabelled ? 1 : 0))
}

const unpackClaim = ({ take }: Unpacker): Claim => {
  const ids = take()
  const rest = take()
  return {
    uid: ids >> 4,
    follows: ids & 15,
    previous: (rest >> 5) - 1,
    node: (rest >> 3) & 3,
    isLeaving: (rest & 2) !== 0,
    isLabelled: (rest & 1) !== 0
  }
}

const pack = (state: State, packer: Packer): void => {
  const { put } = packer
  for (const claim of state.claims) packClaim(claim, packer)
  for (const { checked, serves } of state.agents) {
    for (const uid of serves) put(uid)
    put(checked)
  }
  for (const views of state.controllers) {
    for (const { claim, isNewest } of views) {
      packClaim(claim, packer)
      put(isNewest ? 1 : 0)
    }
  }
  put(state.created * 16 + state.moves)
}

const many = <A>(count: number, make: () => A): ReadonlyArray<A> => Array.from({ length: count }, make)

const unpack = (controllers: number, unpacker: Unpacker): State => {
  const { take } = unpacker
  const claims = many(SERVICES, () => unpackClaim(unpacker))
  const agents = many(NODES, () => ({ serves: many(SERVICES, take), checked: take() }))
  const views = () => many(SERVICES, () => ({ claim: unpackClaim(unpacker), isNewest: take() === 1 }))
  const known = many(controllers, views)
  const rest = take()
  return { claims, agents, controllers: known, created: rest >> 4, moves: rest & 15 }
}

export const make = (setting: Setting): System<State> => {
  const world: World = { setting, lacks: (guard) => setting.without === guard }
  const nothing = Array.from({ length: SERVICES }, () => none)
  return {
    initial: {
      claims: nothing,
      agents: Array.from({ length: NODES }, () => ({ serves: nothing.map(() => 0), checked: 0 })),
      controllers: Array.from({ length: setting.controllers }, () =>
        nothing.map((claim) => ({ claim, isNewest: true }))
      ),
      created: 0,
      moves: setting.movesMax
    },
    next: (state, emit) => steps(world, state, emit),
    violated,
    pack,
    unpack: (unpacker) => unpack(setting.controllers, unpacker)
  }
}
