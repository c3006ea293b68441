/**
 * S5: what is bought is bought for a claim that says so before and as long as it is paid for, one for each family; and what
 * is the user's is never deleted, and keeps the labels that the user gave it. In another project nothing is touched. Source: PlenusLB v0.4 bought before it wrote
 * anything down, and deleted without unassigning, which the provider refuses: each address leaked.
 */
import type { Service } from "../api/Service.ts"
import { claimsOf } from "./Claims.ts"
import { awaitsSweep, boughtFor, familyOf, holderOf } from "./Clouds.ts"
import type { CloudAddressTruth, GroundTruth, Safety, TruthEvent, Violation } from "./GroundTruth.ts"
import { isController, isOurs, rivalryMillis } from "./Actors.ts"

const violation = (message: string): Violation => ({ invariant: "S5", message })

const describe = ({ id, name, network }: CloudAddressTruth): string => `${network} (${name}, id ${id})`

/** Whether an IPAllocation grants it, or says that one of its family is to be bought. */
const isClaimed = (truth: GroundTruth, found: CloudAddressTruth, uid: string): boolean => {
  const allocation = holderOf(truth, uid)
  if (allocation === undefined) return false
  const isIntended = allocation.spec.allocations.some(
    ({ address, family = "IPv4" }) => address === "" && family === familyOf(found)
  )
  return isIntended || claimsOf(allocation).some(({ cloudId }) => cloudId === found.id)
}

/**
 * What becomes an orphan without our fault, and is given back later. A leader that has been replaced may still buy what the
 * next one, in the same moment, lets go: no compare-and-set spans the API and a provider. And somebody may free an IPAllocation
 * of our finalizer, so that it goes before anybody sees that: what was bought for it, or is being bought just then, is swept.
 */
class Orphans {
  private readonly orphans = new Set<string>()
  private readonly boughtMillis = new Map<string, number>()
  /** Who wrote the IPAllocation of this UID last, and when. */
  private readonly writers = new Map<string, { readonly by: string; readonly atMillis: number }>()

  hear(event: TruthEvent, truth: GroundTruth): void {
    if (event.type === "Written" && event.kind === "IPAllocation" && isController(event.by)) {
      const uid = (event.after ?? event.before)?.metadata.uid ?? ""
      this.meet(uid, event.by, truth)
      this.writers.set(uid, { by: event.by, atMillis: truth.nowMillis })
    }
    if (event.type !== "CloudChanged" || !isController(event.by)) return
    const known = new Set(event.before.map(({ id }) => id))
    for (const { id } of truth.cloud) if (!known.has(id)) this.boughtMillis.set(id, truth.nowMillis)
    for (const found of truth.cloud) {
      const writer = this.writers.get(boughtFor(found) ?? "")
      const isRival = writer !== undefined && writer.by !== event.by
      if (!known.has(found.id) && isRival && truth.nowMillis - writer.atMillis <= rivalryMillis)
        this.orphans.add(found.id)
    }
  }

  has({ id }: CloudAddressTruth, uid: string, truth: GroundTruth): boolean {
    if (this.orphans.has(id)) return true
    const goneMillis = truth.disowned.get(uid)?.atMillis ?? Number.NEGATIVE_INFINITY
    return awaitsSweep(truth, uid) && (this.boughtMillis.get(id) ?? 0) <= goneMillis + rivalryMillis
  }

  /** Bought by one a moment ago, and let go by another now. */
  private meet(uid: string, by: string, truth: GroundTruth): void {
    const writer = this.writers.get(uid)
    if (writer === undefined || writer.by === by || truth.nowMillis - writer.atMillis > rivalryMillis) return
    for (const found of truth.cloud) if (boughtFor(found) === uid) this.orphans.add(found.id)
  }
}

const judgeBought = (truth: GroundTruth, orphans: Orphans): ReadonlyArray<Violation> =>
  truth.cloud.flatMap((found) => {
    const uid = boughtFor(found)
    if (uid === undefined || orphans.has(found, uid, truth)) return []
    const twins = truth.cloud.filter((other) => boughtFor(other) === uid && familyOf(other) === familyOf(found))
    return [
      ...(isClaimed(truth, found, uid)
        ? []
        : [violation(`${describe(found)} is paid for, and no IPAllocation says so`)]),
      ...(twins.length > 1 ? [violation(`${twins.map(describe).join(" and ")} were bought for one claim`)] : [])
    ]
  })

/** The user's own labels, without ours. */
const isTheirs = ([key]: readonly [string, string]): boolean =>
  !["managed-by", "cluster", "namespace", "service", "claim", "ownership"].includes(key)

const judgeUsers = (
  before: ReadonlyArray<CloudAddressTruth>,
  { cloud }: GroundTruth,
  by: string
): ReadonlyArray<Violation> =>
  before
    .filter((each) => boughtFor(each) === undefined)
    .flatMap((old) => {
      const now = cloud.find(({ id }) => id === old.id)
      if (now === undefined) return [violation(`${by} deleted ${describe(old)}, which is the user's`)]
      const lost = Object.entries(old.labels).filter((label) => isTheirs(label) && now.labels[label[0]] !== label[1])
      return lost.map(([key]) => violation(`${by} took the label ${key} off ${describe(old)}, which is the user's`))
    })

/** Whatever token it is given: nothing of another project is the cluster's, and nothing there is of use to it. */
const judgeOthers = (event: TruthEvent): ReadonlyArray<Violation> => {
  if (event.type !== "OtherProjectChanged" || !isOurs(event.by)) return []
  const { after, before, by } = event
  const was = new Map(before.map((each) => [each.id, each]))
  const is = new Set(after.map(({ id }) => id))
  const changed = after.filter((each) => was.has(each.id) && JSON.stringify(each) !== JSON.stringify(was.get(each.id)))
  return [
    ...after.filter(({ id }) => !was.has(id)).map((each) => `${by} bought ${describe(each)}`),
    ...changed.map((each) => `${by} changed ${describe(each)}`),
    ...before.filter(({ id }) => !is.has(id)).map((each) => `${by} deleted ${describe(each)}`)
  ].map((what) => violation(`${what} in a project that is not the cluster's`))
}

const isTold = (service: Service | undefined): boolean =>
  service?.status?.conditions?.some(({ reason }) => reason === "CloudNameTaken") === true

/** A refusal is told a while after it was heard. */
const toldMillis = 60_000

/** What was bought for it by a try that was not answered is its own, whoever cannot find it; what somebody else called so was not. */
class Namesakes {
  /** By name, when a floating IP that was not bought for anybody had it last. */
  private readonly lastMillis = new Map<string, number>()

  hear(event: TruthEvent, { cloud, nowMillis }: GroundTruth): void {
    if (event.type !== "CloudChanged") return
    for (const each of [...event.before, ...cloud]) {
      if (boughtFor(each) === undefined) this.lastMillis.set(each.name, nowMillis)
    }
  }

  judge(event: TruthEvent, truth: GroundTruth): ReadonlyArray<Violation> {
    if (event.type !== "Written" || event.kind !== "Service" || !isController(event.by)) return []
    if (isTold(event.before) || !isTold(event.after) || this.hasOne(event.key, truth)) return []
    const uid = truth.allocations.get(event.key)?.metadata.uid
    const own = uid === undefined ? undefined : truth.cloud.find((found) => boughtFor(found) === uid)
    return own === undefined
      ? []
      : [violation(`${event.key} is told that its name is taken, by ${describe(own)}, which was bought for it`)]
  }

  /** Now, or when the provider refused what is told of now. What is bought for a Service is called by its name. */
  private hasOne(key: string, { cloud, nowMillis }: GroundTruth): boolean {
    const part = `-${key.replace("/", "-")}-`
    return (
      cloud.some((each) => each.name.includes(part) && boughtFor(each) === undefined) ||
      [...this.lastMillis].some(([name, lastMillis]) => name.includes(part) && nowMillis - lastMillis <= toldMillis)
    )
  }
}

/** Of what is to be swept any event may be the first after it was due. */
const mayMatter = (event: TruthEvent, { cloud, disowned }: GroundTruth): boolean =>
  event.type === "CloudChanged" ||
  (event.type === "Written" && event.kind === "IPAllocation") ||
  cloud.some((found) => disowned.has(boughtFor(found) ?? ""))

export const S5: Safety = {
  id: "S5",
  title: "what is bought has a claim, and what is the user's stays",
  judge: () => {
    const [orphans, namesakes] = [new Orphans(), new Namesakes()]
    return {
      after: (event, truth) => {
        orphans.hear(event, truth)
        namesakes.hear(event, truth)
        if (event.type === "OtherProjectChanged") return judgeOthers(event)
        if (truth.cloud.length === 0 && event.type !== "CloudChanged") return []
        const users = event.type === "CloudChanged" && isOurs(event.by) ? judgeUsers(event.before, truth, event.by) : []
        return [
          ...(mayMatter(event, truth) ? [...judgeBought(truth, orphans), ...users] : []),
          ...namesakes.judge(event, truth)
        ]
      },
      whole: (truth) => judgeBought(truth, orphans)
    }
  }
}
