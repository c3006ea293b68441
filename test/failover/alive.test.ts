/** What an address must not notice: its node's kernel serves on. */
import { assert, describe, it } from "@effect/vitest"
import { ipAllocations } from "../../src/api/IPAllocation.ts"
import * as NodeLease from "../../src/api/NodeLease.ts"
import * as Cluster from "../e2e/harness/Cluster.ts"
import { byDefault, configured } from "../e2e/harness/Configured.ts"
import { eventually, figure, timed } from "../e2e/harness/eventually.ts"
import { cluster, nodeNames } from "../e2e/harness/Lab.ts"
import * as Product from "../e2e/harness/Product.ts"
import { serviceManifest } from "../e2e/harness/Scenario.ts"
import { begin, type Trial } from "../e2e/harness/Trial.ts"

const nonceOn = async (node: string) => {
  const read = (await Product.nodeLeases()).map(({ metadata }) => metadata.annotations ?? {})
  return read.find((annotations) => annotations["loadbalancing.plenus.io/node"] === node)?.[
    "loadbalancing.plenus.io/nonce"
  ]
}

const podNames = async (name: "plenuslb" | "plenuslb-operator") =>
  (await Product.podsOf(name)).map(({ metadata }) => metadata.name)

/** All Pods are others than before, and well. */
const replaced = async (what: "deployment/plenuslb" | "daemonset/plenuslb-operator") => {
  const name = what === "deployment/plenuslb" ? "plenuslb" : "plenuslb-operator"
  const before = new Set(await podNames(name))
  await Cluster.kubectl("-n", Product.namespace, "rollout", "restart", what)
  await eventually("no Pod is of before", async () => (await podNames(name)).every((each) => !before.has(each)))
  await configured(byDefault)
}

const agentKilled = async ({ holder }: Trial) => {
  const before = await nonceOn(holder)
  await Product.kill(await Product.operatorOn(holder), "agent.cjs")
  await eventually("a new operator has registered", async () => (await nonceOn(holder)) !== before)
}

const awhile = async (trial: Trial, seconds: number) => {
  const until = (await trial.client.report()).map(({ perSecond, sent }) => sent + perSecond * seconds)
  await eventually(
    `${seconds} seconds of probes`,
    async () => (await trial.client.report()).every(({ sent }, index) => sent >= (until[index] ?? 0)),
    600
  )
}

const withoutApi = async (trial: Trial) => {
  let isOver = false
  const heal = async () => {
    if (!isOver) await Promise.all(nodeNames.map((each) => cluster("node-heal-api", each)))
    isOver = true
  }
  trial.here.after(heal)
  await Promise.all(nodeNames.map((each) => cluster("node-cut-api", each)))
  await awhile(trial, 120)
  await heal()
  await Cluster.allReady(nodeNames)
  await configured(byDefault)
}

const withOneApiOfTwo = async (trial: Trial) => {
  trial.here.after(() => cluster("second-api", "down"))
  await cluster("second-api", "up")
  // So that connections to the Service address are made with both to choose from.
  await replaced("daemonset/plenuslb-operator")
  await replaced("deployment/plenuslb")
  let isOver = false
  const heal = async () => {
    if (!isOver) await cluster("second-api", "heal")
    isOver = true
  }
  trial.here.after(heal)
  await cluster("second-api", "cut")
  await awhile(trial, 60)
  await heal()
  await configured(byDefault)
}

const BURST = Number(process.env["FAILOVER_BURST"] ?? 5_000)
const BURST_MAX_SECONDS = BURST
const IN_PARALLEL = 8

/** One port and no node port: the range has room for 2,768. */
const burstManifest = (namespace: string, index: number): Cluster.Manifest => {
  const spec = { ports: [{ port: 80, targetPort: 8080 }], allocateLoadBalancerNodePorts: false }
  const address = `172.31.${index >> 8}.${index & 255}`
  const { metadata, ...manifest } = serviceManifest(namespace, `burst-${index}`, address, { spec })
  return { ...manifest, metadata: { ...Object(metadata), labels: { burst: "yes" } } }
}

const holdIds = async () =>
  Object.fromEntries((await Product.nodeLeases()).map(NodeLease.read).map((lease) => [lease?.node, lease?.holdId]))

const burst = async ({ here }: Trial) => {
  const { namespace } = here
  const before = await holdIds()
  await here.pool({ addresses: ["172.31.0.0/19"] }, `${namespace}-many`)
  const clear = () =>
    eventually(
      "the Services of the burst are deleted",
      async () => {
        await Cluster.kubectl("delete", "--raw", `/api/v1/namespaces/${namespace}/services?labelSelector=burst%3Dyes`)
        return (await Cluster.list(ipAllocations, { namespace })).length <= 2
      },
      BURST_MAX_SECONDS
    )
  here.after(clear)
  const all = Array.from({ length: BURST }, (_, index) => burstManifest(namespace, index))
  const [, created] = await timed(() =>
    Promise.all(
      Array.from({ length: IN_PARALLEL }, (_, part) =>
        Cluster.create(...all.filter((_each, index) => index % IN_PARALLEL === part))
      )
    )
  )
  const [, served] = await timed(() =>
    eventually(
      "all are served",
      async () => {
        const found = await Cluster.list(ipAllocations, { namespace })
        return found.filter(({ status }) => status?.state === "success").length >= BURST
      },
      BURST_MAX_SECONDS
    )
  )
  figure(`${BURST} Services created in ${created} ms, all served ${served} ms later`)
  assert.deepStrictEqual(await holdIds(), before, "nobody was fenced")
  await clear()
  assert.deepStrictEqual(await holdIds(), before, "nor while they went")
}

const cases = [
  { name: "agent-killed", what: "kill -9, and pid 1 starts it again", number: 150, happens: agentKilled },
  {
    name: "operators-replaced",
    what: "all operators are replaced",
    number: 151,
    happens: () => replaced("daemonset/plenuslb-operator")
  },
  {
    name: "controllers-replaced",
    what: "both controllers are replaced",
    number: 152,
    happens: () => replaced("deployment/plenuslb")
  },
  { name: "no-api-server", what: "the API server is away for two minutes, and back", number: 153, happens: withoutApi },
  {
    name: "one-api-server-of-two",
    what: "one of two API servers is a black hole for a minute",
    number: 154,
    happens: withOneApiOfTwo
  },
  {
    name: "nothing",
    what: "nothing happens: what the measuring itself loses",
    number: 155,
    happens: (trial: Trial) => awhile(trial, 60)
  }
]

/** Created, served, deleted. */
const burstCase = { name: "burst", what: `${BURST} Services at the same time`, number: 156, happens: burst }
const burstMaxMillis = 3_000 * BURST_MAX_SECONDS

describe("an address whose node's kernel serves on", () => {
  const lostBy = async ({ happens, name, number }: (typeof cases)[number]) => {
    await configured(byDefault)
    const trial = await begin({ name, number })
    const entries = async () =>
      Promise.all(["web", "web6"].map(async (each) => (await trial.here.allocation(each))?.spec.allocations[0]))
    const before = await entries()
    await happens(trial)
    await trial.client.answer()
    const now = await trial.client.report()
    figure(`on their way at this moment: ${now.map(({ received, sent }) => sent - received).join(", ")}`)
    const cost = await trial.cost()
    await trial.judge({ cost, connectionsLive: true })
    assert.deepStrictEqual(await entries(), before, "same node, hold id and epoch")
    return cost.families.map(({ lost }) => lost)
  }
  it.each(cases)("$name: $what", async (each) => {
    assert.deepStrictEqual(await lostBy(each), [0, 0])
  })
  it.each([burstCase])(
    "$name: $what",
    async (each) => {
      assert.deepStrictEqual(await lostBy(each), [0, 0])
    },
    burstMaxMillis
  )
})
