import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Address, parse } from "../../../src/domain/Address.ts"
import { type Content, contentOf, type Input, stepsTo } from "../../../src/domain/FencePlan.ts"
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
  readonly undecided?: ReadonlyArray<Address>
  readonly present: ReadonlyArray<Address>
  readonly inPlace?: ReadonlyArray<Address>
  /** By pools that keep, and that release. */
  readonly keeping?: ReadonlyArray<Address>
  readonly releasing?: ReadonlyArray<Address>
  readonly managed?: ReadonlyArray<Address>
  readonly leased?: ReadonlyArray<Address>
  readonly byRenewal?: ReadonlyArray<Address>
}

const inputOf = ({
  byRenewal = [],
  changes = [],
  holds,
  inPlace,
  keeping = [],
  leased,
  managed,
  present,
  releasing = [],
  undecided = [],
  withheld = []
}: Given): Input => ({
  plan: { held: holds.map(held), changes: [...changes, ...withheld] },
  carriedOut: changes,
  undecided: undecided.map(held),
  isPresent: among(present),
  isInPlace: among(inPlace ?? present),
  lossOf: (address) => (keeping.includes(address) ? "keep" : releasing.includes(address) ? "release" : "auto"),
  current: { managed: managed ?? [], leased: leased ?? managed ?? [], byRenewal }
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
      "what nobody knows yet whether it may be served keeps what it had",
      { holds: [], undecided: [old, kept], present: [old, kept], managed: [old, kept], leased: [old] },
      { managed: [old, kept], leased: [old] }
    ],
    [
      "and is held to the lease where the fence knows nothing of it, as after a flush",
      { holds: [kept], undecided: [old], withheld: [remove(old)], present: [old, kept] },
      { managed: [kept, old], leased: [kept, old] }
    ],
    [
      "but not where it is yet to come, nor where its pool keeps it",
      { holds: [], undecided: [fresh, own], present: [own], keeping: [own] },
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
      "an address of a pool that keeps is no business of the fence",
      { holds: [kept, fresh], present: [kept, fresh], keeping: [fresh] },
      { managed: [kept], leased: [kept] }
    ],
    [
      "a whole network of the machine that is cleaned away is not judged",
      { holds: [], changes: [remove(own, 24)], present: [own] },
      { managed: [], leased: [] }
    ]
  ])("%s", (_, given, { leased, managed }) => {
    assert.deepStrictEqual(contentOf(inputOf(given)), { managed, leased, byRenewal: [] })
  })

  // oxfmt-ignore
  it.each<[string, Given, { managed: ReadonlyArray<Address>; leased: ReadonlyArray<Address>; byRenewal: ReadonlyArray<Address> }]>([
    [
      "an address of a pool that releases is leased like any, and lives by renewals alone",
      { holds: [kept, fresh], present: [kept, fresh], releasing: [fresh] },
      { managed: [kept, fresh], leased: [kept, fresh], byRenewal: [fresh] }
    ],
    [
      "so does one that the fence knows nothing of, and nobody whether it may be served",
      { holds: [], undecided: [fresh], present: [fresh], releasing: [fresh] },
      { managed: [fresh], leased: [fresh], byRenewal: [fresh] }
    ],
    [
      "it does so from when it is to come",
      { holds: [fresh], present: [], releasing: [fresh] },
      { managed: [fresh], leased: [], byRenewal: [fresh] }
    ],
    [
      "what nobody can read keeps that, too",
      { holds: [], withheld: [remove(old)], present: [old], managed: [old], byRenewal: [old] },
      { managed: [old], leased: [old], byRenewal: [old] }
    ],
    [
      "what the process before left does so until it is planned",
      { holds: [kept], present: [kept], managed: [kept], byRenewal: [kept] },
      { managed: [kept], leased: [kept], byRenewal: [] }
    ],
    [
      "an address whose pool keeps no longer is judged and leased at once",
      { holds: [kept], present: [kept], managed: [], releasing: [kept] },
      { managed: [kept], leased: [kept], byRenewal: [kept] }
    ],
    [
      "one whose pool keeps from now on is no longer judged",
      { holds: [kept], present: [kept], managed: [kept], byRenewal: [kept], keeping: [kept] },
      { managed: [], leased: [], byRenewal: [] }
    ]
  ])("%s", (_, given, content) => {
    assert.deepStrictEqual(contentOf(inputOf(given)), content)
  })
})

const addressAt = (index: number) => a(`198.18.${index >> 8}.${index & 255}`)

const placeOf = ({ byRenewal, leased, managed }: Content, address: Address) =>
  [managed, leased, byRenewal].map((list) => list.filter((each) => each === address).length).join(" ")

describe("how the fence comes from one content to another", () => {
  const all = Array.from({ length: 1_000 }, (_, index) => addressAt(index))
  const before: Content = { managed: all.slice(0, 600), leased: all.slice(0, 600), byRenewal: all.slice(0, 300) }
  const after: Content = { managed: all.slice(100), leased: all.slice(200), byRenewal: all.slice(500) }
  const changedCount = (one: Content, other: Content) =>
    all.filter((address) => placeOf(one, address) !== placeOf(other, address)).length

  it("changes so many addresses at most at a time, each of them once", () => {
    const steps = stepsTo(before, after, 150)
    const counts = steps.map((step, index) => changedCount(steps[index - 1] ?? before, step))
    assert.isAtMost(Math.max(...counts), 150)
    assert.strictEqual(
      counts.reduce((sum, count) => sum + count, 0),
      changedCount(before, after)
    )
    assert.deepStrictEqual(steps.at(-1), after)
  })

  it("has each address as it was or as it is to be", () => {
    for (const step of stepsTo(before, after, 150))
      for (const address of all)
        assert.include([placeOf(before, address), placeOf(after, address)], placeOf(step, address))
  })

  it("takes one step where little differs, or nothing", () => {
    assert.deepStrictEqual(stepsTo(before, after, 1_000), [after])
    assert.deepStrictEqual(stepsTo(before, before, 150), [before])
  })
})
