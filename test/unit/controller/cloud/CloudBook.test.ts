/** What a leader still believes of its clouds when it leads again. */
import { assert, describe, it } from "@effect/vitest"
import { CloudBook } from "../../../../src/controller/cloud/CloudBook.ts"
import { lasting } from "../../../../src/controller/cloud/CloudTrouble.ts"

const trouble = lasting({ reason: "CloudNameTaken", message: "the cloud says: it has this name already" })

describe("a new term", () => {
  it("forgets what was refused in the one before: another may have done it (seed 60258 of the simulation)", () => {
    const book = new CloudBook()
    book.setServiceTrouble("shop/web", trouble)
    book.setRetried("shop/web", "buy IPv4")
    book.setPoolTrouble("EphemeralIPPool/cloud", trouble)
    book.beginTerm()
    assert.isUndefined(book.serviceTrouble("shop/web"))
    assert.isFalse(book.isRetried("shop/web", "buy IPv4"))
    assert.isUndefined(book.poolTrouble({ kind: "EphemeralIPPool", name: "cloud" }))
  })
})
