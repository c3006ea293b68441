/**
 * How many addresses a server has at the provider, which lets it have so many and no more: what is routed to it, and what is
 * to be, because an IPAllocation names its node. Pure over what was read last.
 */
import type { Address } from "../../domain/Address.ts"
import * as FloatingAddress from "../../domain/FloatingAddress.ts"
import { once } from "../../api/Once.ts"
import type { CloudAddress } from "../../ports/Cloud.ts"

/** Networks by the id of the server that they are routed to. Worked out once for each list. */
const byServer = once((addresses: ReadonlyArray<CloudAddress>) => {
  const networks = new Map<string, Array<string>>()
  for (const { network, server } of addresses) {
    if (server === undefined) continue
    const known = networks.get(server)
    if (known === undefined) networks.set(server, [network])
    else known.push(network)
  }
  return networks
})

export interface Room {
  readonly addresses: ReadonlyArray<CloudAddress>
  /** Id of the server. */
  readonly server: string
  /** How many it can have. */
  readonly max: number
  /** The one that is to go there, or is there. */
  readonly address: Address
}

const routedThere = ({ addresses, server }: Room): ReadonlyArray<string> => byServer(addresses).get(server) ?? []

const has = (networks: ReadonlyArray<string>, address: Address): boolean =>
  networks.some((network) => FloatingAddress.contains(network, address))

const othersRouted = (room: Room): number =>
  routedThere(room).filter((network) => !FloatingAddress.contains(network, room.address)).length

/** With those that are to be routed there: `named`, on its node, and `more`, which stand nowhere yet. */
export const isFull = (room: Room, named: ReadonlySet<Address>, more: number): boolean => {
  const routed = routedThere(room)
  // Most are far from it, and nobody need read their networks.
  if (routed.length + named.size + more < room.max) return false
  const coming = [...named].filter((each) => each !== room.address && !has(routed, each))
  return othersRouted(room) + coming.length + more >= room.max
}

/** Others have taken its place: who was to have it there cannot. */
export const isCrowdedOut = (room: Room): boolean =>
  othersRouted(room) >= room.max && !has(routedThere(room), room.address)
