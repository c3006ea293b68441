/** What a round reads out of the state of the kernel. */
import type * as Address from "../domain/Address.ts"
import { isMac } from "../domain/Frames.ts"
import { hostPrefixLength } from "../domain/HostAddress.ts"
import type * as InterfacePlan from "../domain/InterfacePlan.ts"
import type { InterfaceAddress, NetworkState } from "../ports/NodeNetwork.ts"

/** Addresses for one host each, with the interfaces that they are on. */
export const heldIn = (state: NetworkState): ReadonlyMap<string, ReadonlySet<string>> => {
  const held = new Map<string, Set<string>>()
  for (const { addresses, name } of state.interfaces) {
    for (const { address, prefixLength } of addresses) {
      if (prefixLength !== hostPrefixLength(address)) continue
      held.set(address, (held.get(address) ?? new Set()).add(name))
    }
  }
  return held
}

/**
 * Whether the kernel holds the address where the plan wants it; one that was refused is not held, wherever it is. The kernel
 * answers for no address of an interface that is down; but it lies there until it is taken off.
 */
export const heldAsPlanned = (
  plan: InterfacePlan.InterfacePlan,
  held: ReadonlyMap<string, ReadonlySet<string>>,
  isUp: (name: string) => boolean
) => {
  const onInterface = new Map(plan.held.map(({ address, interfaceName }) => [address, interfaceName]))
  const refused = new Set(plan.refusals.map(({ address }) => address))
  return (address: Address.Address): boolean => {
    const expected = onInterface.get(address)
    if (refused.has(address)) return false
    return expected === undefined ? held.has(address) : isUp(expected) && held.get(address)?.has(expected) === true
  }
}

/** Whether what was to be removed is gone, whatever the tools said of it: others may serve it once this node says so. */
export const areGone = (changes: ReadonlyArray<InterfacePlan.Change>, { interfaces }: NetworkState): boolean => {
  const present = new Set(
    interfaces.flatMap(({ addresses, name }) =>
      addresses.map(({ address, prefixLength }) => `${address}/${prefixLength} ${name}`)
    )
  )
  return !changes.some(
    (each) => each._tag === "Remove" && present.has(`${each.address}/${each.prefixLength} ${each.interfaceName}`)
  )
}

/** By which neighbours may be asked and told, up or not. */
export const neighbourlyIn = ({ interfaces }: NetworkState): ((name: string) => boolean) => {
  const names = new Set(interfaces.filter(({ mac }) => isMac(mac)).map(({ name }) => name))
  return (name) => names.has(name)
}

const isOfNetwork = ({ address, prefixLength, scope }: InterfaceAddress): boolean =>
  scope === "global" && prefixLength < hostPrefixLength(address)

/** A node has few networks of its own; a bridge for each container would be no use in an annotation. */
const macsMax = 16

/**
 * Hardware addresses by which this node may answer: those of its uplinks, and of whatever else is in a network, since Linux
 * answers for any address on any interface. Sorted.
 */
export const ownMacsIn = ({ interfaces }: NetworkState, uplinks: ReadonlyArray<string>): ReadonlyArray<string> => {
  const able = interfaces.filter(({ kind, mac }) => kind !== "loopback" && isMac(mac))
  const found = able.filter(({ addresses, name }) => uplinks.includes(name) || addresses.some(isOfNetwork))
  return [...new Set(found.map(({ mac }) => mac.toLowerCase()))].toSorted().slice(0, macsMax)
}

/** Up, with a hardware address. */
export const announceableIn = ({ interfaces }: NetworkState): ((name: string) => boolean) => {
  const able = interfaces.filter(({ mac, up }) => up && isMac(mac))
  const names = new Set(able.map(({ name }) => name))
  return (name) => names.has(name)
}

export const upIn = ({ interfaces }: NetworkState): ((name: string) => boolean) => {
  const names = new Set(interfaces.flatMap(({ name, up }) => (up ? [name] : [])))
  return (name) => names.has(name)
}
