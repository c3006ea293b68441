import { assert, describe, it } from "@effect/vitest"
import { CloudBook } from "../../../../src/controller/cloud/CloudBook.ts"
import { OrphanSweep } from "../../../../src/controller/cloud/OrphanSweep.ts"
import type { CloudAddress } from "../../../../src/ports/Cloud.ts"

const pool = { kind: "EphemeralIPPool", name: "cloud" } as const
const minute = 60_000

const orphan: CloudAddress = {
  id: "1",
  name: "plenuslb-ephemeral-1",
  family: "IPv4",
  network: "198.18.0.1",
  server: undefined,
  home: { location: "fsn1", zone: "eu-central" },
  isBlocked: false,
  isProtected: false,
  labels: { "managed-by": "plenuslb", cluster: "own", ownership: "created", claim: "gone" },
  reverseNames: {}
}

/** Of a project in which nobody has this address; answers after how many minutes from then on it is due. */
const dueAfter = (sweep: OrphanSweep, fromMinute: number): number => {
  for (let minutes = 0; minutes < 60; minutes++) {
    if (sweep.look(pool, (fromMinute + minutes) * minute).length > 0) return minutes
  }
  return Number.POSITIVE_INFINITY
}

const newSweep = () => {
  const book = new CloudBook()
  book.cluster = "own"
  const unknown = { servers: [], unreadable: [], resolutions: new Map(), deleted: new Set<never>() }
  book.see("EphemeralIPPool/cloud", { project: Object.create(null), edition: "", addresses: [orphan], ...unknown })
  return new OrphanSweep(book)
}

describe("an address that nobody has", () => {
  it("is due once it was seen for ten minutes", () => {
    assert.strictEqual(dueAfter(newSweep(), 0), 9)
  })

  it("is seen anew after a time in which nobody looked, as while another led, who may have had it in use", () => {
    const sweep = newSweep()
    for (let minutes = 0; minutes < 9; minutes++) assert.isEmpty(sweep.look(pool, minutes * minute))
    assert.strictEqual(dueAfter(sweep, 300), 9)
  })
})
