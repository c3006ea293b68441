/** The plug is pulled on the node that holds an address: silence, and then the next holder, long before Kubernetes notices. */
import { assert, describe, it } from "@effect/vitest"
import { ipAllocations } from "../../src/api/IPAllocation.ts"
import { nodeOf } from "../e2e/harness/Capture.ts"
import { type Evidence, holdingsOf, overlapMillis } from "../e2e/harness/captured.ts"
import * as Cluster from "../e2e/harness/Cluster.ts"
import { byDefault, configured, fast, type Settings, twoOperators } from "../e2e/harness/Configured.ts"
import { eventually } from "../e2e/harness/eventually.ts"
import { cluster, nodeNames } from "../e2e/harness/Lab.ts"
import { probes } from "../e2e/harness/Probe.ts"
import { onNodes, serviceManifest } from "../e2e/harness/Scenario.ts"
import { begin, leadersNode, standbyOrNone } from "../e2e/harness/Trial.ts"

interface Death {
  readonly name: string
  readonly what: string
  readonly settings: Settings
  readonly holder: () => Promise<string>
  readonly number: number
}

/** Of the nodes that have an operator one that the leader is not on. */
const besideTheLeader = async (): Promise<string> => {
  const leaders = await leadersNode()
  return twoOperators.operatorNodes.find((node) => node !== leaders) ?? ""
}

const deaths: ReadonlyArray<Death> = [
  { name: "power-loss", what: "no controller beside it", settings: byDefault, holder: standbyOrNone, number: 160 },
  {
    name: "power-loss-of-leader-too",
    what: "the leading controller on the same node",
    settings: byDefault,
    holder: leadersNode,
    number: 161
  },
  { name: "power-loss-fast", what: "profile fast", settings: fast, holder: standbyOrNone, number: 162 },
  {
    name: "power-loss-fast-of-leader-too",
    what: "profile fast, the leading controller on the same node",
    settings: fast,
    holder: leadersNode,
    number: 163
  },
  {
    name: "power-loss-two-operators",
    what: "in a cluster with two operators",
    settings: twoOperators,
    holder: besideTheLeader,
    number: 164
  }
]

/** The node boots again after the case, once. */
const poweredOn = (holder: string, settings: Settings) => {
  let isOver = false
  return async () => {
    if (!isOver) await cluster("node-power-on", holder)
    isOver = true
    await Cluster.allReady(nodeNames)
    await configured(settings)
  }
}

/** A pod on each of two nodes. */
const onBoth = (nodes: ReadonlyArray<string>): Cluster.Manifest => ({
  affinity: {
    ...Object(onNodes(nodes)["affinity"]),
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "echo" } } }
      ]
    }
  }
})

describe("an address whose node loses power", () => {
  it.each(deaths)("$name: $what", async ({ holder: chosen, name, number, settings }) => {
    await configured(settings)
    const trial = await begin({ name, number, holder: await chosen() })
    const { here, holder } = trial
    const restore = poweredOn(holder, settings)
    here.after(restore)

    await cluster("node-power-off", holder)
    const movedTo = await trial.moved()
    assert.notInclude(movedTo, trial.holder)
    const isNoticed = (await Cluster.readinessOf(holder)) === "Unknown"
    const cost = await trial.cost()
    await restore()
    await trial.client.answer()
    await trial.judge({ cost, movedTo })
    assert.isFalse(isNoticed, "the move came before Kubernetes noticed")
  })

  it("power-loss-http: half of the endpoints are on the dead node, until Kubernetes notices", async () => {
    await configured(byDefault)
    const holder = await standbyOrNone()
    const [other = ""] = nodeNames.filter((node) => node !== holder)
    const trial = await begin({ name: "power-loss-http", number: 165, holder, placement: onBoth([holder, other]) })
    const restore = poweredOn(holder, byDefault)
    trial.here.after(restore)
    const web = await probes(trial.addresses.map((address) => ({ kind: "http", address, port: 80, periodMillis: 20 })))

    await cluster("node-power-off", holder)
    const movedTo = await trial.moved()
    assert.notInclude(movedTo, trial.holder)
    await eventually("Kubernetes notices", async () => (await Cluster.readinessOf(holder)) === "Unknown")
    await eventually("no request is lost any more", async () => {
      const [before, , now] = [await web.report(), await trial.cost(), await web.report()]
      return now.every(({ lost }, index) => lost === before[index]?.lost)
    })
    const families = await web.finish()
    const shown = families.map(({ lost, outageMillis, sent, troubleMillis }) => ({
      sent,
      lost,
      outageMillis,
      troubleMillis
    }))
    const cost = await trial.cost()
    await restore()
    await trial.client.answer()
    await trial.judge({ cost, movedTo, more: () => ({ families: shown }) })
  })

  it("power-loss-hundred: a hundred more addresses are on the dead node", async () => {
    await configured(byDefault)
    const hundred = Array.from({ length: 100 }, (_, index) => `172.30.1.${index + 1}`)
    const trial = await begin({ name: "power-loss-hundred", number: 166, moreAddresses: hundred })
    const { here, holder } = trial
    const restore = poweredOn(holder, byDefault)
    here.after(restore)
    await here.pool({ addresses: ["172.30.1.1-172.30.1.100"] }, `${here.namespace}-hundred`)
    const annotations = { "loadbalancing.plenus.io/preferred-node": holder }
    await Cluster.apply(
      ...hundred.map((address, index) => serviceManifest(here.namespace, `web-${index}`, address, { annotations }))
    )
    await eventually("all are on the holder", async () => {
      const found = await Cluster.list(ipAllocations, { namespace: here.namespace })
      return (
        found.length === hundred.length + 2 &&
        found.every(({ spec, status }) => status?.state === "success" && spec.allocations[0]?.nodeName === holder)
      )
    })

    await cluster("node-power-off", holder)
    const movedTo = await trial.moved()
    assert.notInclude(movedTo, trial.holder)
    await eventually("all are on other nodes", async () => {
      const found = await Cluster.list(ipAllocations, { namespace: here.namespace })
      return found.every(({ spec, status }) => status?.state === "success" && spec.allocations[0]?.nodeName !== holder)
    })
    const cost = await trial.cost()
    await restore()
    await trial.client.answer()
    await trial.judge({ cost, movedTo, more: (evidence) => spreadOf(evidence, hundred, holder) })
  })
})

/** From the first of the addresses that its next holder answers for to the last one. */
const spreadOf = (evidence: ReadonlyArray<Evidence>, addresses: ReadonlyArray<string>, holder: string) => {
  const begins = addresses.map((address) => {
    const answers = evidence.filter((each) => each.address === address && each.kind === "answer")
    return holdingsOf(answers).find(({ port }) => nodeOf(port) !== holder)?.firstMillis ?? Number.NaN
  })
  const overlaps = addresses.map((address) => overlapMillis(evidence.filter((each) => each.address === address)))
  return { spreadMillis: Math.max(...begins) - Math.min(...begins), overlapOfHundredMillis: Math.max(...overlaps) }
}
