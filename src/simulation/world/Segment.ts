/**
 * The network segment that the nodes and one client share. The client has a neighbour table, as every machine does: it
 * goes on talking to the node that last announced an address, dead or not, until another announces it.
 */
export class Segment {
  private readonly neighbours = new Map<string, string>()

  /** To be called only for frames that reach the segment. */
  announce(node: string, address: string): void {
    this.neighbours.set(address, node)
  }

  /** The node from which the client gets an answer; undefined: none comes. `holders` answer on the segment. */
  answeredBy(address: string, holders: ReadonlySet<string>): string | undefined {
    const known = this.neighbours.get(address)
    // Without an entry the client asks everybody, and the first to answer stays in its table.
    const asked = known ?? [...holders][0]
    return asked !== undefined && holders.has(asked) ? asked : undefined
  }
}
