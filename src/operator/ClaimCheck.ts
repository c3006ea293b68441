/**
 * Asks, before this node arms an address, whether another IPAllocation claims it, too (failover R8; `domain/Rivals.ts` has
 * the argument). Asked once for each holder that names this node, as soon as it does, also while a former one has yet to let
 * go; never at a renewal, nor for what this node said it serves, or a holder before it: that was asked then, and the claim's
 * label has stood since.
 *
 * What comes together is asked for together: up to `ONE_BY_ONE_MAX` addresses each by its label, more with one list of all
 * IPAllocations, since label selectors know no "or" between labels.
 */
import { Effect, Fiber } from "effect"
import type { Scope } from "effect"
import { claimsInLabels, views } from "../api/AllocationEntries.ts"
import { type IPAllocation, ipAllocationLabels } from "../api/IPAllocation.ts"
import type { ObjectMeta } from "../api/KubernetesObject.ts"
import { addressLabel, managedByLabel, managedByValue } from "../api/Names.ts"
import type { Address } from "../domain/Address.ts"
import * as NodeDuty from "../domain/NodeDuty.ts"
import * as Rivals from "../domain/Rivals.ts"
import { Kubernetes, type KubernetesError } from "../ports/Kubernetes.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { keyOf } from "../reconcile/Reflector.ts"

/** `unknown`: not answered yet. */
export type Verdict = "alone" | "claimed twice" | "unknown"

export interface ClaimCheck {
  /** Asks about what is not known yet. Returns with the answer, or without one that takes long: `onLate` is called then. */
  readonly look: (allocations: Iterable<IPAllocation>, self: NodeDuty.Self) => Effect.Effect<void, never, Kubernetes>
  readonly verdictOf: (claim: NodeDuty.Claim) => Verdict
}

/** As many requests at once as reports (StatusReporter). */
const ONE_BY_ONE_MAX = 8
/** For so long a round, which may have addresses to take off, waits for an answer. */
const WAIT_MILLIS = 200
/** For an answer that did not say "alone", or did not come. */
const ASK_AGAIN_MILLIS = 1_000
/** A lost request is sent anew; each time with twice the patience, for API servers that are slow at lists. */
const PATIENCE_FIRST_MILLIS = 2_000
const PATIENCE_CAP_MILLIS = 30_000

const labelOf = ({ address, holder: { epoch, holdId }, uid }: NodeDuty.Claim): string =>
  `${uid} ${address} ${holdId} ${epoch}`

const claimantOf = (metadata: ObjectMeta): Rivals.Claimant => ({
  uid: metadata.uid ?? "",
  key: keyOf(metadata),
  addresses: claimsInLabels(metadata.labels ?? {})
})

const claimantsBy = (labelSelector: string) =>
  Kubernetes.use((kubernetes) =>
    Effect.map(kubernetes.list(ipAllocationLabels, { labelSelector }), ({ items, undecodable }) =>
      [...items, ...undecodable].map(({ metadata }) => claimantOf(metadata))
    )
  )

const claimantsOf = (
  addresses: ReadonlySet<Address>
): Effect.Effect<ReadonlyArray<Rivals.Claimant>, KubernetesError, Kubernetes> => {
  if (addresses.size > ONE_BY_ONE_MAX) return claimantsBy(`${managedByLabel}=${managedByValue}`)
  const onlyOf = (address: Address) =>
    Effect.map(claimantsBy(addressLabel(address)), (found) => found.map((each) => ({ ...each, addresses: [address] })))
  return Effect.map(Effect.forEach(addresses, onlyOf, { concurrency: "unbounded" }), (found) => found.flat())
}

/** The answers so far, of claims that are still to be served. */
class Answers {
  private readonly findings = new Map<string, Rivals.Finding>()
  private readonly askAgainAtMillis = new Map<string, number>()

  verdictOf(claim: NodeDuty.Claim): Verdict {
    if (claim.isProven) return "alone"
    const found = this.findings.get(labelOf(claim))
    if (found === undefined || found._tag === "Unseen") return "unknown"
    return found._tag === "Alone" ? "alone" : "claimed twice"
  }

  keepOnly(claims: ReadonlyArray<NodeDuty.Claim>): void {
    const labels = new Set(claims.map(labelOf))
    for (const known of [this.findings, this.askAgainAtMillis]) {
      for (const label of known.keys()) if (!labels.has(label)) known.delete(label)
    }
  }

  dueAmong(claims: ReadonlyArray<NodeDuty.Claim>, nowMillis: number): ReadonlyArray<NodeDuty.Claim> {
    const isAskedLately = (claim: NodeDuty.Claim) =>
      (this.askAgainAtMillis.get(labelOf(claim)) ?? nowMillis) > nowMillis
    return claims.filter((claim) => this.verdictOf(claim) !== "alone" && !isAskedLately(claim))
  }

  askAgain(claims: ReadonlyArray<NodeDuty.Claim>, atMillis: number): void {
    for (const claim of claims) this.askAgainAtMillis.set(labelOf(claim), atMillis)
  }

  /** Answers the sentence to tell, once for each rival. */
  note(claim: NodeDuty.Claim, finding: Rivals.Finding): string | undefined {
    const before = this.findings.get(labelOf(claim))
    this.findings.set(labelOf(claim), finding)
    if (finding._tag !== "Rivals") return undefined
    const told = before?._tag === "Rivals" ? before.keys.join() : ""
    if (told === finding.keys.join()) return undefined
    return (
      `AddressClaimedTwice: ${claim.address} is not served for ${claim.allocation}, since the IPAllocation ` +
      `${finding.keys.join(" and ")} claims it, too. The controller withdraws one of them.`
    )
  }
}

const noAnswer = (claims: ReadonlyArray<NodeDuty.Claim>, error: string) =>
  Effect.logWarning("claims of others not read").pipe(
    Effect.annotateLogs({ error, addresses: claims.map(({ address }) => address).join(" ") })
  )

export const make = Effect.fnUntraced(function* (onLate: () => void): Effect.fn.Return<ClaimCheck, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const viewOf = views()
  const answers = new Answers()
  let asking: Fiber.Fiber<void> | undefined
  let isAwaited = false
  let patienceMillis = PATIENCE_FIRST_MILLIS

  const ask = Effect.fnUntraced(
    function* (claims: ReadonlyArray<NodeDuty.Claim>) {
      const addresses = new Set(claims.map(({ address }) => address))
      const findingOf = Rivals.judging(yield* Effect.timeout(claimantsOf(addresses), patienceMillis))
      patienceMillis = PATIENCE_FIRST_MILLIS
      for (const claim of claims) {
        const sentence = answers.note(claim, findingOf(claim))
        if (sentence !== undefined) yield* Effect.logWarning(sentence)
      }
    },
    (effect, claims) =>
      effect.pipe(
        Effect.catchTags({
          KubernetesError: ({ message }: KubernetesError) => noAnswer(claims, message),
          TimeoutError: () => {
            const error = `no answer within ${patienceMillis} ms`
            patienceMillis = Math.min(2 * patienceMillis, PATIENCE_CAP_MILLIS)
            return noAnswer(claims, error)
          }
        }),
        Effect.andThen(
          Effect.map(monotonicMillis, (now) => {
            answers.askAgain(claims, now + ASK_AGAIN_MILLIS)
            asking = undefined
            if (!isAwaited) onLate()
          })
        )
      )
  )

  const awaited = (fiber: Fiber.Fiber<void>) =>
    Effect.suspend(() => {
      isAwaited = true
      return Effect.ensuring(
        Effect.timeoutOption(Fiber.await(fiber), WAIT_MILLIS),
        Effect.sync(() => void (isAwaited = false))
      )
    })

  const look: ClaimCheck["look"] = Effect.fnUntraced(function* (allocations, self) {
    const claims = [...allocations].flatMap((allocation) => NodeDuty.claimsOf(viewOf(allocation), self))
    answers.keepOnly(claims)
    if (asking !== undefined) yield* awaited(asking)
    const due = answers.dueAmong(claims, yield* monotonicMillis)
    if (asking !== undefined || due.length === 0) return
    asking = yield* Effect.forkIn(ask(due), scope)
    yield* awaited(asking)
  })

  return { look, verdictOf: (claim) => answers.verdictOf(claim) }
})
