/** What somebody did in the provider's console, or another cluster did, since the project was listed last, up to a minute ago. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  createPersistent,
  createService,
  floatingIps,
  labelsOf,
  messageOf,
  routedTo,
  run,
  shown,
  start
} from "./CloudCluster.ts"

/** One of the user's own, listed some seconds before its Service comes. */
const startListed = Effect.fnUntraced(function* () {
  const running = yield* start()
  const { console } = running.cluster.project
  const own = console.addFloatingIp({ type: "ipv4", labels: { team: "web" } })
  yield* createPersistent(running.cluster, [own.ip])
  yield* Effect.sleep("10 seconds")
  return { ...running, console, own }
})

describe("one's own address, changed since it was listed", () => {
  it("keeps the labels that it has by now", () => {
    run(
      Effect.gen(function* () {
        const { cluster, console, own } = yield* startListed()
        console.change(own.id, { labels: { team: "mail", tier: "one" } })
        yield* createService(cluster, "web", { externalIPs: [own.ip] })
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), [own.ip])
        const { team, tier } = labelsOf(cluster, own.ip)
        assert.deepStrictEqual([team, tier], ["mail", "one"])
      })
    )
  })

  it("is left to another cluster that has taken it meanwhile", () => {
    run(
      Effect.gen(function* () {
        const { cluster, console, own } = yield* startListed()
        const theirs = { "managed-by": "plenuslb", cluster: "another", claim: "theirs", ownership: "adopted" }
        console.change(own.id, { labels: theirs })
        yield* createService(cluster, "web", { externalIPs: [own.ip] })
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(labelsOf(cluster, own.ip), theirs)
        assert.isUndefined(routedTo(cluster, own.ip))
        assert.deepStrictEqual(shown(cluster, "web"), [])
        assert.include(messageOf(cluster, "web"), "another cluster")
      })
    )
  })

  it("is left on the stranger's server to which somebody has assigned it meanwhile", () => {
    run(
      Effect.gen(function* () {
        const { cluster, console, own } = yield* startListed()
        const stranger = console.addServer({ name: "stranger" })
        console.change(own.id, { server: stranger.id })
        yield* createService(cluster, "web", { externalIPs: [own.ip] })
        yield* Effect.sleep("20 seconds")
        assert.strictEqual(routedTo(cluster, own.ip), "stranger")
        assert.deepStrictEqual(labelsOf(cluster, own.ip), { team: "web" })
        assert.include(messageOf(cluster, "web"), "is no Node of this cluster")
        console.change(own.id, { server: null })
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual(shown(cluster, "web"), [own.ip])
        assert.lengthOf(floatingIps(cluster), 1)
      })
    )
  })
})
