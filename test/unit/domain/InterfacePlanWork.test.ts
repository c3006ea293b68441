/** A plan is made in every round: what it costs grows with the addresses, not with their square. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Address from "../../../src/domain/Address.ts"
import { ownMetric } from "../../../src/domain/HostAddress.ts"
import type { AddressFacts } from "../../../src/domain/InterfaceMode.ts"
import { plan } from "../../../src/domain/InterfacePlan.ts"

const pool = { interfaceName: "pl0", mode: "auto" as const, uplinks: [], startupCleaning: "all" as const }
const base = Result.getOrThrow(Address.parse("198.51.100.0"))
const addressOf = (index: number) => Address.fromBigInt("IPv4", Address.toBigInt(base) + BigInt(index))

/** How often a plan looks at addresses that are on the interface, with all of them wanted and one more. */
const looksWith = (count: number): number => {
  let looks = 0
  const facts = (address: Address.Address): AddressFacts => ({
    get address() {
      looks++
      return address
    },
    prefixLength: 32,
    scope: "link",
    label: "pl0:pllb",
    metric: ownMetric
  })
  const addresses = Array.from({ length: count }, (_, index) => facts(addressOf(index)))
  const { changes, held } = plan({
    network: {
      interfaces: [
        { name: "eth0", index: 1, kind: "other", up: true, ports: [], addresses: [] },
        { name: "pl0", index: 2, kind: "bridge", up: true, ports: [], addresses }
      ],
      defaultRouteInterfaces: ["eth0"],
      arpIgnore: {}
    },
    nodeAddresses: [],
    wanted: Array.from({ length: count + 1 }, (_, index) => ({ ...pool, address: addressOf(index) })),
    pools: [pool],
    remembered: [],
    phase: "steady"
  })
  assert.deepStrictEqual(changes, [{ _tag: "Add", address: addressOf(count), interfaceName: "pl0" }])
  assert.lengthOf(held, count + 1)
  return looks
}

describe("InterfacePlan.plan", () => {
  it.each([100, 1_000])("looks at each of %d addresses a few times, however many there are", (count) => {
    assert.isAtMost(looksWith(count), 20 * count)
  })
})
