/**
 * What is explored: parts of the protocol, each by itself and within its stated bound. Together in one system they would
 * be too many states to see; what crosses the parts is the simulator's (docs/simulation.md).
 */
import { type Bounds, type Exploration, explore } from "./explorer/Explorer.ts"
import type { Configuration as EvidenceConfiguration } from "./evidence/Configuration.ts"
import * as EvidenceSystem from "./evidence/EvidenceSystem.ts"
import type { EvidenceGuard, Guard, LeaseGuard, SharingGuard } from "./Guard.ts"
import { type Configuration as LeaseConfiguration, timesOf } from "./lease/Configuration.ts"
import * as LeaseSystem from "./lease/LeaseSystem.ts"
import * as SharingSystem from "./sharing/SharingSystem.ts"
import type { Configuration as SharingConfiguration } from "./sharing/State.ts"

/** "small": also by `npm test`, completely. "large": by `npm run model` alone. */
export type Size = "small" | "large"

interface Part<G extends Guard> {
  readonly name: string
  readonly size: Size
  readonly says: string
  /** What is bounded besides the numbers of nodes, agents and controllers. */
  readonly bound: string
  readonly explore: (without: G | undefined, bounds: Bounds) => Exploration
}

export type Configuration =
  | ({ readonly of: "lease" } & Part<LeaseGuard>)
  | ({ readonly of: "evidence" } & Part<EvidenceGuard>)
  | ({ readonly of: "sharing" } & Part<SharingGuard>)

/** A node whose lease is modelled, and one that renews for ever. */
const counted = (node: number) => ({ node, isSteady: false })
const steady = (node: number) => ({ node, isSteady: true })

/** X = 2 and tau = 1 ticks, hence L = 3: exactly what the inequality asks for. */
const base: LeaseConfiguration = {
  machines: [counted(0), steady(1)],
  processes: [0, 1],
  controllers: 2,
  times: timesOf(2, 1, 4),
  clocksDiffer: false,
  toolsHang: false,
  eventsAreLate: false,
  nodesShutDown: false,
  generationMax: 2,
  epochMax: 3,
  movesMax: 1,
  handoversMax: 0
}

const boundOf = (configuration: LeaseConfiguration): string => {
  const { clocksDiffer, epochMax, generationMax, handoversMax, movesMax, nodesShutDown, times } = configuration
  const hasLong = handoversMax > 0 && !nodesShutDown
  return [
    `X ${times.serve}, tau ${times.ticket}, L ${times.quiet}`,
    ...(hasLong ? [`long X ${times.longServe}, long L ${times.longQuiet}`] : []),
    ...(clocksDiffer ? ["rho 1/3"] : []),
    `${generationMax - 1} new hold ids`,
    `${epochMax - 1} new epochs`,
    `${movesMax} planned moves`,
    ...(handoversMax > 0 ? [nodesShutDown ? `${handoversMax} shutdown` : `${handoversMax} handover`] : [])
  ].join(", ")
}

/** `statesMax`: it cannot be seen completely; the search ends there unless more is asked for, and the table says so. */
const lease = (
  name: string,
  size: Size,
  says: string,
  { statesMax, ...changes }: Partial<LeaseConfiguration> & Bounds
): Configuration => {
  const configuration = { ...base, ...changes }
  const { longServe, serve, ticket } = configuration.times
  return {
    of: "lease",
    name,
    size,
    says,
    bound: boundOf(configuration),
    explore: (without, bounds) => {
      const times = without === "clock-rates" ? timesOf(serve, ticket, longServe) : configuration.times
      const system = LeaseSystem.make({ ...configuration, times, without })
      return explore(system, { ...bounds, statesMax: bounds.statesMax ?? statesMax })
    }
  }
}

const evidence = (name: string, size: Size, says: string, changes: Partial<EvidenceConfiguration>): Configuration => {
  const configuration: EvidenceConfiguration = {
    nodes: 3,
    lists: [[0, 1, 2]],
    serve: 2,
    ticket: 1,
    quiet: base.times.quiet,
    restartsMax: 1,
    stillMax: 0,
    ...changes
  }
  const { quiet, restartsMax, serve, stillMax, ticket } = configuration
  return {
    of: "evidence",
    name,
    size,
    says,
    bound:
      `X ${serve}, tau ${ticket}, L = V ${quiet}, ${restartsMax} restarts of voters` +
      (stillMax === 0 ? "" : `, stands still for at most ${stillMax}`),
    explore: (without, bounds) => explore(EvidenceSystem.make({ ...configuration, without }), bounds)
  }
}

const sharing = (name: string, size: Size, says: string, changes: Partial<SharingConfiguration>): Configuration => {
  const configuration = { controllers: 2, mayShare: true, createdMax: 3, movesMax: 1, ...changes }
  return {
    of: "sharing",
    name,
    size,
    says,
    bound: `${configuration.createdMax} claims ever created, ${configuration.movesMax} planned moves`,
    explore: (without, bounds) => explore(SharingSystem.make({ ...configuration, without }), bounds)
  }
}

export const configurations: ReadonlyArray<Configuration> = [
  lease("base-small", "small", "one controller, two nodes: pauses, crashes, losses, a takeover", {
    controllers: 1,
    epochMax: 2,
    movesMax: 0
  }),
  lease("controllers", "small", "two controllers, two nodes: a takeover, and back again", {
    times: timesOf(1, 1, 2),
    movesMax: 0
  }),
  lease("base", "large", "two controllers, two nodes: pauses, crashes, losses, takeovers, moves", {}),
  lease("both-nodes", "large", "one controller, two nodes that may both fail", {
    machines: [counted(0), counted(1)],
    controllers: 1,
    times: timesOf(1, 1, 2),
    movesMax: 0,
    statesMax: 4_000_000
  }),
  lease("restarts-small", "large", "two agents on one node beside each other, a planned move", {
    processes: [0, 0, 1],
    controllers: 1,
    generationMax: 1,
    epochMax: 2,
    times: timesOf(1, 1, 2)
  }),
  lease("restarts", "large", "two agents on one node beside each other, takeovers, a planned move", {
    processes: [0, 0, 1],
    controllers: 1,
    statesMax: 12_000_000
  }),
  lease("tools", "large", "tools that hang and go on after the agent has given them up, or has died", {
    controllers: 1,
    toolsHang: true
  }),
  lease("tools-two", "large", "the same with two agents on one node, and no takeover", {
    processes: [0, 0, 1],
    controllers: 1,
    times: timesOf(1, 1, 2),
    toolsHang: true,
    generationMax: 1,
    epochMax: 2
  }),
  lease("moves", "small", "planned moves among nodes that live, and events of a watch that come late", {
    machines: [steady(0), steady(1)],
    eventsAreLate: true,
    epochMax: 4,
    movesMax: 3
  }),
  lease("moves-three", "large", "planned moves among three nodes that live", {
    machines: [steady(0), steady(1), steady(2)],
    processes: [0, 1, 2],
    controllers: 1,
    eventsAreLate: true,
    epochMax: 4,
    movesMax: 3
  }),
  lease("twin", "large", "another machine under the same node name", {
    machines: [counted(0), counted(0)],
    controllers: 1,
    movesMax: 0
  }),
  lease("handover", "large", "an agent is replaced in place, beside crashes and a takeover", {
    processes: [0, 0, 1],
    controllers: 1,
    times: timesOf(1, 1, 2),
    generationMax: 1,
    epochMax: 2,
    movesMax: 0,
    handoversMax: 1
  }),
  lease("shutdown", "large", "two agents on one node beside each other, of which one is told that the node goes down", {
    processes: [0, 0, 1],
    controllers: 1,
    times: timesOf(1, 1, 2),
    generationMax: 1,
    epochMax: 2,
    movesMax: 0,
    handoversMax: 1,
    nodesShutDown: true
  }),
  lease("rates", "small", "clocks at different rates, which change as they like: the node's and the controller's", {
    controllers: 1,
    clocksDiffer: true,
    times: timesOf(2, 1, 4, 1 / 3),
    epochMax: 2,
    movesMax: 0
  }),
  evidence("evidence-small", "small", "three nodes, all voters of one, none of which restarts", { restartsMax: 0 }),
  evidence("evidence", "large", "three nodes, all voters of one: evidence, promises, a list that stays", {}),
  evidence("voters", "large", "three nodes, a list of two voters that is changed", {
    lists: [
      [0, 1],
      [0, 2]
    ]
  }),
  evidence("frozen", "large", "three nodes, all voters of one, whose machine stands still with its clock for a while", {
    restartsMax: 0,
    stillMax: 4
  }),
  sharing("sharing-small", "small", "two controllers create claims of two Services to one address", { createdMax: 2 }),
  sharing("sharing", "large", "two controllers, two Services that share an address, leads that go", {})
]
