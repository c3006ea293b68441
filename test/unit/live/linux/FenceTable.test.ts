import { assert, describe, it } from "@effect/vitest"
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
