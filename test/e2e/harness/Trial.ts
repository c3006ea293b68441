/**
 * One failure, as a client on the segment lives through it: an IPv4 and an IPv6 address on the same node, which is chosen, asked
 * 200 times a second each; connections that are to live on; and a capture at every node's port, from which it is judged that no
 * two nodes held an address at a time.
 */
import { assert } from "@effect/vitest"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import { askWhoHolds, capture, type Capture, keyOf, nodeOf, stalePath } from "./Capture.ts"
import { type Evidence, holdingsOf, overlapMillis } from "./captured.ts"
import * as Cluster from "./Cluster.ts"
import { eventually, figure } from "./eventually.ts"
import { nodeNames } from "./Lab.ts"
import { type Probes, probes } from "./Probe.ts"
import type { ProbeReport, Target } from "./probe-client.ts"
import * as Product from "./Product.ts"
import { onNodes, type Scenario, scenario } from "./Scenario.ts"

const PERIOD_MILLIS = 5
const STALE_PERIOD_MILLIS = 20
const STALE_PORT = 4_001
const CONNECTIONS_COUNT = 4

export interface Spec {
  readonly name: string
  /** Of the addresses 172.30.0.N and fd00:172:30::1:N; no two trials share it. */
  readonly number: number
  /** Where the leading controller runs, or where no controller does; a node's name. */
  readonly holder?: string
  /** Default: all nodes but the holder, since kube-proxy spreads over a dead node's until Kubernetes notices. */
  readonly endpoints?: ReadonlyArray<string>
  /** Instead of `endpoints`. */
  readonly placement?: Cluster.Manifest
  /** Further addresses of which the capture is to tell. */
  readonly moreAddresses?: ReadonlyArray<string>
  readonly options?: Cluster.Manifest
}

export interface Trial {
  readonly here: Scenario
  readonly holder: string
  readonly addresses: readonly [string, string]
  /** UDP probes: IPv4, IPv6. */
  readonly client: Probes
  /** Until both addresses are named to another node, each to its own, and answer. */
  readonly moved: () => Promise<ReadonlyArray<string>>
  /** From now on a client that knows only the holder asks there, and what it gets counts; until `forget`. */
  readonly rememberHolder: () => Promise<{ readonly forget: () => Promise<void> }>
  /** What the failure cost so far. Begins to count anew. */
  readonly cost: () => Promise<Cost>
  /** The end: whatever is to be done to the cluster is done. */
  readonly judge: (judging?: Judging) => Promise<ReadonlyArray<Evidence>>
}

export interface Cost {
  readonly families: readonly [ProbeReport, ProbeReport]
}

export interface Judging {
  readonly cost?: Cost
  /** Absent: it must be where it was. */
  readonly movedTo?: ReadonlyArray<string>
  /** Further figures of the case. */
  readonly more?: (evidence: ReadonlyArray<Evidence>) => { readonly [name: string]: unknown }
  readonly connectionsLive?: boolean
  /** Also of packets that are sent to whoever held it; elsewhere kube-proxy forwards what comes to a former holder. */
  readonly acceptedByOne?: boolean
}

export const standbyOrNone = async (): Promise<string> => {
  const { leader, standby } = await Product.controllersReady()
  const taken = [leader.spec?.nodeName, standby.spec?.nodeName]
  return nodeNames.find((node) => !taken.includes(node)) ?? ""
}

export const leadersNode = async (): Promise<string> => (await Product.controllersReady()).leader.spec?.nodeName ?? ""

const ports = [
  { name: "http", port: 80, targetPort: 8080 },
  { name: "udp", port: 80, targetPort: 8080, protocol: "UDP" },
  { name: "tcp", port: 81, targetPort: 8081 }
]

const serviceNames = ["web", "web6"] as const

const onto = (interfaceName: string) => ({ addAddressesToInterface: true, interfaceName })

const single = (family: string) => ({ ports, ipFamilyPolicy: "SingleStack", ipFamilies: [family] })

const place = async (
  here: Scenario,
  addresses: readonly [string, string],
  holder: string,
  options: Cluster.Manifest
) => {
  const [four, six] = addresses
  await here.pool({ addresses: [four], options: { ...options, hostNetworkInterface: onto("pl0") } })
  const pool6 = `${here.namespace}-6`
  await here.pool({ addresses: [six], options: { ...options, hostNetworkInterface: onto("eth0") } }, pool6)
  await eventually(`${holder} says that its interfaces can be used`, async () => {
    const lease = (await Product.nodeLeases()).map(NodeLease.read).find((each) => each?.node === holder)
    return lease?.interfaces["pl0"] === "" && lease.interfaces["eth0"] === ""
  })
  const annotations = { "loadbalancing.plenus.io/preferred-node": holder }
  await here.service("web", four, { annotations, spec: single("IPv4") })
  await here.service("web6", six, { annotations, spec: single("IPv6") })
  for (const name of serviceNames) assert.strictEqual((await here.served(name)).node, holder, "placed on purpose")
}

const target = (address: string): Target => ({ kind: "udp", address, port: 80, periodMillis: PERIOD_MILLIS })

const connection = (address: string): Target => ({ kind: "tcp", address, port: 81, periodMillis: 20 })

/** Of each pod: what reached it and found its socket full, which is no loss of the address. */
const droppedByEcho = async (namespace: string): Promise<ReadonlyArray<number>> => {
  const pods = await Cluster.kubectl("-n", namespace, "get", "pods", "--selector=app=echo", "--output=name")
  const lookInto = (pod: string) => Cluster.kubectl("-n", namespace, "exec", pod, "--", "/echo", "dropped")
  return (await Promise.all(pods.trim().split("\n").map(lookInto))).map(Number)
}

export const begin = async (spec: Spec): Promise<Trial> => {
  const { endpoints, holder: chosen, moreAddresses = [], name, number, options = {}, placement } = spec
  const addresses = [`172.30.0.${number}`, `fd00:172:30::1:${number}`] as const
  const holder = chosen ?? (await standbyOrNone())
  const here = await scenario(`bench-${name}`)
  await place(here, addresses, holder, options)
  await here.workload(placement ?? onNodes(endpoints ?? nodeNames.filter((node) => node !== holder)))
  const captured = await capture([...addresses, ...moreAddresses])
  await askWhoHolds(addresses)
  const client = await probes(addresses.map(target))
  const connections = await probes(
    addresses.flatMap((address) => Array.from({ length: CONNECTIONS_COUNT }, () => connection(address)))
  )

  const moved = async () => {
    const nodes = await Promise.all(
      serviceNames.map((service) =>
        eventually(`${service} is named to another node`, async () => {
          const node = (await here.allocation(service))?.spec.allocations[0]?.nodeName
          return node !== holder && node
        })
      )
    )
    await client.answer()
    return nodes
  }

  const rememberHolder = async () => {
    for (const address of addresses) await stalePath(holder, address, STALE_PORT)
    const stale = await probes(
      addresses.map((address) => ({ ...target(address), periodMillis: STALE_PERIOD_MILLIS, sourcePort: STALE_PORT }))
    )
    return { forget: async () => void (await stale.finish()) }
  }

  const cost = async (): Promise<Cost> => {
    // Everything that was sent before had time to be answered.
    const before = (await client.report()).map(({ sent }) => sent)
    await eventually("a second and a half of probes", async () =>
      (await client.report()).every(({ sent }, index) => sent >= (before[index] ?? 0) + 1_500 / PERIOD_MILLIS)
    )
    const [four, six] = await client.report()
    if (four === undefined || six === undefined) throw new Error("the probe told nothing")
    if (four.lost + six.lost > 0) {
      figure(`dropped by the echo pods' own sockets: ${(await droppedByEcho(here.namespace)).join(", ")}`)
    }
    client.restart()
    return { families: [four, six] }
  }

  const judge = async (judging: Judging = {}) => {
    const [four, six] = await client.finish()
    const broken = (await connections.finish()).filter(({ isBroken }) => isBroken).length
    if (four === undefined || six === undefined) throw new Error("the probe told nothing")
    const families = judging.cost?.families ?? ([four, six] as const)
    const after = judging.cost === undefined ? undefined : [four, six]
    return judged(name, addresses, captured, holder, { ...judging, families, after, broken })
  }

  return { here, holder, addresses, client, moved, rememberHolder, cost, judge }
}

interface Judged extends Omit<Judging, "cost"> {
  readonly families: readonly [ProbeReport, ProbeReport]
  readonly after: ReadonlyArray<ProbeReport> | undefined
  readonly broken: number
}

/** The bench reads this line. */
export const tell = (figures: { readonly [name: string]: unknown }): void => figure(`bench ${JSON.stringify(figures)}`)

const relative = (evidence: ReadonlyArray<Evidence>) => {
  const began = evidence[0]?.atMillis ?? 0
  return holdingsOf(evidence)
    .map(({ firstMillis, lastMillis, port }) => {
      const [from, to] = [firstMillis - began, lastMillis - began]
      return `${nodeOf(port)} ${from.toFixed(1)}..${to.toFixed(1)} ms`
    })
    .join(", ")
}

const judged = async (
  name: string,
  addresses: readonly [string, string],
  captured: Capture,
  holder: string,
  {
    acceptedByOne = false,
    after,
    broken,
    connectionsLive = false,
    families,
    more = () => ({}),
    movedTo = [holder, holder]
  }: Judged
) => {
  const evidence = await captured.evidence()
  const overlaps = addresses.map((address) => {
    const own = evidence.filter((each) => each.address === keyOf(address))
    const answers = own.filter(({ kind }) => kind === "answer")
    return { address, own, answers, answered: overlapMillis(answers), accepted: overlapMillis(own) }
  })
  const overlap = Math.max(...overlaps.map(({ accepted, answered }) => (acceptedByOne ? accepted : answered)))
  tell({
    name,
    families: families.map(({ latestMillis, longestGapMillis, lost, lostNumbers, outageMillis, received, sent }) => ({
      sent,
      received,
      lost,
      lostNumbers,
      outageMillis,
      longestGapMillis,
      latestMillis
    })),
    lostAfterwards: after?.map(({ lost }) => lost),
    brokenConnections: broken,
    overlapMillis: overlap,
    acceptedMillis: Math.max(...overlaps.map(({ accepted }) => accepted)),
    ...more(evidence)
  })
  for (const { address, answers, own } of overlaps) {
    figure(`${address} was answered for by ${relative(answers)}; packets accepted or answered by ${relative(own)}`)
  }
  assert.strictEqual(overlap, 0, "no two nodes hold an address at a time")
  for (const [index, { answers, address }] of overlaps.entries()) {
    const nodes = holdingsOf(answers).map(({ port }) => nodeOf(port))
    assert.deepStrictEqual(nodes, [...new Set([holder, movedTo[index]])], `who answered for ${address}`)
  }
  if (connectionsLive) assert.strictEqual(broken, 0, "every connection lives on")
  return evidence
}
