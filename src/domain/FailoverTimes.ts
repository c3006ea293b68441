/**
 * The times of a takeover and the inequality that makes them safe (failover, "Times"):
 *
 *     L >= (X + tau) * (1 + rho) / (1 - rho) + epsilon
 *
 * A node may serve until X after it sent its last successful renewal, and a write to its kernel may still succeed tau
 * later; its clock may run slow by rho while the controller's runs fast by rho; epsilon is what a batch takes.
 */

export interface FailoverTimes {
  /** X: how long after the sending of a renewal the kernel may serve. */
  readonly serveMillis: number
  /** tau: life of a ticket. */
  readonly ticketMillis: number
  /** p: between two renewals. */
  readonly renewMillis: number
  /** L: how long a controller must see no change before it may take over. */
  readonly quietMillis: number
}

export type Profile = "default" | "fast" | "relaxed"

export const profiles: { readonly [P in Profile]: FailoverTimes } = {
  default: { serveMillis: 5000, ticketMillis: 300, renewMillis: 1000, quietMillis: 6500 },
  fast: { serveMillis: 2200, ticketMillis: 250, renewMillis: 500, quietMillis: 3100 },
  relaxed: { serveMillis: 12_000, ticketMillis: 500, renewMillis: 2000, quietMillis: 15_500 }
}

/** While an agent is replaced in place; must satisfy the same inequality with the profile's ticket. */
export const handover = { serveMillis: 50_000, quietMillis: 60_000 } as const

/**
 * Of a node that holds nothing and is no candidate: announced in place of L, and renewed in place of p. It has nothing armed,
 * so that nothing is to be taken over from it; only whether it is there is told.
 */
export const idleTimes = ({ quietMillis, renewMillis }: FailoverTimes) => ({
  quietMillis: Math.max(30_000, 2 * quietMillis),
  renewMillis: Math.max(10_000, 2 * renewMillis)
})

export interface LeaderTimes {
  readonly leaseMillis: number
  readonly renewDeadlineMillis: number
  readonly retryMillis: number
}

/** A standby leads after at most lease + retry + one write, which must fit into L. */
export const leaderTimes: { readonly [P in Profile]: LeaderTimes } = {
  default: { leaseMillis: 3000, renewDeadlineMillis: 2000, retryMillis: 1000 },
  fast: { leaseMillis: 1500, renewDeadlineMillis: 1000, retryMillis: 500 },
  relaxed: { leaseMillis: 3000, renewDeadlineMillis: 2000, retryMillis: 1000 }
}

/** rho: as far as chrony may slew a clock. */
export const clockRateError = 0.08

/** epsilon. Below it the batch's own time is not covered. */
export const latenessMillis = 100

export interface Errors {
  /** rho. */
  readonly rateError: number
  /** epsilon. */
  readonly latenessMillis: number
}

const expected: Errors = { rateError: clockRateError, latenessMillis }

/** The least L that is safe with these; rounded up to whole milliseconds. */
export const leastQuietMillis = (
  { serveMillis, ticketMillis }: Pick<FailoverTimes, "serveMillis" | "ticketMillis">,
  { latenessMillis, rateError }: Errors = expected
): number => Math.ceil(((serveMillis + ticketMillis) * (1 + rateError)) / (1 - rateError) + latenessMillis)

export interface TimesProblem {
  readonly field: keyof FailoverTimes
  readonly message: string
}

/** Empty: safe. The program refuses to start on any; each names the value to change, and to what. */
export const check = (times: FailoverTimes): ReadonlyArray<TimesProblem> => {
  const broken = (Object.keys(times) as ReadonlyArray<keyof FailoverTimes>).filter(
    (field) => !(Number.isFinite(times[field]) && times[field] > 0)
  )
  if (broken.length > 0) {
    return broken.map((field) => ({
      field,
      message: `${field} is ${times[field]}. Set a number of milliseconds above 0.`
    }))
  }
  return [...checkQuiet(times), ...checkRenewal(times), ...checkTicket(times), ...checkHandover(times)]
}

/** With the leader's times of a profile: a holder and a leader on one dead node must cost no more than the holder. */
export const checkLeader = (
  { quietMillis }: FailoverTimes,
  { leaseMillis, retryMillis }: LeaderTimes
): ReadonlyArray<TimesProblem> => {
  const leadsMillis = leaseMillis + retryMillis
  if (quietMillis > leadsMillis) return []
  const message =
    `quietMillis is ${quietMillis}: another controller leads only after ${leadsMillis}. ` +
    `Raise it above that, or set the profile to fast.`
  return [{ field: "quietMillis", message }]
}

const checkQuiet = (times: FailoverTimes): ReadonlyArray<TimesProblem> => {
  const least = leastQuietMillis(times)
  if (times.quietMillis >= least) return []
  const message =
    `quietMillis is ${times.quietMillis}: a node that stops renewing may serve longer than that, beside its successor. ` +
    `Raise it to at least ${least}, or lower serveMillis (${times.serveMillis}).`
  return [{ field: "quietMillis", message }]
}

/** One renewal must be able to fail before voters are asked, which is at X/2. */
const checkRenewal = ({ renewMillis, serveMillis }: FailoverTimes): ReadonlyArray<TimesProblem> => {
  if (2 * renewMillis <= serveMillis) return []
  const message =
    `renewMillis is ${renewMillis}: within serveMillis (${serveMillis}) no renewal may fail. ` +
    `Lower it to at most ${Math.floor(serveMillis / 2)}.`
  return [{ field: "renewMillis", message }]
}

/** What is announced for a handover must be longer than the rest, and safe with this ticket. */
const checkHandover = ({ quietMillis, ticketMillis }: FailoverTimes): ReadonlyArray<TimesProblem> => {
  const most = Math.floor(((handover.quietMillis - latenessMillis) * (1 - clockRateError)) / (1 + clockRateError))
  const ticketMost = most - handover.serveMillis
  return [
    ...(ticketMillis <= ticketMost
      ? []
      : [
          {
            field: "ticketMillis" as const,
            message: `ticketMillis is ${ticketMillis}. Lower it to at most ${ticketMost}.`
          }
        ]),
    ...(quietMillis <= handover.quietMillis
      ? []
      : [
          {
            field: "quietMillis" as const,
            message: `quietMillis is ${quietMillis}. Lower it to at most ${handover.quietMillis}.`
          }
        ])
  ]
}

/** A ticket outlives the write that it is for: 4-6 ms for itself, up to 36 ms for 1,000 elements (measured). */
const checkTicket = ({ ticketMillis, serveMillis }: FailoverTimes): ReadonlyArray<TimesProblem> => {
  if (ticketMillis >= 100 && ticketMillis < serveMillis) return []
  const message = `ticketMillis is ${ticketMillis}. Set it to at least 100 and below serveMillis (${serveMillis}).`
  return [{ field: "ticketMillis", message }]
}
