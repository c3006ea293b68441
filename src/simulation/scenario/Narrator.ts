/**
 * Tells what happened in sentences for people: who was granted what, which kernel holds it, what Services show. Times are
 * since the commands of the block, to the half second: a millisecond more or less is no other behaviour.
 */
import type { IPAllocation, Allocation, AddressStatus } from "../../api/IPAllocation.ts"
import { leases, type Lease } from "../../api/Lease.ts"
import { leaderLeaseName } from "../../api/Names.ts"
import * as NodeLease from "../../api/NodeLease.ts"
import type { Service } from "../../api/Service.ts"
import * as HoldId from "../../domain/HoldId.ts"
import type { CloudAddressTruth, GroundTruth, TruthEvent } from "../../invariants/GroundTruth.ts"
import type { MemoryKubernetes } from "../../memory/kubernetes/MemoryKubernetes.ts"
import { collectionOf } from "../../memory/kubernetes/Kind.ts"
import type { Kernel } from "../kernel/Kernel.ts"

const listed = (items: ReadonlyArray<string>): string => (items.length === 0 ? "nothing" : items.join(", "))

const holderOf = ({ cloudProvider, epoch, nodeName, previous = [] }: Allocation): string => {
  if (nodeName === undefined) return previous.length > 0 ? "to be let go" : "without a node"
  const told = (node: string) => (cloudProvider === undefined ? `, after ${node} let go` : `, while ${node} serves on`)
  const after = previous.map(({ node }) => told(node)).join("")
  return `to be held by ${nodeName}${epoch === undefined ? "" : `, epoch ${epoch}`}${after}`
}

const grant = (entry: Allocation): string =>
  isIntent(entry)
    ? `one ${entry.family ?? "IPv4"} of pool ${entry.pool}, which is to be bought`
    : `${entry.address} of pool ${entry.pool}, ${holderOf(entry)}`

const isIntent = ({ address }: Allocation): boolean => address === ""

const ackOf = ({ address, epoch, node, phase }: AddressStatus): string =>
  `${node} reports ${address}: ${phase}${epoch === undefined ? "" : `, epoch ${epoch}`}`

const shownBy = (service: Service | undefined): ReadonlyArray<string> =>
  (service?.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])

const aboutService = (key: string, before: Service | undefined, after: Service | undefined) => {
  const [was, is] = [shownBy(before), shownBy(after)]
  if (after === undefined) return before === undefined ? [] : [`Service ${key} is gone`]
  return was.join() === is.join() ? [] : [`Service ${key} shows ${listed(is)}`]
}

const aboutSpec = (key: string, before: IPAllocation, after: IPAllocation): ReadonlyArray<string> => {
  const [was, is] = [before.spec.allocations, after.spec.allocations]
  const changed = is.flatMap((entry) => {
    const old = was.find(({ address }) => address === entry.address)
    if (old === undefined) return [`${key} is granted ${grant(entry)}`]
    return holderOf(old) === holderOf(entry) ? [] : [`${key}: ${entry.address} is ${holderOf(entry)}`]
  })
  const gone = was.filter((entry) => !isIntent(entry) && !is.some(({ address }) => address === entry.address))
  return [...changed, ...gone.map(({ address }) => `${key} has ${address} no more`)]
}

const aboutStatus = (key: string, before: IPAllocation | undefined, after: IPAllocation): ReadonlyArray<string> => {
  const known = new Set((before?.status?.addresses ?? []).map(ackOf))
  const acknowledged = (after.status?.addresses ?? []).map(ackOf).filter((each) => !known.has(each))
  const { message = "", state } = after.status ?? {}
  const isSame = state === before?.status?.state && message === (before?.status?.message ?? "")
  return [...acknowledged, ...(isSame ? [] : [`${key} is told ${state}${message === "" ? "" : `: ${message}`}`])]
}

const aboutAllocation = (
  key: string,
  before: IPAllocation | undefined,
  after: IPAllocation | undefined
): ReadonlyArray<string> => {
  if (after === undefined) return [`IPAllocation ${key} is gone`]
  const marked = before?.metadata.deletionTimestamp === undefined && after.metadata.deletionTimestamp !== undefined
  if (before === undefined) {
    const granted = after.spec.allocations.map(grant)
    return [`${key} is granted ${listed(granted)}`]
  }
  return [
    ...aboutSpec(key, before, after),
    ...aboutStatus(key, before, after),
    ...(marked ? [`IPAllocation ${key} is to be deleted`] : [])
  ]
}

const aboutHeld = ({ address, by, isHeld, node }: Extract<TruthEvent, { readonly type: "Held" }>): string => {
  const cause = by.startsWith("operator-") ? "" : ` (${by})`
  return isHeld ? `${node} answers for ${address}${cause}` : `${node} answers for ${address} no more${cause}`
}

const aboutLease = (before: Lease | undefined, after: Lease | undefined): ReadonlyArray<string> => {
  if (after === undefined) return []
  if (after.metadata.name === leaderLeaseName) {
    const [was = "", is = ""] = [before, after].map((each) => each?.spec?.holderIdentity)
    // Which of the two it is, milliseconds decide.
    return was === is ? [] : [is === "" ? "no controller leads any more" : "a controller leads"]
  }
  const [was, is] = [before, after].map((each) => (each === undefined ? undefined : NodeLease.read(each)))
  if (is === undefined) return []
  if (was?.fenced !== is.fenced && is.fenced !== undefined) return [`${is.node} is fenced`]
  if (was?.holdId === is.holdId) return []
  return [`${is.node} registers, generation ${HoldId.generationOf(is.holdId)}`]
}

const ownerOf = ({ labels }: CloudAddressTruth): string =>
  labels["ownership"] === undefined
    ? "nobody's"
    : `${labels["ownership"]} for ${labels["namespace"]}/${labels["service"]}`

const aboutAddress = (was: CloudAddressTruth | undefined, is: CloudAddressTruth): ReadonlyArray<string> => [
  ...(was === undefined ? [`cloud: ${is.network} is bought`] : []),
  ...(was === undefined || ownerOf(was) === ownerOf(is) ? [] : [`cloud: ${is.network} is ${ownerOf(is)}`]),
  ...(was?.node === is.node ? [] : [`cloud: ${is.network} is routed to ${is.node ?? "no server"}`])
]

const aboutCloud = (before: ReadonlyArray<CloudAddressTruth>, after: ReadonlyArray<CloudAddressTruth>) => [
  ...after.flatMap((is) =>
    aboutAddress(
      before.find(({ id }) => id === is.id),
      is
    )
  ),
  ...before
    .filter(({ id }) => !after.some((is) => is.id === id))
    .map(({ network }) => `cloud: ${network} is given back`)
]

const registers = / registers, generation /

export class Narrator {
  private lines: Array<string> = []
  private readonly kernel: Kernel
  private sinceMillis: number
  /** When something was last told. */
  lastMillis: number

  constructor(kernel: Kernel) {
    this.kernel = kernel
    this.sinceMillis = kernel.nowMillis
    this.lastMillis = kernel.nowMillis
  }

  /** Leases are no part of the ground truth that invariants judge, but of every story. */
  follow(memory: MemoryKubernetes): void {
    const collection = collectionOf(leases)
    memory.truth.subscribe((change) => {
      if (change.collection !== collection) return
      const [before, after] = [change.before, change.after].map((json) =>
        json === undefined ? undefined : memory.truth.decode(leases, json)
      )
      this.say(aboutLease(before, after))
    })
  }

  readonly hear = (event: TruthEvent, { cloud }: Pick<GroundTruth, "cloud">): void => {
    if (event.type === "CloudChanged") this.say(aboutCloud(event.before, cloud))
    if (event.type === "Held") this.say([aboutHeld(event)])
    if (event.type !== "Written") return
    if (event.kind === "Service") this.say(aboutService(event.key, event.before, event.after))
    if (event.kind === "IPAllocation") this.say(aboutAllocation(event.key, event.before, event.after))
  }

  /** What happened since the last taking. */
  take(): ReadonlyArray<string> {
    const { lines } = this
    this.lines = []
    this.sinceMillis = this.kernel.nowMillis
    // Nodes that register at one time do so in any order.
    const sorted = lines.filter((line) => registers.test(line)).toSorted()
    return lines.map((line) => (registers.test(line) ? (sorted.shift() ?? line) : line))
  }

  private say(sentences: ReadonlyArray<string>): void {
    const { nowMillis } = this.kernel
    if (sentences.length > 0) this.lastMillis = nowMillis
    const halves = Math.round((nowMillis - this.sinceMillis) / 500)
    for (const sentence of sentences) this.lines.push(`${(halves / 2).toFixed(1).padStart(5)} s  ${sentence}`)
  }
}
