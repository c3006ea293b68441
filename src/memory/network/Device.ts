/** An interface of a node in memory, with its addresses. */
import { type Address, familyOf } from "../../domain/Address.ts"
import type { PacketProgram } from "../../domain/FenceBypass.ts"
import type { InterfaceAddress, NetworkInterface } from "../../ports/NodeNetwork.ts"

export interface InterfaceOptions {
  readonly name: string
  readonly kind?: NetworkInterface["kind"]
  readonly mac?: string
  readonly addresses?: ReadonlyArray<InterfaceAddress>
}

export class Device {
  name: string
  readonly index: number
  readonly mac: string
  readonly kind: NetworkInterface["kind"]
  addresses: Array<InterfaceAddress> = []
  up = true
  master: string | undefined
  /** Of eBPF, where packets come in. */
  programs: ReadonlyArray<PacketProgram["hook"]> = []

  constructor(options: InterfaceOptions, index: number) {
    this.name = options.name
    this.index = index
    this.kind = options.kind ?? "other"
    this.mac = this.kind === "loopback" ? "00:00:00:00:00:00" : (options.mac ?? macOf(index))
    for (const address of options.addresses ?? []) this.put(address)
  }

  /** An IPv4 address without a label of its own prints the name of its interface. */
  put(address: InterfaceAddress): void {
    const labelled = familyOf(address.address) === "IPv4" ? { label: this.name, ...address } : address
    this.addresses.push(labelled)
  }

  find(address: Address, prefixLength: number): InterfaceAddress | undefined {
    return this.addresses.find((each) => each.address === address && each.prefixLength === prefixLength)
  }

  take(address: Address, prefixLength: number): void {
    this.addresses = this.addresses.filter((each) => each.address !== address || each.prefixLength !== prefixLength)
  }
}

/** Locally administered, distinct within the node. */
const macOf = (index: number): string => `02:00:00:00:${hexByte(index >> 8)}:${hexByte(index)}`
const hexByte = (value: number): string => (value & 0xff).toString(16).padStart(2, "0")
