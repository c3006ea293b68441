/** The holder is cut off, stopped or dead in ways that leave its kernel running: it must be silent before the next one begins. */
import { assert, describe, it } from "@effect/vitest"
import * as Cluster from "../e2e/harness/Cluster.ts"
import { byDefault, configured } from "../e2e/harness/Configured.ts"
import { eventually } from "../e2e/harness/eventually.ts"
import { cluster, nodeNames } from "../e2e/harness/Lab.ts"
import * as Product from "../e2e/harness/Product.ts"
import { begin } from "../e2e/harness/Trial.ts"

interface Trouble {
  readonly name: string
  readonly what: string
  readonly number: number
  readonly start: (node: string) => Promise<unknown>
  readonly end: (node: string) => Promise<unknown>
}

const troubles: ReadonlyArray<Trouble> = [
  {
    name: "all-killed",
    what: "all software of the node is killed while its kernel lives",
    number: 170,
    start: (node) => cluster("node-kill", node),
    end: (node) => cluster("node-power-on", node)
  },
  {
    name: "cut-from-api",
    what: "the node is cut off from the API server",
    number: 171,
    start: (node) => cluster("node-cut-api", node),
    end: (node) => cluster("node-heal-api", node)
  },
  {
    name: "agent-stopped",
    what: "the operator is stopped for longer than the lease, and goes on",
    number: 172,
    start: async (node) => Product.signal(await Product.operatorOn(node), "agent.cjs", "STOP"),
    end: async (node) => Product.signal(await Product.operatorOn(node), "agent.cjs", "CONT")
  },
  {
    name: "deaf",
    what: "nothing reaches the node any more, and what it sends goes out",
    number: 173,
    start: (node) => cluster("node-cut-lan", node, "in"),
    end: (node) => cluster("node-heal-lan", node)
  },
  {
    name: "mute",
    what: "nothing that the node sends gets out, and it hears everything",
    number: 174,
    start: (node) => cluster("node-cut-lan", node, "out"),
    end: (node) => cluster("node-heal-lan", node)
  },
  {
    name: "cut-from-all",
    what: "no frame comes or goes, and all its software runs",
    number: 175,
    start: (node) => cluster("node-cut-lan", node, "both"),
    end: (node) => cluster("node-heal-lan", node)
  }
]

describe("an address whose holder is silent but not dead", () => {
  it.each(troubles)("$name: $what", async ({ end, name, number, start }) => {
    await configured(byDefault)
    const trial = await begin({ name, number })
    const { here, holder } = trial
    let isOver = false
    const restore = async () => {
      if (!isOver) await end(holder)
      isOver = true
      await Cluster.allReady(nodeNames)
      await configured(byDefault)
    }
    here.after(restore)
    const stale = await trial.rememberHolder()

    await start(holder)
    const movedTo = await trial.moved()
    assert.notInclude(movedTo, trial.holder)
    const cost = await trial.cost()
    await stale.forget()
    await restore()
    await trial.client.answer()
    await trial.judge({ cost, movedTo, acceptedByOne: true })
  })

  it("cut-from-clients: the node is cut off from clients alone, which nobody but they can see", async () => {
    await configured(byDefault)
    const trial = await begin({ name: "cut-from-clients", number: 176 })
    const { here, holder } = trial
    let isOver = false
    const heal = async () => {
      if (!isOver) await cluster("node-heal-lan", holder)
      isOver = true
    }
    here.after(heal)
    await cluster("node-cut-lan", holder, "client")
    // For longer than any lease lasts.
    await eventually("nine seconds without an answer", async () =>
      (await trial.client.report()).every(({ longestGapMillis }) => longestGapMillis > 9_000)
    )
    await heal()
    await trial.client.answer()
    const cost = await trial.cost()
    await trial.judge({ cost })
    assert.strictEqual((await here.allocation("web"))?.spec.allocations[0]?.nodeName, holder)
  })
})
