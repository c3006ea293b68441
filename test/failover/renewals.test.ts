/**
 * What it costs to hold addresses when nothing happens: operators with few and with many of them, over the same time. CPU is that
 * of the whole container (its tools too), memory that of the agent. Its writes are those of the API server's audit log.
 */
import { assert, describe, it } from "@effect/vitest"
import { ipAllocations } from "../../src/api/IPAllocation.ts"
import * as Audit from "../e2e/harness/Audit.ts"
import * as Cluster from "../e2e/harness/Cluster.ts"
import { byDefault, configured } from "../e2e/harness/Configured.ts"
import { eventually, figure } from "../e2e/harness/eventually.ts"
import { labelledPlaces, nodeNames } from "../e2e/harness/Lab.ts"
import * as Product from "../e2e/harness/Product.ts"
import { scenario, serviceManifest } from "../e2e/harness/Scenario.ts"

const MINUTES = Number(process.env["RENEWALS_MINUTES"] ?? 60)
/** By node. */
const counts = [1, 100, 500]
const total = counts.reduce((sum, count) => sum + count, 0)
const ONE_MINUTE_MILLIS = 60_000
/** What creating them may take, on top of the time that is measured. */
const CREATION_MILLIS = 20 * ONE_MINUTE_MILLIS

const manifestsFor = (namespace: string): ReadonlyArray<Cluster.Manifest> => {
  const nodes = counts.flatMap((count, index) => Array.from({ length: count }, () => nodeNames[index] ?? ""))
  return nodes.map((node, index) =>
    serviceManifest(namespace, `held-${index}`, `172.31.${index >> 8}.${index & 255}`, {
      annotations: { "loadbalancing.plenus.io/preferred-node": node },
      // One port, and no node port: the range has room for 2,768.
      spec: { ports: [{ port: 80, targetPort: 8080 }], allocateLoadBalancerNodePorts: false }
    })
  )
}

interface Sample {
  readonly atMillis: number
  readonly cpuMillis: number
  readonly residentMiB: number
}

const sampleOn = async (node: string): Promise<Sample> => {
  const pod = await Product.operatorOn(node)
  const [cpuMillis, residentMiB] = await Promise.all([
    Product.cpuMillis(pod, "agent.cjs"),
    Product.residentMiB(pod, "agent.cjs")
  ])
  return { atMillis: performance.now(), cpuMillis, residentMiB }
}

const passed = (sinceMillis: number, minutes: number) =>
  eventually(
    `${minutes} minutes have passed`,
    () => Promise.resolve(performance.now() - sinceMillis >= minutes * ONE_MINUTE_MILLIS),
    2 * MINUTES * 60
  )

const thousandthsOfCore = (from: Sample, to: Sample): string =>
  ((1_000 * (to.cpuMillis - from.cpuMillis)) / (to.atMillis - from.atMillis)).toFixed(1)

describe("what renewing costs", () => {
  it(
    `with ${counts.join(", ")} addresses a node, over ${MINUTES} minutes`,
    async () => {
      await configured(byDefault)
      const { namespace, pool } = await scenario("renewals")
      await pool({ addresses: ["172.31.0.0/19"] })
      await Cluster.create(...manifestsFor(namespace))
      await eventually(
        "all are served, and all is written",
        async () => {
          const found = await Cluster.list(ipAllocations, { namespace })
          return found.filter(({ status }) => status?.state === "success").length === total
        },
        CREATION_MILLIS / 1_000
      )
      const places = await labelledPlaces()
      const heldOn = (node: string) => places.filter((each) => each.node === node && each.address.startsWith("172.31."))
      assert.deepStrictEqual(
        nodeNames.map((node) => heldOn(node).length),
        counts
      )

      const begin = performance.now()
      await passed(begin, 1)
      const [mark, markedMillis] = [await Audit.mark(), performance.now()]
      const first = await Promise.all(nodeNames.map(sampleOn))
      const minutes: Array<ReadonlyArray<Sample>> = [first]
      for (let minute = 1; minute <= MINUTES; minute++) {
        await passed(begin, 1 + minute)
        minutes.push(await Promise.all(nodeNames.map(sampleOn)))
      }
      const middle = minutes[Math.floor(MINUTES / 2)] ?? first
      const last = minutes.at(-1) ?? first
      const rows = nodeNames.map((node, index) => {
        const [a, b, c] = [first[index], middle[index], last[index]]
        if (a === undefined || b === undefined || c === undefined) throw new Error(`no sample of ${node}`)
        const resident = minutes.map((each) => each[index]?.residentMiB ?? Number.NaN)
        return {
          addresses: counts[index],
          thousandthsOfCore: { firstHalf: thousandthsOfCore(a, b), secondHalf: thousandthsOfCore(b, c) },
          residentMiB: { first: a.residentMiB, middle: b.residentMiB, last: c.residentMiB, most: Math.max(...resident) }
        }
      })
      const seconds = (performance.now() - markedMillis) / 1_000
      const leaseWrites = await Audit.writesSince(mark, ["leases"])
      const perSecond = (who: string) => (leaseWrites.filter(({ by }) => by === who).length / seconds).toFixed(2)
      const leaseWritesPerSecond = { operators: perSecond("operator"), controllers: perSecond("controller") }
      figure(`renewals ${JSON.stringify({ minutes: MINUTES, rows, leaseWritesPerSecond })}`)
      const others = (await Audit.writesSince(mark)).filter((write) => write.namespace === namespace)
      assert.deepStrictEqual(others, [], "holding an address writes nothing but the lease of the node")
    },
    2 * MINUTES * ONE_MINUTE_MILLIS + CREATION_MILLIS
  )
})
