/** What is so now, and for a while what was: a stale read is a read of an older snapshot. */
import type { FloatingIp, Network, Server } from "./Resources.ts"

export interface Snapshot {
  readonly servers: ReadonlyMap<number, Server>
  readonly floatingIps: ReadonlyMap<number, FloatingIp>
  readonly networks: ReadonlyMap<number, Network>
}

export interface Store {
  readonly now: () => Snapshot
  /** As it stood then; the oldest that is still known when that is longer ago than the history. */
  readonly at: (millis: number) => Snapshot
  readonly commit: (snapshot: Snapshot, atMillis: number) => void
}

const historyMillis = 600_000

export const make = (startMillis: number): Store => {
  const empty: Snapshot = { servers: new Map(), floatingIps: new Map(), networks: new Map() }
  const history: Array<{ readonly sinceMillis: number; readonly snapshot: Snapshot }> = [
    { sinceMillis: startMillis, snapshot: empty }
  ]
  return {
    now: () => history.at(-1)?.snapshot ?? empty,
    at: (millis) => (history.findLast(({ sinceMillis }) => sinceMillis <= millis) ?? history[0])?.snapshot ?? empty,
    commit: (snapshot, atMillis) => {
      history.push({ sinceMillis: atMillis, snapshot })
      // The last one before the horizon is what stood at the horizon.
      while ((history[1]?.sinceMillis ?? atMillis) <= atMillis - historyMillis) history.shift()
    }
  }
}

export const withServer = (snapshot: Snapshot, server: Server): Snapshot => ({
  ...snapshot,
  servers: new Map(snapshot.servers).set(server.id, server)
})

export const withFloatingIp = (snapshot: Snapshot, floatingIp: FloatingIp): Snapshot => ({
  ...snapshot,
  floatingIps: new Map(snapshot.floatingIps).set(floatingIp.id, floatingIp)
})

export const withoutFloatingIp = (snapshot: Snapshot, id: number): Snapshot => {
  const floatingIps = new Map(snapshot.floatingIps)
  floatingIps.delete(id)
  return { ...snapshot, floatingIps }
}

/** Its floating IPs stay, assigned to nobody. */
export const withoutServer = (snapshot: Snapshot, id: number): Snapshot => {
  const servers = new Map(snapshot.servers)
  servers.delete(id)
  const floatingIps = new Map(
    [...snapshot.floatingIps].map(([key, each]) => [key, each.server === id ? { ...each, server: null } : each])
  )
  return { ...snapshot, servers, floatingIps }
}

export const attachedTo = (snapshot: Snapshot, server: number): ReadonlyArray<FloatingIp> =>
  [...snapshot.floatingIps.values()].filter((each) => each.server === server)
