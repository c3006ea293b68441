/** Entries on the wire, and the labels by which holders and rivals find an IPAllocation (failover R8). */
import { assert, describe, it } from "@effect/vitest"
import { dueLabelsOf, entriesOf, wireOf } from "../../../src/api/AllocationEntries.ts"
import type { IPAllocation } from "../../../src/api/IPAllocation.ts"
import { addressLabelPrefix } from "../../../src/api/Names.ts"
import { acknowledgements, entries, writeEntry } from "../domain/notation.ts"

const allocationOf = (present: string, said: string): IPAllocation => ({
  metadata: { name: "web", namespace: "shop" },
  spec: { type: "persistent", allocations: entries(present).map(wireOf) },
  status: { addresses: acknowledgements(said).map((each) => ({ ...each })) }
})

const claimsIn = (labels: object): string =>
  Object.keys(labels)
    .flatMap((label) => (label.startsWith(addressLabelPrefix) ? label.slice(addressLabelPrefix.length) : []))
    .join(" ")

describe("an entry", () => {
  it.each([
    ["that nobody holds", "a"],
    ["that a node holds, and two before", "a@n1.3<n2.2<n3.1"],
    ["that v0.4 wrote", "a@n1"],
    ["of a pool without interface", "~a@n1"],
    ["of a cloud", "^a@n1.1"],
    ["that nobody has served", "?a@n1.1"],
    ["that a holder before has served", "=a@n1.2"]
  ])("%s, is read as it was written", (_name, entry) => {
    assert.strictEqual(entriesOf(allocationOf(entry, "")).map(writeEntry).join(" "), entry)
  })
})

describe("the labels of an IPAllocation that claim addresses", () => {
  // oxfmt-ignore
  it.each([
    // name                                                          entries    said      claims
    ["stand for what is granted",                                    "a@n1.1",  "",       "c0000201"],
    ["stand for each of several",                                    "a@n1.1 b@n2.1", "", "c0000201 c0000202"],
    ["stand while a former holder has to let go",                    "a<n1.1",  "a+n1.1", "c0000201"],
    ["stand while a node that is not fenced says that it serves",    "",        "a+n1.1", "c0000201"],
    ["go with the entry once its holder has let go",                 "",        "a-n1.1", ""],
    ["do not stay for what a fenced node once said",                 "",        "a+n9.1", ""],
    ["stand for what is granted, whoever is fenced",                 "a@n9.1",  "a+n9.1", "c0000201"],
  ])("%s", (_name, present, said, claims) => {
    const labels = dueLabelsOf(allocationOf(present, said), ({ node }) => node === "n9")
    assert.strictEqual(claimsIn(labels), claims)
  })

  it("can be written for both families: 63 characters, no colon", () => {
    const entry = { pool: "rack-1", networkInterface: "pl0", nodeName: "n1", holdId: "1.n1", epoch: 1 }
    const allocations = ["192.0.2.10", "2001:db8::10"].map((address) => ({ ...entry, address }))
    const labels = dueLabelsOf({ metadata: { name: "web" }, spec: { type: "persistent", allocations } }, () => false)
    const names = claimsIn(labels).split(" ")
    assert.deepStrictEqual(names, ["c000020a", "20010db8000000000000000000000010"])
  })
})
