/**
 * L1: what can be served is served: granted, live on one healthy node, shown, and reached by a client. What "can" means is
 * judged from Services, pools and machines; a Service that could be granted an address and has none is as wrong as one
 * whose address is on no node. The bounds (7 s after a node's death, 1 s for a planned move, 5 s for a new Service) are
 * the run's, which knows what it disturbed and when.
 */
import type { Allocation, IPAllocation } from "../api/IPAllocation.ts"
import type { Service } from "../api/Service.ts"
import { keyOf, shownBy } from "./Claims.ts"
import { ofClaim } from "./Clouds.ts"
import { allocationOf, type Expectation, expectationsOf } from "./Expectations.ts"
import type { GroundTruth, Liveness } from "./GroundTruth.ts"
import { isHindered } from "./Hindered.ts"
import { isAble, someoneCanHold } from "./Hosts.ts"

const nobodyCanHold = (truth: GroundTruth, { networkInterface, pool }: Allocation): boolean => {
  const known = truth.pools.get(`PersistentIPPool/${pool}`) ?? truth.pools.get(`EphemeralIPPool/${pool}`)
  return networkInterface !== undefined && known !== undefined && !someoneCanHold(truth, known, networkInterface)
}

/** What was written in the shape of v0.4 waits for the operator of its node, however long: v0.4 never lets go. */
const isLeftOnNode = (truth: GroundTruth, { holdId, networkInterface = "", nodeName }: Allocation): boolean =>
  nodeName !== undefined && holdId === undefined && !isAble(truth, nodeName, networkInterface)

/** For so long Linux goes on asking a neighbour that fell silent (26 to 45 s, measured). */
const forgetMillis = 45_000

/**
 * A node that a fault kept from learning that it was fenced answered until then, and clients go on asking it for a while. The
 * present holder tells them better when the IPAllocation says that the other let go; of what was another Service's before,
 * nothing does.
 */
const isLeftLate = ({ leftLate, nowMillis }: GroundTruth, address: string, { status }: IPAllocation): boolean => {
  const left = leftLate.get(address)
  if (left === undefined || nowMillis - left.atMillis > forgetMillis) return false
  return !(status?.addresses ?? []).some((each) => each.address === address && each.node === left.node)
}

const lackOnNodes = (
  truth: GroundTruth,
  { address, cloudProvider, networkInterface = "", nodeName }: Allocation,
  allocation: IPAllocation | undefined
): string | undefined => {
  // Whom a fault hinders, or did a moment ago, may go on holding it beside the one that is to; the client must not be
  // told so. The one that is to hold it serves as soon as it does.
  const holders = [...(truth.holders.get(address) ?? [])].filter(
    (node) => node === nodeName || !isHindered(truth, node)
  )
  const [holder] = holders
  if (holder === undefined || holders.length > 1) return `is on ${holders.length} nodes (${holders.join(", ")})`
  if (holder !== nodeName) return `is on ${holder}, and assigned to ${nodeName ?? "no node"}`
  if (!isAble(truth, holder, networkInterface)) return `is on ${holder}, which is not healthy`
  // Nobody on the segment is told of what a provider routes.
  if (cloudProvider !== undefined) return undefined
  if (truth.answeredBy(address) === holder) return undefined
  if (allocation !== undefined && isLeftLate(truth, address, allocation)) return undefined
  return `does not answer a client, whose neighbour table knows ${truth.answeredBy(address) ?? "another node"}`
}

const lackOfRoute = (truth: GroundTruth, claim: Allocation): string | undefined => {
  const found = ofClaim(truth, claim)
  if (found === undefined) return "is not in the cloud project"
  return found.node === claim.nodeName
    ? undefined
    : `is routed to ${found.node ?? "no server"}, and assigned to ${claim.nodeName ?? "no node"}`
}

const lackOf = (truth: GroundTruth, service: Service, expectation: Expectation): string | undefined => {
  if (expectation.type === "Refused") return undefined
  if (expectation.type === "Grantable") return `could be granted ${expectation.what}, and is not`
  const { claim } = expectation
  // Nor is it to be shown, once a person took it out of the status: what is on no node is not shown (S6).
  if (nobodyCanHold(truth, claim) || isLeftOnNode(truth, claim)) return undefined
  const lack =
    claim.networkInterface === undefined ? undefined : lackOnNodes(truth, claim, allocationOf(truth, service))
  const lackInCloud = claim.cloudProvider === undefined ? undefined : lackOfRoute(truth, claim)
  if (lackInCloud !== undefined) return `${claim.address} ${lackInCloud}`
  if (lack !== undefined) return `${claim.address} ${lack}`
  return shownBy(service).includes(claim.address) ? undefined : `${claim.address} is not in its status`
}

const isOfCloud = (expectation: Expectation): boolean =>
  expectation.type === "Grantable"
    ? expectation.isBought
    : expectation.type === "Served" && expectation.claim.cloudProvider !== undefined

export const L1: Liveness = {
  id: "L1",
  title: "every satisfiable claim is granted, live on one healthy node and shown",
  unmet: (truth) =>
    [...truth.services.values()].flatMap((service) =>
      expectationsOf(truth, service).flatMap((expectation) => {
        const lack = lackOf(truth, service, expectation)
        const about = keyOf(service)
        const awaitsCloud = isOfCloud(expectation)
        return lack === undefined ? [] : [{ invariant: "L1", about, awaitsCloud, message: `${about}: ${lack}` }]
      })
    )
}
