/**
 * The hand of a person in the vendor's web console, and of nature: all of it happens at once, past locks, limits and
 * protection, whatever the program under test thinks.
 */
import type { Budget } from "./RateLimit.ts"
import type { Core } from "./Core.ts"
import * as FloatingIpsApi from "./FloatingIpsApi.ts"
import {
  type FloatingIp,
  type Labels,
  type Location,
  locations,
  type Network,
  type PrivateNet,
  type Server,
  type ServerStatus,
  type Type
} from "./Resources.ts"
import { type Snapshot, withFloatingIp, withoutServer, withServer } from "./Store.ts"

export interface ServerSeed {
  readonly name: string
  /** `fsn1` unless given. */
  readonly location?: string
  /** Families of its primary IPs; both unless given. */
  readonly types?: ReadonlyArray<Type>
  readonly status?: ServerStatus
  readonly labels?: Labels
  /** Networks that it is attached to. */
  readonly networks?: ReadonlyArray<number>
}

export interface FloatingIpSeed {
  readonly type: Type
  readonly name?: string
  readonly description?: string
  readonly location?: string
  readonly labels?: Labels
  readonly server?: number
  /** One that was deleted, and given back by the vendor's support; the next one unless given. */
  readonly ip?: string
}

export interface Console {
  readonly addServer: (seed: ServerSeed) => Server
  readonly addNetwork: (name: string, ipRange: string) => Network
  readonly setServerStatus: (id: number, status: ServerStatus) => void
  readonly renameServer: (id: number, name: string) => void
  /** Its floating IPs stay, assigned to nobody. */
  readonly deleteServer: (id: number) => void
  readonly addFloatingIp: (seed: FloatingIpSeed) => FloatingIp
  readonly change: (
    id: number,
    change: Partial<Pick<FloatingIp, "name" | "labels" | "server" | "isBlocked" | "isProtected">>
  ) => void
  readonly deleteFloatingIp: (id: number) => void
  /** Somebody else of the project has spent all requests. */
  readonly drainBudget: () => void
}

export const make = (core: Core, budget: Budget): Console => {
  /** What has become due by now comes first. */
  const now = (): Snapshot => {
    core.actions.settle(core.nowMillis())
    return core.store.now()
  }
  const commit = (snapshot: Snapshot): void => core.store.commit(snapshot, core.nowMillis())
  return {
    addServer: (seed) => {
      const before = now()
      const server = serverOf(core, seed)
      commit(withServer(before, server))
      return server
    },
    addNetwork: (name, ipRange) => {
      const before = now()
      const network: Network = { id: core.newId(), name, createdMillis: core.nowMillis(), ipRange }
      commit({ ...before, networks: new Map(before.networks).set(network.id, network) })
      return network
    },
    setServerStatus: (id, status) => {
      const before = now()
      commit(withServer(before, { ...required(before.servers, id, "server"), status }))
    },
    renameServer: (id, name) => {
      const before = now()
      commit(withServer(before, { ...required(before.servers, id, "server"), name }))
    },
    deleteServer: (id) => {
      const before = now()
      if (before.servers.has(id)) commit(withoutServer(before, id))
    },
    addFloatingIp: ({ description, ip, labels, location, name, server, type }) => {
      const { servers } = now()
      const host = server === undefined ? undefined : required(servers, server, "server")
      return FloatingIpsApi.buy(core, {
        type,
        name,
        ip,
        description: description ?? null,
        labels: labels ?? {},
        home: host?.location ?? locationOf(location),
        server: server ?? null,
        by: "console"
      })
    },
    change: (id, change) => {
      const before = now()
      if (typeof change.server === "number") required(before.servers, change.server, "server")
      commit(withFloatingIp(before, { ...required(before.floatingIps, id, "floating IP"), ...change }))
    },
    deleteFloatingIp: (id) => {
      required(now().floatingIps, id, "floating IP")
      FloatingIpsApi.remove(core, id)
    },
    drainBudget: () => budget.drain(core.nowMillis())
  }
}

const required = <A>(map: ReadonlyMap<number, A>, id: number, kind: string): A => {
  const found = map.get(id)
  if (found === undefined) throw new RangeError(`no ${kind} ${id}`)
  return found
}

const locationOf = (name = "fsn1"): Location => {
  const found = locations.find((each) => each.name === name)
  if (found === undefined) throw new RangeError(`no location ${name}`)
  return found
}

const serverOf = (core: Core, seed: ServerSeed): Server => {
  const { networks: attached = [], types = ["ipv4", "ipv6"] } = seed
  const { networks, servers } = core.store.now()
  if ([...servers.values()].some(({ name }) => name === seed.name)) throw new RangeError(`two servers ${seed.name}`)
  const id = core.newId()
  const [high, low] = [(id >> 8) & 255, id & 255]
  const privateNets = attached.map((network, index): PrivateNet => {
    const [first = "10", second = "0"] = required(networks, network, "network").ipRange.split(".")
    return {
      network,
      ip: `${first}.${second}.${high}.${low}`,
      aliasIps: [],
      macAddress: `86:00:00:${[index, high, low].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}`
    }
  })
  return {
    id,
    name: seed.name,
    createdMillis: core.nowMillis(),
    status: seed.status ?? "running",
    location: locationOf(seed.location),
    labels: seed.labels ?? {},
    ipv4: types.includes("ipv4") ? { id: core.newId(), ip: `100.64.${high}.${low}` } : null,
    ipv6: types.includes("ipv6") ? { id: core.newId(), ip: `2001:db8:2:${id.toString(16)}::/64` } : null,
    privateNets
  }
}
