/** What one exploration of the lease protocol has: machines, processes, controllers, times, and its bounds. */
import * as FailoverTimes from "../../../src/domain/FailoverTimes.ts"
import type { LeaseGuard } from "../Guard.ts"

/** In ticks of the clock that measures them. */
export interface Times {
  /** X: how long after r the kernel may serve. */
  readonly serve: number
  /** tau: life of a ticket. Its last instant belongs to it: a batch may still commit then. */
  readonly ticket: number
  /** L: how long a controller must see no change. */
  readonly quiet: number
  /** X and L while an agent is replaced in place. */
  readonly longServe: number
  readonly longQuiet: number
}

export interface Machine {
  readonly node: number
  /** Its lease never fails and is not modelled: what it was given it serves until it is asked to let go. */
  readonly isSteady: boolean
}

export interface Configuration {
  readonly machines: ReadonlyArray<Machine>
  /** The machine of each agent process that can run; two on one machine run side by side. */
  readonly processes: ReadonlyArray<number>
  readonly controllers: number
  readonly times: Times
  /** Every clock counts 1 or 2 in each step of time, as it likes: rho is 1/3. */
  readonly clocksDiffer: boolean
  /** An agent may give up a tool that hangs, whose batch may still be executed. */
  readonly toolsHang: boolean
  /** After its own acknowledgement an agent may still get older events of the watch. */
  readonly eventsAreLate: boolean
  /** An agent that is told to end lets go of everything and says so, as its node goes down; else it hands over. */
  readonly nodesShutDown: boolean
  /** Bounds: the highest generation of a hold id, the highest epoch, planned moves, handovers or shutdowns. */
  readonly generationMax: number
  readonly epochMax: number
  readonly movesMax: number
  readonly handoversMax: number
}

export interface Setting extends Configuration {
  readonly without: LeaseGuard | undefined
}

/** The least L, by the function that the program refuses to start with; one tick is one millisecond to it. */
export const quietFor = (serve: number, ticket: number, rateError: number): number =>
  FailoverTimes.leastQuietMillis({ serveMillis: serve, ticketMillis: ticket }, { rateError, latenessMillis: 0 })

export const timesOf = (serve: number, ticket: number, longServe: number, rateError = 0): Times => ({
  serve,
  ticket,
  quiet: quietFor(serve, ticket, rateError),
  longServe,
  longQuiet: quietFor(longServe, ticket, rateError)
})

export const nodeName = (node: number): string => `node-${node + 1}`

/** `node-1`, or `the other node-1` for another machine under that name. */
export const machineName = ({ machines }: Configuration, machine: number): string => {
  const node = machines[machine]?.node ?? 0
  const isSecond = machines.findIndex((each) => each.node === node) !== machine
  return isSecond ? `the other ${nodeName(node)}` : nodeName(node)
}

/** `node-1's agent`, or `node-1's second agent` beside it. */
export const processName = (configuration: Configuration, process: number): string => {
  const machine = configuration.processes[process] ?? 0
  const isSecond = configuration.processes.indexOf(machine) !== process
  return `${machineName(configuration, machine)}'s ${isSecond ? "second agent" : "agent"}`
}

export const controllerName = (controller: number): string => `controller-${controller + 1}`
