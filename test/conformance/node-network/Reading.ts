/** How the suite of the node network reads a state. */
import { assert } from "@effect/vitest"
import { ownMetric } from "../../../src/domain/HostAddress.ts"
import type { NetworkInterface, NetworkState } from "../../../src/ports/NodeNetwork.ts"

export const interfaceOf = (state: NetworkState, name: string): NetworkInterface => {
  const found = state.interfaces.find((each) => each.name === name)
  assert(found !== undefined, `no interface ${name} among ${state.interfaces.map((each) => each.name).join(", ")}`)
  return found
}

/** `192.0.2.10/32 ours scope link label pl0:pllb`, in the order of the text; the kernel's link-local ones left out. */
export const addressesOf = (state: NetworkState, name: string): ReadonlyArray<string> =>
  interfaceOf(state, name)
    .addresses.filter(({ address }) => !address.startsWith("fe80:"))
    .map(({ address, prefixLength, scope, label, metric, validSeconds }) =>
      [
        `${address}/${prefixLength}${metric === ownMetric ? " ours" : ""} scope ${scope}`,
        label === undefined ? "" : ` label ${label}`,
        validSeconds === undefined ? "" : " not for ever"
      ].join("")
    )
    .toSorted()
