import { assert, describe, it } from "@effect/vitest"
import { hostPrefixLength } from "../../../src/domain/HostAddress.ts"
import type { Change } from "../../../src/domain/InterfacePlan.ts"
import * as NodeDuty from "../../../src/domain/NodeDuty.ts"
import * as Flows from "../../../src/operator/Flows.ts"
import { acknowledgements, addressOf, brief, entries } from "../domain/notation.ts"

const self = { node: "n1", holdId: "1.n1" }

const dutiesOf = (present: string, said: string) =>
  NodeDuty.dutiesOf(
    {
      key: "shop/web",
      uid: "u1",
      deleting: false,
      entries: entries(present),
      acknowledgements: acknowledgements(said)
    },
    self
  )

/** `+a` is put on the interface, `-a` taken off, `/a` a second copy of it with another prefix length. */
const changesOf = (text: string): ReadonlyArray<Change> =>
  text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => {
      const placed = { address: addressOf(word.slice(1)), interfaceName: "pl0" }
      if (word.startsWith("+")) return { _tag: "Add", ...placed }
      return { _tag: "Remove", ...placed, prefixLength: word.startsWith("/") ? 24 : hostPrefixLength(placed.address) }
    })

describe("Flows.concerned", () => {
  // oxfmt-ignore
  it.each<[string, string, string, string, boolean | undefined, string]>([
    // name                                                    entries           said      changes   option     addresses
    ["what arrives by a move",                                 "a@n1.3<n2.2",    "a-n2.2", "+a",     undefined, "a"],
    ["what arrives for the first time",                        "?a@n1.1",        "",       "+a",     undefined, "a"],
    ["not what somebody took off, and is put back",            "a@n1.3",         "a+n1.3", "+a",     undefined, ""],
    ["but what is put back under a new epoch",                 "a@n1.3",         "a+n1.2", "+a",     undefined, "a"],
    ["what leaves",                                            "a@n2.4<n1.3",    "a+n1.3", "-a",     undefined, "a"],
    ["not a second copy of what stays",                        "a@n1.3",         "a+n1.3", "-a",     undefined, ""],
    ["nor what is no address of ours",                         "",               "",       "/a",     undefined, ""],
    ["of several, those",                                      "a@n1.3 b@n1.3",  "b+n1.3", "+a +b -c", true,    "a c"],
    ["nothing where the pool says so",                         "a@n1.3",         "",       "+a -b",  false,     ""]
  ])("%s", (_, present, said, changes, flushConntrack, expected) => {
    const pool = { interfaceName: "pl0", ...(flushConntrack === undefined ? {} : { flushConntrack }) }
    const found = Flows.concerned(changesOf(changes), dutiesOf(present, said), [pool])
    assert.strictEqual(found.map(brief).join(" "), expected)
  })
})
