import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { CloudBook, type ProjectView } from "../../../../src/controller/cloud/CloudBook.ts"
import { CloudView } from "../../../../src/controller/cloud/CloudView.ts"
import * as CloudWriter from "../../../../src/controller/cloud/CloudWriter.ts"
import * as Pool from "../../../../src/domain/Pool.ts"
import { readLagMillis } from "../../../../src/ports/Cloud.ts"
import { virtually } from "../../virtually.ts"

const { pool } = Pool.make("EphemeralIPPool", {
  metadata: { name: "cloud" },
  spec: { cloudIntegration: { hetzner: {} } }
})
const intent = { pool: "cloud", family: "IPv4", cloudProvider: "hetzner" } as const

/** Of a project whose reads show nothing that is bought. */
const newDesk = (): CloudWriter.Desk => {
  const book = new CloudBook()
  book.cluster = "own"
  const cloud = Object.assign(Object.create(null), {
    addresses: () => Effect.succeed([]),
    unreadable: Effect.succeed([]),
    refusedWrite: Effect.undefined,
    ensure: () => Effect.void
  })
  const project: ProjectView = {
    project: cloud,
    edition: "",
    servers: [],
    addresses: [],
    unreadable: [],
    resolutions: new Map(),
    deleted: new Set()
  }
  return { book, pool, project, view: new CloudView(book, { namespace: "shop", service: "web", uid: "uid-1" }) }
}

describe("what is to be given back", () => {
  it("is gone once a second read, later than any lag, has missed it", () => {
    const desk = newDesk()
    const [first, second] = virtually(
      Effect.gen(function* () {
        const before = yield* CloudWriter.returnIntent(desk, intent, [])
        yield* Effect.sleep(readLagMillis)
        return [before, yield* CloudWriter.returnIntent(desk, intent, [])]
      })
    )
    assert.deepStrictEqual([first, second], [readLagMillis, 0])
  })

  it("is not gone by what was missed before it was bought", () => {
    const desk = newDesk()
    const left = virtually(
      Effect.gen(function* () {
        yield* CloudWriter.returnIntent(desk, intent, [])
        yield* Effect.sleep("1 hour")
        yield* CloudWriter.buy(desk, "IPv4", "fsn1", Effect.void)
        return yield* CloudWriter.returnIntent(desk, intent, [])
      })
    )
    assert.strictEqual(left, readLagMillis)
  })
})
