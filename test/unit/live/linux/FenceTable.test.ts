import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Address, parse } from "../../../../src/domain/Address.ts"
import * as FenceTable from "../../../../src/live/linux/FenceTable.ts"
import * as SetBatch from "../../../../src/live/linux/SetBatch.ts"

const writing = (uplinks: ReadonlyArray<string>): string =>
  SetBatch.textOf(
    FenceTable.write({ owner: "0000000a", ticket: "0000000b", leaseMillis: 5_000, managed: [], leased: [], uplinks })
  )

const uplinksIn = (text: string): string | undefined =>
  /add element inet plenuslb uplinks \{ ([^}]*) \}/.exec(text)?.[1]

describe("uplinks that a pool names", () => {
  it("stand in the transaction as they are called", () => {
    assert.strictEqual(uplinksIn(writing(["eth0", "bond0.12", "a;b"])), '"eth0", "bond0.12", "a;b"')
  })

  it("are no pattern to nft, which would refuse it, and with it the fence of all addresses of the node", () => {
    assert.strictEqual(uplinksIn(writing(["eth*", "*", "e*h"])), '"eth\\*", "\\*", "e*h"')
  })

  it("are left out when nft cannot take them for a name", () => {
    const unspeakable = ['x"}; flush', 'a"b', "a\nb", "sixteen-letters-", "ä34567890123456", ""]
    assert.strictEqual(uplinksIn(writing(["eth0", ...unspeakable])), '"eth0"')
    assert.notInclude(writing(unspeakable), "add element inet plenuslb uplinks")
  })
})

const a = (text: string): Address => Result.getOrThrow(parse(text))

/** Of addresses. */
const elementsOf = (changes: ReadonlyArray<SetBatch.Change>): ReadonlyArray<string> =>
  changes
    .filter(({ act, set }) => act !== "flush" && /^(managed|serving|apart)/.test(set))
    .map((change) => SetBatch.textOf([change]))

describe("a change of what the sets are known to hold", () => {
  const [first, second, six] = [a("192.0.2.1"), a("192.0.2.2"), a("2001:db8::1")]
  const right = { owner: "0000000a", ticket: "0000000b", leaseMillis: 5_000, uplinks: [] }
  const known = { managed: [first, six], serving: [first], apart: [six] }
  it("says what goes and what comes, in both tables, and nothing of what stays", () => {
    const write = { ...right, managed: [first, second], leased: [second], apart: [first] }
    assert.deepStrictEqual(elementsOf(FenceTable.step(known, write)), [
      "delete element inet plenuslb managed6 { 0x20010db8000000000000000000000001 }",
      "add element inet plenuslb managed4 { 192.0.2.2 }",
      "add element arp plenuslb managed4 { 192.0.2.2 }",
      "delete element inet plenuslb serving4 { 192.0.2.1 }",
      "delete element arp plenuslb serving4 { 192.0.2.1 }",
      "add element inet plenuslb serving4 { 192.0.2.2 }",
      "add element arp plenuslb serving4 { 192.0.2.2 }",
      "delete element inet plenuslb apart6 { 0x20010db8000000000000000000000001 }",
      "add element inet plenuslb apart4 { 192.0.2.1 }",
      "add element arp plenuslb apart4 { 192.0.2.1 }"
    ])
  })

  it("needs the same right, and gives the same time, where nothing differs", () => {
    const same = { ...right, managed: [first, six], leased: [first], apart: [six] }
    assert.deepStrictEqual(elementsOf(FenceTable.step(known, same)), [])
    const whole = SetBatch.textOf(FenceTable.write({ ...same, managed: [], leased: [], apart: [] }))
    const others = whole.split("; ").filter((command) => !/ (managed|serving|apart)[46]/.test(command))
    assert.deepStrictEqual(SetBatch.textOf(FenceTable.step(known, same)), others.join("; "))
  })
})
