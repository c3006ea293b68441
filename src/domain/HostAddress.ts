/** How an address of ours looks on an interface, and how it is known again after a restart. */
import { type Address, familyOf } from "./Address.ts"

/** A label of 16 characters is refused by the kernel (IFNAMSIZ), so that a name of 11 leaves no room (measured). */
const labelMaxLength = 15
const labelSuffix = ":pllb"

/** A host prefix: no route to a network comes with the address. */
export const hostPrefixLength = (address: Address): 32 | 128 => (familyOf(address) === "IPv4" ? 32 : 128)

/**
 * The mark of an address of ours: "pllb" in ASCII, as its metric (IFA_RT_PRIORITY, Linux 4.18). The kernel would give it
 * to a route to the network of the address, which a host prefix has not; to us it says who put the address there. It
 * stays through a rename, and IPv6 and long interface names, which have no label, have it too (measured, 6.18).
 */
export const ownMetric = 0x70_6c_6c_62

/** IPv4 has scope link, so that the kernel never chooses it as a source; IPv6 knows no such choice and prints global. */
export const scopeOf = (address: Address): "link" | "global" => (familyOf(address) === "IPv4" ? "link" : "global")

/** `<interface>:pllb`, as v0.4 wrote it; none for IPv6, and none on interface names that leave no room for it. */
export const labelFor = (address: Address, interfaceName: string): string | undefined =>
  familyOf(address) === "IPv4" && interfaceName.length + labelSuffix.length <= labelMaxLength
    ? `${interfaceName}${labelSuffix}`
    : undefined
