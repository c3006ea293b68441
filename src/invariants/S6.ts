/**
 * S6: write-ahead. No address comes to a node, and none is announced from there, without a committed intent that names
 * that node, its hold id and an epoch. An operator may act by what it saw a while ago, but it knows its own hold id: an
 * intent for another registration of its node is none. An address that lies there clients may find for as long as nobody
 * takes it off; but no frame may call them back to a node that was fenced, which knows by its own clock when it may have
 * been, unless somebody said that it is off while its voters kept it up.
 * Source: failover R1; PlenusLB v0.4 acted before it recorded.
 */
import { latenessMillis } from "../domain/FailoverTimes.ts"
import { claimsOf, staleMillis } from "./Claims.ts"
import { isOperator } from "./Actors.ts"
import { isSaidToBeOff } from "./GivenUp.ts"
import type { GroundTruth, Safety, Violation, Written } from "./GroundTruth.ts"
import { isHindered } from "./Hindered.ts"
import { fencedOf, holdIdOf } from "./Registrations.ts"

interface Intent {
  readonly grant: string
  readonly node: string
  readonly holdId: string
  /** Undefined: it stands. */
  untilMillis: number | undefined
}

interface Registration {
  readonly holdId: string
  untilMillis: number | undefined
  fencedMillis: number | undefined
}

class Intents {
  /** By address. */
  private readonly byAddress = new Map<string, Array<Intent>>()
  /** By node, the hold ids that its lease has carried; the newest last. */
  private readonly registered = new Map<string, Array<Registration>>()

  written(event: Written, truth: GroundTruth): void {
    const { nowMillis } = truth
    if (event.kind === "Lease") this.leaseWritten(event.after, truth)
    if (event.kind !== "IPAllocation") return
    const { after, before } = event
    const uid = (after ?? before)?.metadata.uid ?? ""
    const named = after === undefined ? [] : claimsOf(after)
    for (const { address } of before === undefined ? [] : claimsOf(before))
      this.end(`${uid} ${address}`, address, nowMillis)
    for (const { address, epoch, holdId, nodeName } of named) {
      if (nodeName === undefined || holdId === undefined || epoch === undefined) continue
      this.stand({ grant: `${uid} ${address}`, node: nodeName, holdId, untilMillis: undefined }, address)
    }
  }

  /** Why the node may not act on the address; undefined: it may. */
  lackOf(node: string, address: string, truth: GroundTruth, mayBeFenced: boolean): string | undefined {
    const intents = (this.byAddress.get(address) ?? []).filter(
      (each) => each.node === node && isRecent(each.untilMillis, truth.nowMillis, staleMillis)
    )
    if (intents.length === 0) return "no committed intent names it"
    const graceMillis = isHindered(truth, node) ? staleMillis : 5_000
    const own = (this.registered.get(node) ?? []).filter(({ untilMillis }) =>
      isRecent(untilMillis, truth.nowMillis, graceMillis)
    )
    const meant = own.filter((each) => intents.some(({ holdId }) => holdId === each.holdId))
    if (meant.length === 0) return `it is not registered under ${intents.map(({ holdId }) => holdId).join(", ")}`
    const isFenced = ({ fencedMillis = Number.POSITIVE_INFINITY }: Registration) =>
      truth.nowMillis - fencedMillis > latenessMillis
    return mayBeFenced || !meant.every(isFenced)
      ? undefined
      : `${meant.map(({ holdId }) => holdId).join(", ")} is fenced`
  }

  private leaseWritten(lease: Extract<Written, { kind: "Lease" }>["after"], truth: GroundTruth): void {
    const { nowMillis } = truth
    const found = lease === undefined ? undefined : holdIdOf(lease)
    if (lease === undefined || found === undefined) return
    const ids = this.registered.get(found.node) ?? []
    this.registered.set(found.node, ids)
    const last = ids.at(-1)
    if (last?.holdId !== found.holdId) {
      if (last !== undefined) last.untilMillis = nowMillis
      ids.push({ holdId: found.holdId, untilMillis: undefined, fencedMillis: undefined })
    } else if (fencedOf(lease) === found.holdId && !isSaidToBeOff(truth, found.node)) last.fencedMillis ??= nowMillis
  }

  private end(grant: string, address: string, nowMillis: number): void {
    for (const each of this.byAddress.get(address) ?? []) if (each.grant === grant) each.untilMillis ??= nowMillis
  }

  private stand(intent: Intent, address: string): void {
    const all = this.byAddress.get(address) ?? []
    this.byAddress.set(address, all)
    const known = all.find(
      (each) => each.grant === intent.grant && each.node === intent.node && each.holdId === intent.holdId
    )
    if (known === undefined) all.push(intent)
    else known.untilMillis = undefined
  }
}

const isRecent = (untilMillis: number | undefined, nowMillis: number, withinMillis: number): boolean =>
  untilMillis === undefined || nowMillis - untilMillis <= withinMillis

export const S6: Safety = {
  id: "S6",
  title: "no outside effect without a committed intent",
  judge: () => {
    const intents = new Intents()
    const refuse = (
      { address, node }: { readonly address: string; readonly node: string },
      what: string,
      truth: GroundTruth,
      mayBeFenced: boolean
    ): ReadonlyArray<Violation> => {
      const lack = intents.lackOf(node, address, truth, mayBeFenced)
      return lack === undefined ? [] : [{ invariant: "S6", message: `${node} ${what} ${address}, and ${lack}` }]
    }
    return {
      after: (event, truth) => {
        if (event.type === "Written") intents.written(event, truth)
        if (event.type === "Announced") return refuse(event, "announces", truth, event.isStopped)
        if (event.type !== "Placed" || !event.isPresent || !isOperator(event.by)) return []
        return refuse(event, "took", truth, true)
      },
      whole: () => []
    }
  }
}
