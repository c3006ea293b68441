/** The arguments of `ip address` for an address of ours, and how its answers are told apart. Pure. */
import { familyOf } from "../../domain/Address.ts"
import { hostPrefixLength, labelFor, ownMetric, scopeOf } from "../../domain/HostAddress.ts"
import type { HeldAddress } from "../../ports/NodeNetwork.ts"
import { isForever, type AddressInfo } from "./IpOutput.ts"
import { isMisread } from "./Misread.ts"
import type { Reason } from "./Tool.ts"

/**
 * Every attribute, every time: a `replace` that leaves one out drops it (IPv6: nodad, noprefixroute; both: lifetimes and
 * metric).
 * IPv6 is `preferred_lft 0`: else the kernel chooses it as the source of the node's own connections, which then break
 * when the address moves (measured with `ip -6 route get`). IPv4 needs no such thing: scope link is never chosen.
 */
export const putArguments = (
  verb: "add" | "replace",
  { address, interfaceName }: HeldAddress
): ReadonlyArray<string> => {
  const label = labelFor(address, interfaceName)
  const attributes =
    familyOf(address) === "IPv6"
      ? ["nodad", "noprefixroute", "valid_lft", "forever", "preferred_lft", "0"]
      : ["scope", scopeOf(address), ...(label === undefined ? [] : ["label", label])]
  const place = [`${address}/${hostPrefixLength(address)}`, "dev", interfaceName]
  return ["address", verb, ...place, "metric", String(ownMetric), ...attributes]
}

export const deleteArguments = (
  { address, interfaceName }: HeldAddress,
  prefixLength: number
): ReadonlyArray<string> => ["address", "delete", `${address}/${prefixLength}`, "dev", interfaceName]

/**
 * What is to be done with an address that is there already: the kernel changes lifetimes and metric in place, scope and
 * label never.
 */
export const difference = (
  found: AddressInfo,
  { address, interfaceName }: HeldAddress
): "none" | "inPlace" | "anew" => {
  const same = isForever(found) && found.metric === ownMetric
  if (familyOf(address) === "IPv6") {
    const unchosen = found.nodad === true && found.noprefixroute === true && found.deprecated === true
    return same && unchosen ? "none" : "inPlace"
  }
  // Without a label of its own an IPv4 address prints the interface's name as its label.
  const sameLabel = (found.label ?? interfaceName) === (labelFor(address, interfaceName) ?? interfaceName)
  if (!sameLabel || String(found.scope) !== scopeOf(address)) return "anew"
  return same ? "none" : "inPlace"
}

/** "Error: ipv4: Address already assigned." since Linux 6.3, "RTNETLINK answers: File exists" before. */
export const isPresent = (reason: Reason): boolean =>
  reason._tag === "ToolFailed" && !isMisread(reason) && /already assigned|file exists/i.test(reason.message)

/** "Error: ipv4: Address not found." since Linux 6.3, "Cannot assign requested address" before. */
export const isAbsent = (reason: Reason): boolean =>
  reason._tag === "ToolFailed" &&
  !isMisread(reason) &&
  /address not found|cannot assign requested address/i.test(reason.message)
