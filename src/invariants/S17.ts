/**
 * S17: what a pool says of a node that cannot renew (`onControlPlaneLoss`) is done. An address of a pool that releases is
 * answered for by no node whose lease has run out, whatever its voters say. What a pool keeps, no kernel lets go of because
 * a lease ran out.
 *
 * A lease may have run out, for whoever counts, when it was not renewed for the time that it announces. An operator knows the
 * pools by what it was told: one that has changed says something else to it for as long as a watch may be dead.
 */
import * as NodeLease from "../api/NodeLease.ts"
import { isOperator } from "./Actors.ts"
import { staleMillis } from "./Claims.ts"
import type { GroundTruth, PoolTruth, Safety, TruthEvent, Violation } from "./GroundTruth.ts"
import { claimsOn, isBound, poolOf } from "./Losses.ts"
import { mayHaveRunOut } from "./Registrations.ts"

/** Between two looks at all that is answered for: what is answered too long is so for long. */
const lookMillis = 100

interface Renewal {
  readonly atMillis: number
  readonly durationMillis: number
}

const optionsOf = (pool: PoolTruth | undefined): string =>
  JSON.stringify([pool?.spec.cloudIntegration !== undefined, pool?.spec.options])

/** When the options of a pool changed last, by kind and name; nothing of one that is as it was made. */
class Changes {
  private readonly changedMillis = new Map<string, number>()

  hear(event: TruthEvent, nowMillis: number): void {
    if (event.type !== "Written" || event.kind !== "Pool") return
    if (event.before !== undefined && optionsOf(event.before) === optionsOf(event.after)) return
    if (event.before === undefined && !this.changedMillis.has(event.key))
      this.changedMillis.set(event.key, -staleMillis)
    else this.changedMillis.set(event.key, nowMillis)
  }

  /** Whether every operator knows by now what the pools of this address say. */
  areKnown(truth: GroundTruth, address: string): boolean {
    return claimsOn(truth, address).every((claim) => {
      const kind = poolOf(truth, claim)?.spec.addresses === undefined ? "EphemeralIPPool" : "PersistentIPPool"
      const since = this.changedMillis.get(`${kind}/${claim.pool}`) ?? Number.NEGATIVE_INFINITY
      return truth.nowMillis - since > staleMillis
    })
  }
}

const answersTooLong = (node: string, { atMillis }: Renewal, truth: GroundTruth, changes: Changes) => {
  const record = truth.nodes.get(node)
  if (record === undefined || record.isUnfenced) return []
  return [...truth.holders].flatMap(([address, holders]): ReadonlyArray<Violation> => {
    const isOurs = holders.has(node) && isOperator(record.putBy.get(address) ?? "")
    if (!isOurs || !isBound(truth, address, "release") || !changes.areKnown(truth, address)) return []
    const silentMillis = truth.nowMillis - atMillis
    const message = `${node} answers for ${address}, which its pool releases, ${silentMillis} ms after its last renewal`
    return [{ invariant: "S17", message }]
  })
}

export const S17: Safety = {
  id: "S17",
  title: "what a pool says of a lost control plane is done",
  judge: () => {
    const changes = new Changes()
    const renewed = new Map<string, Renewal>()
    let lookedMillis = Number.NEGATIVE_INFINITY
    const hear = (event: TruthEvent, nowMillis: number) => {
      changes.hear(event, nowMillis)
      if (event.type !== "Written" || event.kind !== "Lease" || !isOperator(event.by)) return
      const content = event.after && NodeLease.read(event.after)
      if (content === undefined) return
      renewed.set(content.node, { atMillis: nowMillis, durationMillis: content.durationMillis })
    }
    const answeringTooLong = (truth: GroundTruth): ReadonlyArray<Violation> =>
      [...renewed].flatMap(([node, renewal]) =>
        mayHaveRunOut(truth.nowMillis - renewal.atMillis, renewal.durationMillis)
          ? answersTooLong(node, renewal, truth, changes)
          : []
      )
    const letGo = (event: TruthEvent, truth: GroundTruth): ReadonlyArray<Violation> => {
      if (event.type !== "Held" || event.isHeld || event.by !== "lease") return []
      if (!isBound(truth, event.address, "keep") || !changes.areKnown(truth, event.address)) return []
      return [
        { invariant: "S17", message: `the kernel of ${event.node} let go of ${event.address}, which its pool keeps` }
      ]
    }
    return {
      after: (event, truth) => {
        hear(event, truth.nowMillis)
        const found = letGo(event, truth)
        if (truth.nowMillis - lookedMillis < lookMillis) return found
        lookedMillis = truth.nowMillis
        return [...found, ...answeringTooLong(truth)]
      },
      whole: () => []
    }
  }
}
