/**
 * Keeps the lease in the node's kernel: what may be served, and until when. The kernel lets go by itself when nobody renews
 * it, so that an operator that is dead, stopped or cut off has no part in the safety of its addresses (failover R3 to R5).
 *
 * A ticket is put first and confirmed; only then the time that is left is computed, so that a process which is stopped at
 * any place cannot give a lease that is longer than it was when it was earned. A change states the whole content. A renewal
 * states only for how long, and every so often the whole content, too: whatever a foreign hand changed is put right then.
 */
import { Effect, Equal, Random, Semaphore } from "effect"
import type { Address } from "../domain/Address.ts"
import * as FencePlan from "../domain/FencePlan.ts"
import {
  type FenceContent,
  type FenceNonce,
  FenceRefused,
  type FenceRenewal,
  type KernelFence
} from "../ports/KernelFence.ts"
import { NodeNetworkError } from "../ports/NodeNetwork.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"

export interface Options {
  readonly kernel: KernelFence
  readonly owner: FenceNonce
  /** tau: how long a ticket lives. */
  readonly ticketMillis: number
  /**
   * Monotonic time until which this node may serve: X after the sending of the renewal that last succeeded, or as the voters
   * keep it. Asked with the time it is, once the ticket is there.
   */
  readonly untilMillis: (nowMillis: number) => number
  /** The same by renewals alone, whatever the voters say. */
  readonly renewedUntilMillis: () => number
}

export interface Content extends FenceContent {
  /** Of these the voters keep nothing: they are served for as long as renewals allow. */
  readonly byRenewal: ReadonlyArray<Address>
}

export interface Fence {
  /** Fails when the kernel cannot keep leases. */
  readonly preflight: Effect.Effect<void, NodeNetworkError>
  /** After registration: becomes the owner, and learns what the process before has left; a renewal must follow (ADR 14). */
  readonly begin: Effect.Effect<void, NodeNetworkError>
  readonly current: () => Content
  /** In the kernel when it returns. */
  readonly set: (content: Content) => Effect.Effect<void, NodeNetworkError>
  /**
   * After a renewal: what was set last lives on. False: somebody had taken the tables away, they were made anew, and nothing is
   * leased before another renewal, sent from now on, has succeeded.
   */
  readonly renew: Effect.Effect<boolean, NodeNetworkError>
  /**
   * When a renewal failed: once the lease has run out, makes sure that nothing is served. Tables that are gone are made anew, since
   * nothing else keeps the node from serving what another may have by now.
   */
  readonly guard: Effect.Effect<void, NodeNetworkError>
  /** Before everything goes: nothing may be served from now on. Tables that are gone are made anew for that. */
  readonly close: Effect.Effect<void, NodeNetworkError>
  /** Takes the tables away, once nothing of ours is on any interface. */
  readonly remove: Effect.Effect<void, NodeNetworkError>
}

/** A foreign hand on the sets, other than one that takes the tables away, is undone after this time at most. */
const RESTATE_MILLIS = 10_000

/** Addresses; two hundred of either family are half of what the kernel is told in one datagram. */
const CHANGED_AT_ONCE = 200

/** Only looked at: nothing is kept by it. */
const NO_WRITE = Number.POSITIVE_INFINITY

const empty: Content = { managed: [], leased: [], uplinks: [], byRenewal: [] }

const isRefused =
  (why: "NoTable" | "TicketExpired") =>
  ({ reason }: NodeNetworkError) =>
    reason._tag === "FenceRefused" && reason.why === why

export const isTableGone = isRefused("NoTable")

/** The kernel is as it was; what it leases can still be renewed. */
export const isLate = isRefused("TicketExpired")

/** Another process of this node has begun after this one: which; undefined: it is another error. */
export const overtakerIn = ({ reason }: NodeNetworkError): FenceNonce | undefined =>
  reason._tag === "FenceRefused" && reason.why === "OtherOwner" ? (reason.owner ?? "unknown") : undefined

const newNonce = Effect.map(Random.nextIntBetween(0, 2 ** 32), (number) => number.toString(16).padStart(8, "0"))

const unconfirmed = Effect.fail(new NodeNetworkError({ method: "fence", reason: new FenceRefused({ why: "NoTable" }) }))

/** Kernels without the lease: addresses are served for as long as they are on the interface. */
export const none: Fence = {
  preflight: Effect.void,
  begin: Effect.void,
  current: () => empty,
  set: () => Effect.void,
  renew: Effect.succeed(true),
  guard: Effect.void,
  close: Effect.void,
  remove: Effect.void
}

const statedOf = ({ byRenewal, leased, managed, uplinks }: Content) => {
  const isApart = new Set(byRenewal)
  return {
    managed,
    uplinks,
    leased: leased.filter((address) => !isApart.has(address)),
    apart: leased.filter((address) => isApart.has(address))
  }
}

const leftOf = (untilMillis: number, nowMillis: number): number => Math.max(0, Math.floor(untilMillis - nowMillis))

/** Answers when the ticket was there. */
const ticketing = ({ kernel, owner, renewedUntilMillis, ticketMillis, untilMillis }: Options) =>
  Effect.fnUntraced(function* (act: (renewal: FenceRenewal) => Effect.Effect<void, NodeNetworkError>) {
    const ticket = yield* newNonce
    yield* kernel.putTicket(ticket, ticketMillis)
    const nowMillis = yield* monotonicMillis
    const leaseMillis = leftOf(untilMillis(nowMillis), nowMillis)
    yield* act({ ticket, owner, leaseMillis, apartMillis: leftOf(renewedUntilMillis(), nowMillis) })
    return nowMillis
  })

/** The content that is to be in the kernel, and what is known of its being there. */
const newTold = (options: Options) => {
  const { kernel, owner } = options
  const withTicket = ticketing(options)
  let content = empty
  /** The kernel has `content`, as far as is known: since when, by the monotonic clock. */
  let writtenAtMillis: number | undefined
  /** Something, since it was claimed. */
  let hasWritten = false

  const attempt = withTicket((renewal) => kernel.write({ ...statedOf(content), ...renewal }))

  /** A ticket expires where a machine is out of breath: once more, then it cannot act. */
  const write = Effect.suspend(() => {
    writtenAtMillis = undefined
    return attempt.pipe(
      Effect.catchIf(isLate, () => attempt),
      Effect.map((nowMillis) => {
        writtenAtMillis = nowMillis
        hasWritten = true
      })
    )
  })

  /** Where the whole comes too late, what this process wrote before is still there, and may go on. */
  const restate = Effect.andThen(kernel.doubt, write).pipe(
    Effect.catchIf(
      (error) => isLate(error) && hasWritten,
      () => Effect.asVoid(withTicket(kernel.renew))
    )
  )

  const prolong = Effect.asVoid(withTicket(kernel.renew)).pipe(
    Effect.catchIf(isLate, () => write),
    Effect.tapError(() => Effect.sync(() => void (writtenAtMillis = undefined)))
  )

  const renew = Effect.flatMap(monotonicMillis, (nowMillis) =>
    writtenAtMillis === undefined || nowMillis - writtenAtMillis >= RESTATE_MILLIS ? restate : prolong
  )

  const claim = Effect.suspend(() => {
    hasWritten = false
    return kernel.claim(owner)
  })

  const begin = Effect.map(kernel.state, (state) => {
    const { leased, managed, uplinks } = state ?? empty
    // Nobody has said yet of which of these pools the voters may keep anything.
    content = { managed, leased, uplinks, byRenewal: leased }
  })

  const remove = Effect.map(kernel.remove, () => {
    content = empty
    writtenAtMillis = undefined
  })

  const become = (next: Content) => void (content = next)
  const isKnown = () => writtenAtMillis !== undefined
  return { content: () => content, become, isKnown, write, renew, claim, begin, remove }
}

export const make = (options: Options): Effect.Effect<Fence> =>
  Effect.gen(function* () {
    const { kernel, untilMillis } = options
    const told = newTold(options)
    const exclusive = (yield* Semaphore.make(1)).withPermit
    /** Who was stopped before it claimed may have been succeeded meanwhile, by one that has ended in peace since. */
    let isConfirmed = false

    const claim = Effect.suspend(() => {
      isConfirmed = false
      return told.claim
    })

    /** Only for writes that let nothing be served. */
    const orClaimed = told.write.pipe(Effect.catchIf(isTableGone, () => Effect.andThen(claim, told.write)))

    const renew = Effect.suspend(() => {
      isConfirmed = true
      // What lies on the interfaces, and the fence has never been told of, is for the first round to judge.
      if (told.content().managed.length === 0 && !told.isKnown()) return Effect.succeed(true)
      return Effect.as(told.renew, true).pipe(Effect.catchIf(isTableGone, () => Effect.as(claim, false)))
    })

    const become = (next: Content, writing: typeof told.write) =>
      Effect.suspend(() => {
        told.become(next)
        return writing
      })

    const set = (next: Content) =>
      Effect.suspend(() => {
        if (told.isKnown() && Equal.equals(told.content(), next)) return Effect.void
        if (!isConfirmed && next.leased.length > 0) return unconfirmed
        if (next.leased.length === 0) return become(next, orClaimed)
        const steps = FencePlan.stepsTo(told.content(), next, CHANGED_AT_ONCE)
        const { uplinks } = next
        return Effect.forEach(steps, (step) => become({ ...step, uplinks }, told.write), { discard: true })
      })

    const guard = Effect.flatMap(monotonicMillis, (now) => (now < untilMillis(NO_WRITE) ? Effect.void : orClaimed))

    return {
      preflight: Effect.asVoid(kernel.state),
      begin: exclusive(Effect.andThen(claim, told.begin)),
      current: told.content,
      set: (next) => exclusive(set(next)),
      renew: exclusive(renew),
      guard: exclusive(guard),
      close: exclusive(Effect.suspend(() => become({ ...told.content(), leased: [] }, orClaimed))),
      remove: exclusive(told.remove)
    }
  })
