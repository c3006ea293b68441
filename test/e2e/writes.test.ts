/** What PlenusLB writes, counted in the API server's audit log. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Audit from "./harness/Audit.ts"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import * as Product from "./harness/Product.ts"
import { poolReady, scenario } from "./harness/Scenario.ts"

const shown = ({ by, what }: Audit.Write): string => `${by}: ${what}`

describe("writes on Services and IPAllocations", () => {
  beforeAll(Product.installed)

  it("are three from a Service's creation until it is served, and one more until it is settled", async () => {
    const { namespace, pool, served, service } = await scenario("three-writes")
    await pool({ addresses: ["172.30.0.209"] })
    await poolReady(namespace)
    const begin = await Audit.mark()
    const [, millis] = await timed(async () => {
      await service("web", "172.30.0.209")
      await served("web")
    })
    const writes = (await Audit.writesSince(begin)).filter((write) => write.namespace === namespace).map(shown)
    const report = "controller: patch ipallocations/status"
    figure(`${writes.length} writes, settled after ${millis} ms`)
    assert.deepStrictEqual(
      writes.filter((write) => write !== report),
      ["controller: create ipallocations", "operator: patch ipallocations/status", "controller: patch services/status"]
    )
    // What is not served within a second says that it waits: on a machine that is that slow one more is in order.
    assert.isAtMost(writes.filter((write) => write === report).length, millis < 1_000 ? 1 : 2)
    assert.strictEqual(writes.at(-1), report)
  })

  it("are none while the controllers are restarted five times and nothing changes", async () => {
    const { namespace, pool, served, service } = await scenario("steady-state")
    const sentinel = await scenario("steady-state-sentinel")
    await pool({ addresses: ["198.51.100.0/29"] })
    await sentinel.pool({ addresses: ["198.51.100.8/29"] })
    const names = [1, 2, 3, 4].map((number) => `web-${number}`)
    for (const [index, name] of names.entries()) await service(name, `198.51.100.${index + 1}`)
    for (const name of names) await served(name)
    await service("refused", "203.0.113.1")
    await eventually("the one that is refused says so", async () => {
      const events = await Cluster.eventsOn("Service", { namespace, name: "refused" })
      return events.length > 0
    })

    const begin = await Audit.mark()
    for (let restart = 1; restart <= 5; restart++) {
      const { leader } = await Product.controllersReady()
      await Cluster.kubectl("-n", Product.namespace, "delete", "pod", leader.metadata.name)
      await Product.controllersReady()
    }
    // All keys were looked at before this one: it is asked for last.
    await sentinel.service("web", "198.51.100.9")
    await sentinel.served("web")
    const writes = (await Audit.writesSince(begin)).filter((write) => write.namespace !== sentinel.namespace)
    figure(`${writes.length} writes in five restarts`)
    assert.deepStrictEqual(writes.map(shown), [])
  })
})
