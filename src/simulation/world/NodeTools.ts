/**
 * The NodeNetwork port as one process of a simulated machine has it: each call is a child process that takes some
 * milliseconds, and before and after each change of the kernel the process may be killed.
 */
import { Effect, Stream } from "effect"
import type { FenceWrite } from "../../ports/KernelFence.ts"
import { NodeNetwork } from "../../ports/NodeNetwork.ts"
import type * as MemoryNodeNetwork from "../../memory/network/MemoryNodeNetwork.ts"
import type { Prng } from "../kernel/Prng.ts"
import type { Process } from "../kernel/Process.ts"

/** Told around each change of the kernel by a process, which may be killed just there. */
export interface Crossing {
  readonly before: (client: string, what: string) => void
  readonly after: (client: string, what: string) => void
}

/** What the tools need of their machine, in its present boot. */
export interface Surroundings {
  readonly network: MemoryNodeNetwork.Handle
  readonly random: Prng
  readonly toolMillisMax: number
  readonly crossing: () => Crossing | undefined
  /** A process has put a ticket into the kernel, and has not yet used it. */
  readonly onTicket: (by: string) => void
  readonly onChange: (by: string) => void
  /** What the kernel has leased may run out at another time than before. */
  readonly onLease: () => void
  readonly kernelMillis: () => number
}

/** The kernel is told what it has been told before, but for the time. */
const isRenewal = ({ kernelMillis, network }: Surroundings, { apart, leased, managed }: FenceWrite): boolean => {
  const state = network.fence.state(kernelMillis())
  const all = [...leased, ...(apart ?? [])]
  return state !== undefined && sameSet(state.leased, all) && sameSet(state.managed, managed)
}

/** How calls of one process go. */
const runningBy = (process: Process, { crossing, onChange, random, toolMillisMax }: Surroundings) => {
  const timed = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.andThen(
      Effect.suspend(() => Effect.sleep(random.between(2, toolMillisMax))),
      call
    )
  const unlessKilled = (body: () => void) =>
    Effect.suspend(() => {
      body()
      return process.isAlive ? Effect.void : Effect.never
    })
  const changing = <E>(what: string, call: Effect.Effect<void, E>): Effect.Effect<void, E> =>
    timed(unlessKilled(() => crossing()?.before(process.name, what))).pipe(
      Effect.andThen(call),
      Effect.tap(() => Effect.sync(() => onChange(process.name))),
      Effect.tap(() => unlessKilled(() => crossing()?.after(process.name, what)))
    )
  // Renewals are too many, and all alike, to count as places to fail.
  const renewing = <E>(call: Effect.Effect<void, E>) =>
    timed(Effect.tap(call, () => Effect.sync(() => onChange(process.name))))
  return { timed, changing, renewing }
}

export const portOf = (process: Process, machine: Surroundings): NodeNetwork["Service"] => {
  const { network } = machine.network
  const { changing, renewing, timed } = runningBy(process, machine)
  const leasing = <E>(call: Effect.Effect<void, E>) => Effect.tap(call, () => Effect.sync(machine.onLease))
  return NodeNetwork.of({
    state: timed(network.state),
    addAddress: (held) => changing(`add ${held.address}`, network.addAddress(held)),
    removeAddress: (held, prefixLength) =>
      changing(`remove ${held.address}`, network.removeAddress(held, prefixLength)),
    canSend: network.canSend,
    announce: (addresses, uplink) => timed(network.announce(addresses, uplink)),
    forgetFlows: (addresses) => timed(network.forgetFlows(addresses)),
    probe: (addresses, uplink) => timed(network.probe(addresses, uplink)),
    changes: network.changes.pipe(Stream.tap(() => Effect.yieldNow)),
    identity: network.identity,
    packetPath: network.packetPath,
    fence: {
      claim: (owner) => changing("claim the fence", network.fence.claim(owner)),
      putTicket: (ticket, lifeMillis) =>
        timed(
          Effect.tap(network.fence.putTicket(ticket, lifeMillis), () =>
            Effect.sync(() => machine.onTicket(process.name))
          )
        ),
      write: (write) => {
        const written = leasing(network.fence.write(write))
        return isRenewal(machine, write)
          ? renewing(written)
          : changing(`fence ${write.leased.length} of ${write.managed.length}`, written)
      },
      doubt: network.fence.doubt,
      renew: (renewal) => renewing(leasing(network.fence.renew(renewal))),
      state: timed(network.fence.state),
      remove: changing("remove the fence", network.fence.remove)
    }
  })
}

const sameSet = (left: ReadonlyArray<string>, right: ReadonlyArray<string>): boolean => {
  const known = new Set(left)
  return left.length === right.length && right.every((each) => known.has(each))
}
