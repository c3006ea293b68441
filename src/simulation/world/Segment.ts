/**
 * The network segment that the nodes and one client share. The client has a neighbour table, as every machine does: it
 * goes on talking to the node that it knows for an address, dead or not, until another announces it or the entry expires.
 */

interface Neighbour {
  readonly node: string
  /** Since when nothing came back from it. */
  silentSinceMillis: number | undefined
}

/** Linux gives an entry up 26 to 45 s after the neighbour fell silent (measured), then asks everybody again. */
const expiryMillis = 40_000

export class Segment {
  /** A client, or a switch before it, that takes no notice of announcements. */
  ignoresAnnouncements = false
  /** Machines that are none of the cluster's, with a hardware address each, by the address that they have. */
  readonly foreign = new Map<string, { readonly mac: string; readonly sinceMillis: number }>()
  private readonly neighbours = new Map<string, Neighbour>()

  /** To be called only for frames that reach the segment. */
  announce(node: string, address: string): void {
    if (!this.ignoresAnnouncements) this.neighbours.set(address, { node, silentSinceMillis: undefined })
  }

  /** The client forgets whom it knew, as after `ip neigh flush`. */
  forget(): void {
    this.neighbours.clear()
  }

  /** The client sends something to the address, as it does all the time; `holders` answer on the segment. */
  talk(address: string, holders: ReadonlySet<string>, nowMillis: number): void {
    const known = this.neighbours.get(address)
    if (known === undefined || nowMillis - (known.silentSinceMillis ?? nowMillis) > expiryMillis) {
      const [first] = holders
      if (first === undefined) this.neighbours.delete(address)
      else this.neighbours.set(address, { node: first, silentSinceMillis: undefined })
    } else if (holders.has(known.node)) known.silentSinceMillis = undefined
    else known.silentSinceMillis ??= nowMillis
  }

  /** Whom the client asks for it; undefined: everybody. */
  knows(address: string): string | undefined {
    return this.neighbours.get(address)?.node
  }

  /** The node from which the client gets an answer; undefined: none comes. */
  answeredBy(address: string, holders: ReadonlySet<string>): string | undefined {
    // Without an entry the client asks everybody, and takes the first to answer.
    const asked = this.neighbours.get(address)?.node ?? [...holders][0]
    return asked !== undefined && holders.has(asked) ? asked : undefined
  }
}
