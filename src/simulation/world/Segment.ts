/**
 * The network segment that the nodes and one client share. The client has a neighbour table, as every machine does: it
 * goes on talking to the node that last announced an address, dead or not, until another announces it or until it has
 * had no answer for long enough to ask anew.
 */
interface Neighbour {
  readonly node: string
  /** Since when the node has not answered. */
  silentSince: number | undefined
}

/** 26 to 45 s passed on Linux until a client asked anew (measured). */
const patienceMillis = 45_000

export class Segment {
  /** A client, or a switch, that takes no notice of announcements. */
  ignoresAnnouncements = false
  private readonly neighbours = new Map<string, Neighbour>()
  private readonly nowMillis: () => number

  constructor(nowMillis: () => number) {
    this.nowMillis = nowMillis
  }

  /** To be called only for frames that reach the segment. */
  announce(node: string, address: string): void {
    if (!this.ignoresAnnouncements) this.neighbours.set(address, { node, silentSince: undefined })
  }

  /** The node begins to answer for the address, or ceases to. */
  changed(node: string, address: string, answers: boolean): void {
    const known = this.neighbours.get(address)
    if (known?.node === node) known.silentSince = answers ? undefined : this.nowMillis()
  }

  /** The client forgets whom it knew, as after `ip neigh flush`. */
  forget(): void {
    this.neighbours.clear()
  }

  /** The node from which the client gets an answer; undefined: none comes. `holders` answer on the segment. */
  answeredBy(address: string, holders: ReadonlySet<string>): string | undefined {
    const known = this.neighbours.get(address)
    const isGivenUp = known?.silentSince !== undefined && this.nowMillis() - known.silentSince >= patienceMillis
    // Without an entry the client asks everybody, and the first to answer stays in its table.
    const asked = isGivenUp ? undefined : known?.node
    const answering = asked ?? [...holders][0]
    return answering !== undefined && holders.has(answering) ? answering : undefined
  }
}
