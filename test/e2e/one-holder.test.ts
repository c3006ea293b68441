/**
 * An address never has two holders. What holds it is cut off, stopped or killed in ways that leave its kernel running and the
 * address on its interface; who answers on the segment is what a client sees there, and so is what a client that still
 * knows the old holder gets from it: nothing.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure } from "./harness/eventually.ts"
import { type HolderWatch, watchHolders } from "./harness/HolderWatch.ts"
import { cluster, httpFromClient, nodeNames, onClient, onNode, placesOf } from "./harness/Lab.ts"
import { probe } from "./harness/Probe.ts"
import * as Product from "./harness/Product.ts"
import { onNodes, type Scenario, scenario } from "./harness/Scenario.ts"

const macOf = async (node: string): Promise<string> =>
  JSON.parse(await onNode(node, "ip", "-j", "link", "show", "dev", "eth0"))[0].address

/** As a client finds it that has not heard of the move. */
const answersStaleClient = async (address: string, node: string): Promise<boolean> => {
  await onClient("ip", "neigh", "replace", address, "lladdr", await macOf(node), "dev", "eth0", "nud", "permanent")
  const body = await httpFromClient(address)
  await onClient("ip", "neigh", "delete", address, "dev", "eth0")
  return body !== undefined
}

/** By what of ours there is on the node; the agent is the operator's process. */
const troubles: ReadonlyArray<{
  readonly name: string
  readonly what: string
  readonly address: string
  readonly begin: (node: string) => Promise<unknown>
  readonly end: (node: string) => Promise<unknown>
}> = [
  {
    name: "all-killed",
    what: "all software of the node is killed while its kernel lives",
    address: "172.30.0.230",
    begin: (node) => cluster("node-kill", node),
    end: (node) => cluster("node-power-on", node)
  },
  {
    name: "cut-from-api",
    what: "the node is cut off from the API server",
    address: "172.30.0.231",
    begin: (node) => cluster("node-cut-api", node),
    end: (node) => cluster("node-heal-api", node)
  },
  {
    name: "agent-stopped",
    what: "the operator is stopped, and goes on later",
    address: "172.30.0.232",
    begin: async (node) => Product.signal(await Product.operatorOn(node), "agent.cjs", "STOP"),
    end: async (node) => Product.signal(await Product.operatorOn(node), "agent.cjs", "CONT")
  }
]

/** Served on a node without pods of the Service: kube-proxy spreads over those of a dead node until Kubernetes notices. */
const servedAlone = async ({ pool, served, service, workload }: Scenario, address: string) => {
  await pool({ addresses: [address] })
  await service("web", address)
  const { node } = await served("web")
  await workload(onNodes(nodeNames.filter((each) => each !== node)))
  return node
}

const becomes = async (watch: HolderWatch, { allocation }: Scenario, before: string): Promise<string> => {
  const next = await eventually("the IPAllocation names another node", async () => {
    const node = (await allocation("web"))?.spec.allocations[0]?.nodeName
    return node !== before && node
  })
  await watch.answers(next)
  return next
}

describe("an address whose holder is silent but not dead", () => {
  beforeAll(Product.installed)

  it.each(troubles)("has one holder at a time when $what", async ({ address, begin, end, name }) => {
    const here = await scenario(`one-holder-${name}`)
    const before = await servedAlone(here, address)
    const client = await probe(address)
    const watch = await watchHolders(address)
    await watch.answers(before)
    let isOver = false
    const restore = async () => {
      if (isOver) return
      isOver = true
      await end(before)
      await Cluster.allReady(nodeNames)
      await Product.installed()
    }
    here.after(restore)

    await begin(before)
    const after = await becomes(watch, here, before)
    await client.answers()
    const { longestGapMillis } = await client.report()
    figure(`${name}: outage ${longestGapMillis} ms, ${watch.turns().length} holders in turn`)
    assert.deepStrictEqual(
      (await placesOf(address)).map(({ node }) => node).toSorted(),
      [before, after].toSorted(),
      "the kernel of the old holder still has the address on its interface"
    )
    assert.isFalse(await answersStaleClient(address, before), "the old holder accepts nothing any more")
    assert.isTrue(await answersStaleClient(address, after))

    await restore()
    await eventually("only the new holder has it", async () => {
      const places = await placesOf(address)
      return places.length === 1 && places[0]?.node === after
    })
    await watch.answers(after)
    assert.deepStrictEqual(watch.turns(), [before, after], "each answered in its turn, and nobody beside the other")
  })

  it("goes on being served by its node while all operators are replaced", async () => {
    const here = await scenario("one-holder-upgrade")
    const node = await servedAlone(here, "172.30.0.233")
    const client = await probe("172.30.0.233")
    const watch = await watchHolders("172.30.0.233")
    await watch.answers(node)
    const entry = (await here.allocation("web"))?.spec.allocations[0]
    const before = await Product.operatorOn(node)
    await Cluster.kubectl("-n", Product.namespace, "rollout", "restart", "daemonset/plenuslb-operator")
    await eventually("another operator runs there", async () => {
      const pods = (await Product.podsOf("plenuslb-operator")).filter(({ spec }) => spec?.nodeName === node)
      return pods.length === 1 && pods[0]?.metadata.uid !== before.metadata.uid
    })
    await Product.operatorsRolledOut()
    await client.answers()
    await watch.answers(node)
    const { longestGapMillis, lost, sent } = await client.finish()
    figure(`operators replaced: ${lost} of ${sent} probes lost, longest gap ${longestGapMillis} ms`)
    assert.deepStrictEqual(watch.turns(), [node])
    assert.deepStrictEqual((await here.allocation("web"))?.spec.allocations[0], entry, "same node, hold id and epoch")
  })

  it("moves without waiting for a silence when its node is shut down in peace", async () => {
    const here = await scenario("one-holder-shutdown")
    const node = await servedAlone(here, "172.30.0.234")
    const client = await probe("172.30.0.234")
    const watch = await watchHolders("172.30.0.234")
    await watch.answers(node)
    // What the service manager does first; the kubelet would start the operator again.
    await cluster("enter-node", node, "sh", "-c", "kill -STOP $(pgrep -x kubelet)")
    here.after(() => cluster("enter-node", node, "sh", "-c", "kill -CONT $(pgrep -x kubelet)"))
    await Product.signal(await Product.operatorOn(node), "agent.cjs", "TERM")
    const after = await becomes(watch, here, node)
    await client.answers()
    figure(`shut down in peace: outage ${(await client.report()).longestGapMillis} ms`)
    assert.deepStrictEqual(watch.turns(), [node, after])
    assert.deepStrictEqual(
      (await placesOf("172.30.0.234")).map((each) => each.node),
      [after]
    )
  })

  it("goes on being served by its node while the API server is away for two minutes", async () => {
    const here = await scenario("one-holder-no-api")
    const node = await servedAlone(here, "172.30.0.235")
    const client = await probe("172.30.0.235")
    const watch = await watchHolders("172.30.0.235")
    await watch.answers(node)
    const entry = (await here.allocation("web"))?.spec.allocations[0]
    let isOver = false
    const heal = async () => {
      if (!isOver) await Promise.all(nodeNames.map((each) => cluster("node-heal-api", each)))
      isOver = true
      await Cluster.allReady(nodeNames)
      await Product.installed()
    }
    here.after(heal)
    await Promise.all(nodeNames.map((each) => cluster("node-cut-api", each)))
    client.restart()
    const probesCount = 120 * (await client.report()).perSecond
    await eventually(
      "two minutes of probes",
      async () => {
        const { perSecond, sent } = await client.report()
        return sent >= Math.max(probesCount, 120 * perSecond)
      },
      600
    )
    const { longestGapMillis, lost, sent } = await client.report()
    figure(`no API server: ${lost} of ${sent} probes lost, longest gap ${longestGapMillis} ms`)
    await heal()
    await client.answers()
    await watch.answers(node)
    const { longestGapMillis: later } = await client.report()
    figure(`until it was back and all was well: longest gap ${later} ms`)
    assert.deepStrictEqual(watch.turns(), [node], "it never moved")
    assert.deepStrictEqual((await here.allocation("web"))?.spec.allocations[0], entry, "same node, hold id and epoch")
  })
})
