/**
 * A machine of the simulation: a kernel with its interfaces, a cable, power, and processes. What the kernel holds is gone
 * with a boot; a process that dies leaves it as it is.
 */
import { Effect, Result, Stream } from "effect"
import * as Address from "../../domain/Address.ts"
import { hostPrefixLength } from "../../domain/HostAddress.ts"
import * as MemoryNodeNetwork from "../../memory/network/MemoryNodeNetwork.ts"
import { NodeNetwork } from "../../ports/NodeNetwork.ts"
import type { Kernel } from "../kernel/Kernel.ts"
import type { Process } from "../kernel/Process.ts"
import type { Prng } from "../kernel/Prng.ts"

export interface HostEvents {
  /** The kernel may hold other addresses than before, or answer when it did not, or the reverse. */
  readonly onKernel: (host: Host, by: string) => void
  readonly onAnnouncement: (host: Host, address: Address.Address) => void
}

const parse = (text: string): Address.Address => Result.getOrThrow(Address.parse(text))

export class Host {
  readonly name: string
  readonly address: Address.Address
  network: MemoryNodeNetwork.Handle
  isOn = true
  isOnLan = true
  /** The whole virtual machine stands still. */
  isFrozen = false
  bootNumber = 1
  readonly processes = new Set<Process>()
  private readonly number: number
  private readonly events: HostEvents
  private readonly kernel: Kernel
  private readonly random: Prng

  constructor(number: number, kernel: Kernel, events: HostEvents) {
    this.number = number
    this.name = `node-${number}`
    this.address = parse(`10.0.${number >> 8}.${number & 0xff}`)
    this.events = events
    this.kernel = kernel
    this.random = kernel.random.fork(`host ${number}`)
    this.network = this.newNetwork()
  }

  /** Whether what reaches it on the segment is answered by its kernel. */
  get answers(): boolean {
    return this.isOn && this.isOnLan && !this.isFrozen && this.isUplinkUp
  }

  /** Addresses for one host each that are on an interface, but the machine's own; with the interface. */
  held(): ReadonlyMap<string, string> {
    const held = new Map<string, string>()
    for (const { addresses, name } of this.network.state().interfaces) {
      for (const { address, prefixLength } of addresses) {
        if (prefixLength === hostPrefixLength(address) && address !== this.address) held.set(address, name)
      }
    }
    return held
  }

  /** Changes the kernel from outside of our programs. */
  meddle(by: string, change: (network: MemoryNodeNetwork.Handle) => void): void {
    change(this.network)
    this.events.onKernel(this, by)
  }

  setOnLan(isOnLan: boolean): void {
    this.isOnLan = isOnLan
    this.events.onKernel(this, "cable")
  }

  setFrozen(isFrozen: boolean): void {
    this.isFrozen = isFrozen
    for (const process of this.processes) {
      if (isFrozen) process.pause(true)
      else process.resume()
    }
    this.events.onKernel(this, "hypervisor")
  }

  powerOff(): void {
    this.isOn = false
    this.network = this.newNetwork()
    this.events.onKernel(this, "power loss")
  }

  powerOn(): void {
    this.isOn = true
    this.isFrozen = false
    this.bootNumber++
    this.network = this.newNetwork()
    this.events.onKernel(this, "boot")
  }

  /** The port as a process of this machine has it: each call is a child process that takes some milliseconds. */
  portFor(process: Process): NodeNetwork["Service"] {
    const { network } = this.network
    const timed = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.andThen(
        Effect.suspend(() => Effect.sleep(this.random.between(2, 6))),
        call
      )
    const changing = <E>(call: Effect.Effect<void, E>): Effect.Effect<void, E> =>
      timed(Effect.tap(call, () => Effect.sync(() => this.events.onKernel(this, process.name))))
    return NodeNetwork.of({
      state: timed(network.state),
      addAddress: (held) => changing(network.addAddress(held)),
      removeAddress: (held, prefixLength) => changing(network.removeAddress(held, prefixLength)),
      announce: (addresses, uplink) => timed(network.announce(addresses, uplink)),
      changes: network.changes.pipe(Stream.tap(() => Effect.yieldNow)),
      identity: network.identity
    })
  }

  get nowMillis(): number {
    return this.kernel.nowMillis
  }

  private get isUplinkUp(): boolean {
    return this.network.state().interfaces.some(({ name, up }) => name === "eth0" && up)
  }

  private newNetwork(): MemoryNodeNetwork.Handle {
    return MemoryNodeNetwork.make({
      interfaces: [
        {
          name: "eth0",
          mac: macOf(this.number),
          addresses: [{ address: this.address, prefixLength: 16, scope: "global" }]
        },
        { name: "pl0", kind: "bridge" }
      ],
      defaultRoutes: [{ interfaceName: "eth0", metric: 100 }],
      identity: { bootId: `boot-${this.number}-${this.bootNumber}`, systemUuid: `machine-${this.number}` },
      onAnnouncement: ({ address }) => this.events.onAnnouncement(this, address)
    })
  }
}

/** Locally administered; one per machine. */
const macOf = (number: number): string =>
  `02:00:00:01:${(number >> 8).toString(16).padStart(2, "0")}:${(number & 0xff).toString(16).padStart(2, "0")}`
