import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Address, parse } from "../../../src/domain/Address.ts"
import { contentOf, type Input } from "../../../src/domain/FencePlan.ts"
import type { Change } from "../../../src/domain/InterfacePlan.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))
const [old, kept, fresh, own] = [a("192.0.2.1"), a("192.0.2.2"), a("192.0.2.3"), a("198.51.100.9")]

const held = (address: Address) => ({ address, interfaceName: "pl0", mode: "bridge" as const, uplinks: ["eth0"] })
const remove = (address: Address, prefixLength = 32): Change => ({
  _tag: "Remove",
  address,
  interfaceName: "pl0",
  prefixLength
})
const among = (addresses: ReadonlyArray<Address>) => {
  const known = new Set(addresses)
  return (address: Address) => known.has(address)
}

interface Given {
  readonly holds: ReadonlyArray<Address>
  readonly changes?: ReadonlyArray<Change>
  /** Of the changes, those left for later. */
  readonly withheld?: ReadonlyArray<Change>
  readonly present: ReadonlyArray<Address>
  readonly inPlace?: ReadonlyArray<Address>
  readonly routed?: ReadonlyArray<Address>
  readonly managed?: ReadonlyArray<Address>
  readonly leased?: ReadonlyArray<Address>
}

const inputOf = ({
  changes = [],
  holds,
  inPlace,
  leased,
  managed,
  present,
  routed = [],
  withheld = []
}: Given): Input => ({
  plan: { held: holds.map(held), changes: [...changes, ...withheld] },
  carriedOut: changes,
  isPresent: among(present),
  isInPlace: among(inPlace ?? present),
  isRouted: among(routed),
  current: { managed: managed ?? [], leased: leased ?? managed ?? [] }
})

describe("what the fence is told", () => {
  it.each<[string, Given, { managed: ReadonlyArray<Address>; leased: ReadonlyArray<Address> }]>([
    ["nothing of a node that holds nothing", { holds: [], present: [own] }, { managed: [], leased: [] }],
    [
      "an address that is to come is judged before it is there, and not leased yet",
      { holds: [kept, fresh], present: [kept] },
      { managed: [kept, fresh], leased: [kept] }
    ],
    [
      "an address that lies there already is both at once",
      { holds: [kept], present: [kept] },
      { managed: [kept], leased: [kept] }
    ],
    [
      "an address that is about to go is judged, and leased no longer",
      { holds: [kept], changes: [remove(old)], present: [old, kept], managed: [old, kept] },
      { managed: [kept, old], leased: [kept] }
    ],
    [
      "and so is one that a process before this one left",
      { holds: [], changes: [remove(old)], present: [old] },
      { managed: [old], leased: [] }
    ],
    [
      "an address that has gone is no longer judged",
      { holds: [kept], changes: [remove(old)], present: [kept], managed: [old, kept] },
      { managed: [kept], leased: [kept] }
    ],
    [
      "one that could not be taken off goes on being judged",
      { holds: [], present: [old], managed: [old], leased: [] },
      { managed: [old], leased: [] }
    ],
    [
      "a second copy of an address that stays takes nothing away",
      { holds: [kept], changes: [remove(kept)], present: [kept] },
      { managed: [kept], leased: [kept] }
    ],
    [
      "what nobody can read keeps what it had",
      { holds: [], withheld: [remove(old)], present: [old], managed: [old], leased: [old] },
      { managed: [old], leased: [old] }
    ],
    [
      "what v0.4 serves still, and this version never has, is left alone",
      { holds: [], withheld: [remove(old)], present: [old] },
      { managed: [], leased: [] }
    ],
    [
      "an address that is not in place is not leased",
      { holds: [kept], present: [kept], inPlace: [] },
      { managed: [kept], leased: [] }
    ],
    [
      "an address that is no longer to be held, and for which nothing can be done, is not leased",
      { holds: [], present: [old], managed: [old] },
      { managed: [old], leased: [] }
    ],
    [
      "a routed address is no business of the fence",
      { holds: [kept, fresh], present: [kept, fresh], routed: [fresh] },
      { managed: [kept], leased: [kept] }
    ],
    [
      "a whole network of the machine that is cleaned away is not judged",
      { holds: [], changes: [remove(own, 24)], present: [own] },
      { managed: [], leased: [] }
    ]
  ])("%s", (_, given, content) => {
    assert.deepStrictEqual(contentOf(inputOf(given)), content)
  })
})
