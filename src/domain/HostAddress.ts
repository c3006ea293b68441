/** How an address of ours looks on an interface, and how it is known again after a restart. As v0.4 wrote it. */
import { type Address, familyOf } from "./Address.ts"

/** A label of 16 characters is refused by the kernel (IFNAMSIZ), so that a name of 11 leaves no room (measured). */
const labelMaxLength = 15
const labelSuffix = ":pllb"

/** A host prefix: no route to a network comes with the address. */
export const hostPrefixLength = (address: Address): 32 | 128 => (familyOf(address) === "IPv4" ? 32 : 128)

/** IPv4 has scope link, so that the kernel never chooses it as a source; IPv6 knows no such choice and prints global. */
export const scopeOf = (address: Address): "link" | "global" => (familyOf(address) === "IPv4" ? "link" : "global")

/** `<interface>:pllb`; absent when it does not fit. IPv6 addresses have no label in any case. */
export const labelOf = (interfaceName: string): string | undefined =>
  interfaceName.length + labelSuffix.length > labelMaxLength ? undefined : `${interfaceName}${labelSuffix}`

/** The label that an address of ours carries: none for IPv6, none on long interface names. */
export const labelFor = (address: Address, interfaceName: string): string | undefined =>
  familyOf(address) === "IPv4" ? labelOf(interfaceName) : undefined
