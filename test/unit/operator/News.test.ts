/** Of what the network is told in a round, and what of it is left for the next. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Address } from "../../../src/domain/Address.ts"
import type { Announcement, Announcer } from "../../../src/operator/Announcer.ts"
import * as News from "../../../src/operator/News.ts"
import * as TestCluster from "../integration/TestCluster.ts"

const [a, b] = [TestCluster.address("192.0.2.10"), TestCluster.address("192.0.2.11")]

/** Rounds one after the other: what was announced in each, what failed, and what was left for later. */
const newRounds = () => {
  const sent: Array<string> = []
  let refuses = false
  const announcer: Announcer = {
    start: (batch: ReadonlyArray<Announcement>) =>
      Effect.sync(() => {
        for (const { address, uplinks } of batch) sent.push(`${address} on ${uplinks.join("+")}`)
        return new Set<Address>(refuses ? batch.map(({ address }) => address) : [])
      }),
    stop: () => undefined,
    retain: () => undefined
  }
  const news = News.make("node-1", announcer)
  const round = (parts: {
    fresh?: boolean
    mayServe?: boolean
    refuses?: boolean
    uplinks?: ReadonlyArray<string>
  }) => {
    refuses = parts.refuses === true
    sent.length = 0
    const { failed, notNow } = Effect.runSync(
      news.tell({
        served: [{ address: a, uplinks: parts.uplinks ?? ["eth0"] }],
        allocations: [],
        isFresh: () => parts.fresh === true,
        canAnnounceOn: (name) => name !== "wg0",
        mayServe: Effect.succeed(() => parts.mayServe !== false)
      })
    )
    return { sent: [...sent], failed: [...failed], notNow: [...notNow] }
  }
  return round
}

describe("News", () => {
  it("tells of what came, once", () => {
    const round = newRounds()
    assert.deepStrictEqual(round({ fresh: true }), { sent: ["192.0.2.10 on eth0"], failed: [], notNow: [] })
    assert.deepStrictEqual(round({}), { sent: [], failed: [], notNow: [] })
  })

  it("tells again of what could not be told", () => {
    const round = newRounds()
    assert.deepStrictEqual(round({ fresh: true, refuses: true }).failed, [a])
    assert.deepStrictEqual(round({}), { sent: ["192.0.2.10 on eth0"], failed: [], notNow: [] })
  })

  it("tells of one address while the lease has run out for another, and of that one later", () => {
    const sent: Array<string> = []
    const announcer: Announcer = {
      start: (batch) =>
        Effect.sync(() => {
          sent.push(...batch.map(({ address }) => address))
          return new Set<Address>()
        }),
      stop: () => undefined,
      retain: () => undefined
    }
    const news = News.make("node-1", announcer)
    const tell = (may: (address: Address) => boolean) => {
      sent.length = 0
      const served = [a, b].map((address) => ({ address, uplinks: ["eth0"] }))
      const isOn = { allocations: [], isFresh: () => false, canAnnounceOn: () => true }
      const { notNow } = Effect.runSync(news.tell({ served, ...isOn, mayServe: Effect.succeed(may) }))
      return { sent: [...sent], notNow: [...notNow] }
    }
    assert.deepStrictEqual(
      tell((address) => address === a),
      { sent: [a], notNow: [b] }
    )
    assert.deepStrictEqual(
      tell(() => true),
      { sent: [b], notNow: [] }
    )
    assert.deepStrictEqual(
      tell(() => true),
      { sent: [], notNow: [] }
    )
  })

  it("keeps what it finds in place for later while the lease may have run out", () => {
    const round = newRounds()
    assert.deepStrictEqual(round({ mayServe: false }), { sent: [], failed: [], notNow: [a] })
    assert.deepStrictEqual(round({}), { sent: ["192.0.2.10 on eth0"], failed: [], notNow: [] })
  })

  it("keeps what came for later while the lease may have run out", () => {
    const round = newRounds()
    round({ fresh: true })
    assert.deepStrictEqual(round({ fresh: true, mayServe: false }), { sent: [], failed: [], notNow: [a] })
    assert.deepStrictEqual(round({ mayServe: false }), { sent: [], failed: [], notNow: [a] })
    assert.deepStrictEqual(round({}), { sent: ["192.0.2.10 on eth0"], failed: [], notNow: [] })
    assert.deepStrictEqual(round({}).sent, [])
  })

  it("keeps what could not be told for later, too", () => {
    const round = newRounds()
    assert.deepStrictEqual(round({ fresh: true, refuses: true }).failed, [a])
    assert.deepStrictEqual(round({ mayServe: false }), { sent: [], failed: [], notNow: [a] })
    assert.deepStrictEqual(round({}).sent, ["192.0.2.10 on eth0"])
  })

  it("tells an uplink that came back, and none that knows no ARP", () => {
    const round = newRounds()
    round({ fresh: true, uplinks: ["wg0"] })
    assert.deepStrictEqual(round({ uplinks: ["wg0"] }), { sent: [], failed: [], notNow: [] })
    assert.deepStrictEqual(round({ uplinks: ["wg0", "eth0"] }).sent, ["192.0.2.10 on eth0"])
  })
})
