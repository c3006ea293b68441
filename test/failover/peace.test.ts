/** Addresses that move on purpose: the former holder lets go, and the next one begins at once. */
import { assert, describe, it } from "@effect/vitest"
import * as Cluster from "../e2e/harness/Cluster.ts"
import { byDefault, configured } from "../e2e/harness/Configured.ts"
import { eventually } from "../e2e/harness/eventually.ts"
import { cluster, nodeNames } from "../e2e/harness/Lab.ts"
import * as Product from "../e2e/harness/Product.ts"
import { begin, tell } from "../e2e/harness/Trial.ts"

const excluded = "node.kubernetes.io/exclude-from-external-load-balancers"
const exclude = (node: string) => Cluster.kubectl("label", "node", node, `${excluded}=`)
const include = (node: string) => Cluster.kubectl("label", "node", node, `${excluded}-`)

const moves = [
  { name: "planned-move", what: "the node is excluded", number: 180, start: exclude, end: include, options: {} },
  {
    name: "drain",
    what: "the node is cordoned, and the pool wants that to drain it",
    number: 181,
    start: (node: string) => Cluster.kubectl("cordon", node),
    end: (node: string) => Cluster.kubectl("uncordon", node),
    options: { drainOnCordon: true }
  }
] as const

describe("an address that moves in peace", () => {
  it.each(moves)("$name: $what", async ({ end, name, number, options, start }) => {
    await configured(byDefault)
    const trial = await begin({ name, number, options })
    trial.here.after(() => end(trial.holder))
    await start(trial.holder)
    const movedTo = await trial.moved()
    assert.notInclude(movedTo, trial.holder)
    const cost = await trial.cost()
    await trial.judge({ cost, movedTo })
  })

  it("reboot: the node shuts down, its operator gives everything back, and the power goes", async () => {
    await configured(byDefault)
    const trial = await begin({ name: "reboot", number: 182 })
    const { here, holder } = trial
    const operator = await Product.operatorOn(holder)
    let isOver = false
    const restore = async () => {
      if (!isOver) await cluster("node-power-on", holder)
      isOver = true
      await Cluster.allReady(nodeNames)
      await configured(byDefault)
    }
    here.after(restore)
    // What the service manager does first; the kubelet would start the operator again.
    await cluster("enter-node", holder, "sh", "-c", "kill -STOP $(pgrep -x kubelet)")
    await Product.signal(operator, "agent.cjs", "TERM")
    const movedTo = await trial.moved()
    assert.notInclude(movedTo, trial.holder)
    await cluster("node-power-off", holder)
    const cost = await trial.cost()
    await restore()
    await trial.client.answer()
    await trial.judge({ cost, movedTo })
  })

  it("udp-there-and-back: one source port, while the address goes to another node and comes back", async () => {
    await configured(byDefault)
    const trial = await begin({ name: "udp-there-and-back", number: 183, endpoints: nodeNames })
    const { client, here, holder } = trial
    here.after(() => Promise.all(nodeNames.map((node) => include(node).catch(() => ""))))
    await exclude(holder)
    await trial.moved()
    const there = await trial.cost()
    await include(holder)
    await Promise.all(nodeNames.filter((node) => node !== holder).map(exclude))
    await eventually("both addresses are back", async () => {
      const nodes = await Promise.all(["web", "web6"].map((name) => here.allocation(name)))
      return nodes.every((each) => each?.spec.allocations[0]?.nodeName === holder)
    })
    const isBack = await client.answer().then(
      () => true,
      () => false
    )
    const back = await trial.cost()
    const figures = ({ families }: typeof there) => families.map(({ lost, outageMillis }) => ({ lost, outageMillis }))
    tell({ name: "udp-there-and-back", isBack, there: figures(there), families: figures(back), overlapMillis: 0 })
    assert.isTrue(isBack, "datagrams from the same port are answered again")
  })
})
