/**
 * S5: what is bought is bought for a claim that says so before and as long as it is paid for, one for each family; and what
 * is the user's is never deleted, and keeps the labels that the user gave it. Source: PlenusLB v0.4 bought before it wrote
 * anything down, and deleted without unassigning, which the provider refuses: each address leaked.
 */
import { claimsOf } from "./Claims.ts"
import { boughtFor, familyOf, holderOf } from "./Clouds.ts"
import type { CloudAddressTruth, GroundTruth, Safety, TruthEvent, Violation } from "./GroundTruth.ts"
import { isOurs } from "./Actors.ts"

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

const judgeBought = (truth: GroundTruth): ReadonlyArray<Violation> =>
  truth.cloud.flatMap((found) => {
    const uid = boughtFor(found)
    if (uid === undefined) return []
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

const mayMatter = (event: TruthEvent): boolean =>
  event.type === "CloudChanged" || (event.type === "Written" && event.kind === "IPAllocation")

export const S5: Safety = {
  id: "S5",
  title: "what is bought has a claim, and what is the user's stays",
  judge: () => ({
    after: (event, truth) => {
      if (truth.cloud.length === 0 && event.type !== "CloudChanged") return []
      const users = event.type === "CloudChanged" && isOurs(event.by) ? judgeUsers(event.before, truth, event.by) : []
      return mayMatter(event) ? [...judgeBought(truth), ...users] : []
    },
    whole: judgeBought
  })
}
