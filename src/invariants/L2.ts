/**
 * L2: a Service whose wish cannot be met says why, in the message of its IPAllocation, and is not called served. That it is
 * granted when the pool grows is L1 after the growth, which the run brings about.
 */
import { keyOf } from "./Claims.ts"
import { allocationOf, expectationsOf } from "./Expectations.ts"
import type { GroundTruth, Liveness } from "./GroundTruth.ts"
import type { Service } from "../api/Service.ts"

const lackOf = (truth: GroundTruth, service: Service): string | undefined => {
  const waits = expectationsOf(truth, service).find((each) => each.type === "Refused" && !each.isOptional)
  if (waits === undefined || waits.type !== "Refused") return undefined
  const status = allocationOf(truth, service)?.status
  if (status?.state === undefined || status.state === "success") {
    return `cannot have ${waits.what}, and its state is ${status?.state ?? "absent"}`
  }
  const isSaid = (status.message ?? "").length > 0 && status.message !== "Waiting for allocator"
  return isSaid ? undefined : `cannot have ${waits.what}, and nothing says so`
}

export const L2: Liveness = {
  id: "L2",
  title: "unsatisfiable claims carry a stable reason",
  unmet: (truth) =>
    [...truth.services.values()].flatMap((service) => {
      const lack = lackOf(truth, service)
      const about = keyOf(service)
      return lack === undefined ? [] : [{ invariant: "L2", about, message: `${about}: ${lack}` }]
    })
}
