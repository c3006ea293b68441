/**
 * S9: nothing of the host's own is touched, no address that is not ours, and no object of others beyond what is ours to
 * write there (the status of Services). An address is ours once an IPAllocation has claimed it; on an interface that a
 * pool names, the pool may have it cleaned of everything at start-up (`startupCleaning: all`).
 */
import { isOperator, isOurs } from "./Actors.ts"
import { claimsOf } from "./Claims.ts"
import type { GroundTruth, Safety, TruthEvent, Violation, Written } from "./GroundTruth.ts"

const violation = (message: string): Violation => ({ invariant: "S9", message })

/** Metadata and spec of a Service belong to its user. */
const ownPart = ({ metadata, spec }: NonNullable<Extract<Written, { kind: "Service" }>["after"]>): string =>
  JSON.stringify([spec, metadata.labels, metadata.annotations, metadata.finalizers, metadata.ownerReferences])

const judgeWrite = (event: Written): ReadonlyArray<Violation> => {
  if (!isOurs(event.by)) return []
  if (event.kind === "Node" || event.kind === "Namespace") {
    return [violation(`${event.by} wrote ${event.kind} ${event.key}, which is not ours`)]
  }
  if (event.kind !== "Service" || event.before === undefined || event.after === undefined) return []
  const isTouched = ownPart(event.before) !== ownPart(event.after)
  return isTouched ? [violation(`${event.by} changed more of Service ${event.key} than its status`)] : []
}

/** Interfaces that some pool puts addresses on. */
const isNamed = ({ pools }: GroundTruth, interfaceName: string): boolean =>
  [...pools.values()].some(({ spec }) => spec.options?.hostNetworkInterface?.interfaceName === interfaceName)

const judgeRemoval = (
  event: Extract<TruthEvent, { readonly type: "Placed" }>,
  truth: GroundTruth,
  ours: ReadonlySet<string>
): ReadonlyArray<Violation> => {
  const { address, by, interfaceName, isPresent, node } = event
  if (isPresent || !isOperator(by) || ours.has(address) || isNamed(truth, interfaceName)) return []
  return [violation(`${by} removed ${address} from ${interfaceName} of ${node}, and it was never ours`)]
}

export const S9: Safety = {
  id: "S9",
  title: "nothing of the host's own is touched",
  judge: () => {
    /** Addresses that were ever claimed. */
    const ours = new Set<string>()
    return {
      after: (event, truth) => {
        if (event.type === "HostChanged" && isOurs(event.by)) {
          return [violation(`${event.by} changed ${event.node} from "${event.before}" to "${event.after}"`)]
        }
        if (event.type === "Placed") return judgeRemoval(event, truth, ours)
        if (event.type !== "Written") return []
        if (event.kind === "IPAllocation" && event.after !== undefined) {
          for (const { address } of claimsOf(event.after)) ours.add(address)
        }
        return judgeWrite(event)
      },
      whole: () => []
    }
  }
}
