/**
 * A machine of the simulation: a kernel with its interfaces, a cable, power, and processes. What the kernel holds is gone
 * with a boot; a process that dies leaves it as it is.
 */
import { Result } from "effect"
import { once } from "../../api/Once.ts"
import * as Address from "../../domain/Address.ts"
import { hostPrefixLength } from "../../domain/HostAddress.ts"
import * as MemoryNodeNetwork from "../../memory/network/MemoryNodeNetwork.ts"
import type { NetworkState, NodeNetwork } from "../../ports/NodeNetwork.ts"
import { profiles } from "../../domain/FailoverTimes.ts"
import type { Ending } from "../../operator/Parts.ts"
import type { Timer } from "../kernel/TimerHeap.ts"
import type { Kernel } from "../kernel/Kernel.ts"
import type { Process } from "../kernel/Process.ts"
import type { Prng } from "../kernel/Prng.ts"
import * as NodeTools from "./NodeTools.ts"

export interface HostEvents {
  /** The kernel may hold other addresses than before, or answer when it did not, or the reverse. */
  readonly onKernel: (host: Host, by: string) => void
  readonly onAnnouncement: (host: Host, address: Address.Address) => void
  /** Hardware addresses of who answers it on the segment. */
  readonly onProbe: (host: Host, address: Address.Address) => ReadonlyArray<string>
}

/** Of an address that was written by a program. */
export const parse = (text: string): Address.Address => Result.getOrThrow(Address.parse(text))

/** Of 203.0.113.0/24 only the lower half: Services ask for some of the upper. */
const foreignAddressOf = (number: number) => parse(`203.0.${113 + (number >> 7)}.${number & 0x7f}`)

const uplink = "eth0"

/** What a process does that was stopped between its look at the clock and what it does by that. */
const stepMillis = 300
/**
 * For so long at least a machine that was frozen serves by a lease that has run out meanwhile, or takes it for its own: X and
 * the life of a ticket. Longer if its kernel had been given a longer lease, for a handover. A declared limit.
 */
const thawMillisMin = profiles.default.serveMillis + profiles.default.ticketMillis

export class Host {
  readonly name: string
  readonly address: Address.Address
  network: MemoryNodeNetwork.Handle
  isOn = true
  /** What the segment sends reaches it, and what it sends reaches the segment. */
  isHearing = true
  isHeard = true
  /** The whole virtual machine stands still. */
  isFrozen = false
  private thawedUntilMillis = Number.NEGATIVE_INFINITY
  private frozenAtMillis = 0
  /** For how long it stood still so far: by so much its kernel's clock is behind. */
  private stoodStillMillis = 0
  bootNumber = 1
  crossing: NodeTools.Crossing | undefined
  /** Told when a process has put a ticket into the kernel, and has not yet used it. */
  onTicket: ((by: string) => void) | undefined
  /** What becomes of an operator that is asked to end. */
  ending: Ending = "unknown"
  private expiry: Timer | undefined
  /** The kernel is looked at with each renewal of its lease, and changes far less often. */
  private readonly lookAt = once((state: NetworkState) => ({
    held: heldIn(state, this.address),
    interfaces: new Set(state.interfaces.flatMap(({ name, up }) => (up ? [name] : []))),
    own: ownIn(state, this.address)
  }))
  readonly processes = new Set<Process>()
  readonly number: number
  private readonly events: HostEvents
  private readonly kernel: Kernel
  private readonly random: Prng
  /** A child process takes 3 to 19 ms on an idle machine (measured), and more on a busy one. */
  private readonly toolMillisMax: number

  constructor(number: number, kernel: Kernel, events: HostEvents) {
    this.number = number
    this.name = `node-${number}`
    this.address = parse(`10.0.${number >> 8}.${number & 0xff}`)
    this.events = events
    this.kernel = kernel
    this.random = kernel.random.fork(`host ${number}`)
    this.toolMillisMax = this.random.pick([6, 6, 30]) ?? 6
    this.network = this.newNetwork()
  }

  get mac(): string {
    return macOf(this.number)
  }

  get bootId(): string {
    return `boot-${this.number}-${this.bootNumber}`
  }

  /** Whether what reaches it on the segment is answered by its kernel. */
  get answers(): boolean {
    return this.isOn && this.isOnLan && !this.isFrozen && this.isUplinkUp
  }

  get isOnLan(): boolean {
    return this.isHearing && this.isHeard
  }

  /** Whether a frame of its own reaches the segment. */
  get announces(): boolean {
    return this.isOn && this.isHeard && !this.isFrozen && this.isUplinkUp
  }

  /** Whether its kernel's clock may be behind the lease that was earned before it stood still. */
  get isThawing(): boolean {
    return this.isFrozen || this.nowMillis <= this.thawedUntilMillis
  }

  /** False: nothing keeps it from answering for what lies on its interfaces. */
  get hasFence(): boolean {
    return this.network.fence.isFilled
  }

  /** Addresses on its interfaces for which its kernel answers what comes from the segment. */
  answered(): ReadonlySet<string> {
    if (!this.answers) return new Set()
    const { fence } = this.network
    const { kernelMillis } = this
    const answered = new Set<string>()
    for (const each of this.held().keys()) if (!fence.blocks(each, uplink, kernelMillis)) answered.add(each)
    return answered
  }

  /** Whether a program of it may be sending what it decided before it was stopped, or by a clock that stood still. */
  get wasStopped(): boolean {
    const isRecent = (sinceMillis: number, withinMillis: number) => this.nowMillis - sinceMillis <= withinMillis
    const isStepLate = [...this.processes].some(({ resumedMillis }) => isRecent(resumedMillis, stepMillis))
    return isStepLate || this.isThawing
  }

  /** Whether a frame on the segment reaches it. */
  get hears(): boolean {
    return this.isOn && this.isHearing && !this.isFrozen && this.isUplinkUp
  }

  /** Addresses for one host each that are on an interface, but the machine's own; with the interface. */
  held(): ReadonlyMap<Address.Address, string> {
    return this.lookAt(this.network.state()).held
  }

  /** Interfaces that are up. */
  interfaces(): ReadonlySet<string> {
    return this.lookAt(this.network.state()).interfaces
  }

  /** The machine's own: its interfaces, and the addresses that name more than one host or are its own. */
  own(): string {
    return this.lookAt(this.network.state()).own
  }

  /** Changes the kernel from outside of our programs. */
  meddle(by: string, change: (network: MemoryNodeNetwork.Handle) => void): void {
    change(this.network)
    this.events.onKernel(this, by)
  }

  setOnLan(isOnLan: boolean): void {
    this.setLan(isOnLan, isOnLan)
  }

  /** A cable or a switch may fail in one direction only. */
  setLan(isHearing: boolean, isHeard: boolean): void {
    this.isHearing = isHearing
    this.isHeard = isHeard
    this.events.onKernel(this, "cable")
  }

  setFrozen(isFrozen: boolean): void {
    if (this.isFrozen === isFrozen) return
    this.isFrozen = isFrozen
    if (isFrozen) this.frozenAtMillis = this.nowMillis
    else {
      this.stoodStillMillis += this.nowMillis - this.frozenAtMillis
      // Before any process goes on: a lease that one of them writes from now on excuses nothing.
      const leftMillis = this.expiriesMillis().map((atMillis) => atMillis - this.kernelMillis)
      this.thawedUntilMillis = this.nowMillis + Math.max(thawMillisMin, ...leftMillis)
      this.awaitExpiry()
    }
    for (const process of this.processes) {
      if (isFrozen) process.freeze()
      else process.unfreeze()
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
    this.ending = "unknown"
    this.bootNumber++
    this.network = this.newNetwork()
    this.events.onKernel(this, "boot")
  }

  /** The port as a process of this machine has it. */
  portFor(process: Process): NodeNetwork["Service"] {
    return NodeTools.portOf(process, {
      network: this.network,
      random: this.random,
      toolMillisMax: this.toolMillisMax,
      crossing: () => this.crossing,
      onTicket: (by) => this.onTicket?.(by),
      onChange: (by) => this.events.onKernel(this, by),
      onLease: () => this.awaitExpiry(),
      kernelMillis: () => this.kernelMillis
    })
  }

  /** Looks at the kernel again when what it has leased runs out, by its own clock. */
  private awaitExpiry(): void {
    if (this.expiry !== undefined) this.kernel.clearTimer(this.expiry)
    const { network } = this
    const expiries = this.expiriesMillis()
    if (expiries.length === 0) return
    this.expiry = this.kernel.setTimer(Math.min(...expiries) - this.kernelMillis, () => {
      if (this.isFrozen || network !== this.network) return
      this.events.onKernel(this, "lease")
      this.awaitExpiry()
    })
  }

  private expiriesMillis(): ReadonlyArray<number> {
    return this.network.fence.expiriesMillis(this.kernelMillis)
  }

  private get kernelMillis(): number {
    return (this.isFrozen ? this.frozenAtMillis : this.nowMillis) - this.stoodStillMillis
  }

  get nowMillis(): number {
    return this.kernel.nowMillis
  }

  private get isUplinkUp(): boolean {
    return this.interfaces().has(uplink)
  }

  private newNetwork(): MemoryNodeNetwork.Handle {
    return MemoryNodeNetwork.make({
      interfaces: [
        {
          name: uplink,
          mac: macOf(this.number),
          addresses: [{ address: this.address, prefixLength: 16, scope: "global" }]
        },
        { name: "pl0", kind: "bridge" },
        // Another program's, which is none of ours to touch.
        {
          name: "dummy0",
          addresses: [{ address: foreignAddressOf(this.number), prefixLength: 32, scope: "global" }]
        }
      ],
      defaultRoutes: [{ interfaceName: uplink, metric: 100 }],
      identity: { bootId: this.bootId, systemUuid: `machine-${this.number}` },
      kernelMillis: () => this.kernelMillis,
      onAnnouncement: ({ address }) => this.events.onAnnouncement(this, address),
      onProbe: (address) => this.events.onProbe(this, address)
    })
  }
}

const heldIn = ({ interfaces }: NetworkState, machine: Address.Address): ReadonlyMap<Address.Address, string> => {
  const held = new Map<Address.Address, string>()
  for (const { addresses, name, up } of interfaces) {
    // The kernel takes the local routes of an interface that is down, and answers for none of its addresses.
    if (!up) continue
    for (const { address, prefixLength } of addresses) {
      if (prefixLength === hostPrefixLength(address) && address !== machine) held.set(address, name)
    }
  }
  return held
}

const ownIn = ({ interfaces }: NetworkState, machine: Address.Address): string =>
  interfaces
    .map(({ addresses, name, up }) => {
      const own = addresses.filter(
        ({ address, prefixLength }) => prefixLength !== hostPrefixLength(address) || address === machine
      )
      return `${name} ${up ? "up" : "down"} ${own.map(({ address, prefixLength }) => `${address}/${prefixLength}`)}`
    })
    .join("; ")

/** Whether the machine has an interface of this name. */
export const has = (host: Host, interfaceName: string): boolean =>
  host.network.state().interfaces.some(({ name }) => name === interfaceName)

/** Locally administered; one per machine. */
const macOf = (number: number): string =>
  `02:00:00:01:${(number >> 8).toString(16).padStart(2, "0")}:${(number & 0xff).toString(16).padStart(2, "0")}`
