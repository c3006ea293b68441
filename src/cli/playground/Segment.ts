/**
 * The network segment that the simulated nodes and one client share. The client has a neighbour table, as every machine
 * does: it goes on talking to the node that last announced an address, dead or not, until another announces it.
 */
import type { Address } from "../../domain/Address.ts"
import type * as MemoryNodeNetwork from "../../memory/network/MemoryNodeNetwork.ts"

export class Segment {
  /** Nodes whose cable is plugged in and whose power is on. */
  private readonly lit = new Map<string, MemoryNodeNetwork.Handle>()
  private readonly neighbours = new Map<Address, string>()

  attach(node: string, network: MemoryNodeNetwork.Handle): void {
    this.lit.set(node, network)
  }

  cut(node: string): void {
    this.lit.delete(node)
  }

  isLit(node: string): boolean {
    return this.lit.has(node)
  }

  /** What a node that is not lit sends reaches nobody. */
  announce(node: string, address: Address): void {
    if (this.lit.has(node)) this.neighbours.set(address, node)
  }

  /** Lit nodes that have the address on an interface: ground truth, whatever anybody reports. */
  holders(address: Address): ReadonlyArray<string> {
    return [...this.lit].flatMap(([node, network]) =>
      network.state().interfaces.some(({ addresses }) => addresses.some((each) => each.address === address))
        ? [node]
        : []
    )
  }

  /** The node from which the client gets an answer; undefined: none comes. */
  answers(address: Address): string | undefined {
    const holders = this.holders(address)
    const known = this.neighbours.get(address)
    // Without an entry the client asks everybody, and the first to answer stays in its table.
    const asked = known ?? holders[0]
    return asked !== undefined && holders.includes(asked) ? asked : undefined
  }
}
