/** Each rule that can be left out: in words, and the configuration in which the shortest counterexample is looked for. */
import type { Exploration } from "./explorer/Explorer.ts"
import { type Configuration, configurations } from "./Configurations.ts"
import type { EvidenceGuard, Guard, LeaseGuard, SharingGuard } from "./Guard.ts"

interface Rule<G extends Guard> {
  readonly guard: G
  /** What is missing when it is left out. */
  readonly says: string
  readonly where: string
  /** It takes more than 400,000 states, and is left to `npm run model`. */
  readonly isSlow?: true
}

const leaseRules: ReadonlyArray<Rule<LeaseGuard>> = [
  { guard: "R1", where: "base-small", says: "an allocation names a node and no hold id" },
  { guard: "R2", where: "moves", says: "an agent takes up an epoch again that it has released" },
  { guard: "R3", where: "base-small", says: "r is the time of the reply" },
  { guard: "R4", where: "base-small", says: "the batch needs no ticket" },
  { guard: "R5", where: "restarts-small", says: "the batch does not ask for owner" },
  { guard: "R6", where: "handover", says: "L is the controller's own, whatever the lease announces" },
  { guard: "R7", where: "base-small", says: "the count goes on when a new version is seen" },
  { guard: "R9", where: "twin", says: "an agent of another boot registers at once" },
  { guard: "R10", where: "restarts-small", says: "a release is acknowledged although the delete failed" },
  {
    guard: "R11",
    where: "handover",
    says: "the successor announces the short duration while the kernel has the long one"
  }
]

const leaseGuards: ReadonlyArray<Rule<LeaseGuard>> = [
  { guard: "compare-and-set", where: "base-small", says: "a renewal is written whatever version stands there" },
  { guard: "fence-compare-and-set", where: "base-small", says: "a fence is written whatever version stands there" },
  { guard: "full-L", where: "base-small", says: "L is one tick short" },
  { guard: "clock-rates", where: "rates", says: "L does without (1 + rho)/(1 - rho)" },
  { guard: "r-not-from-get", where: "base-small", says: "r is the time of a GET that shows the own lease" },
  { guard: "consistent-list", where: "restarts-small", says: "an agent that starts believes an old list" },
  {
    guard: "lease-read-after-owner",
    where: "shutdown",
    says: "an agent does not read the lease again after it has claimed owner",
    isSlow: true
  },
  { guard: "delete-before-acknowledging", where: "moves", says: "a release is acknowledged before the delete" },
  { guard: "release-flushes-ticket", where: "tools", says: "a release leaves the ticket where it is" },
  { guard: "nonce-per-transaction", where: "tools", says: "all tickets of a process carry one nonce" },
  {
    guard: "ids-by-generation",
    where: "controllers",
    says: "an id that differs is a fenced one, also with a higher generation"
  },
  { guard: "previous-kept", where: "moves", says: "an entry of `previous` that has not acknowledged is dropped" },
  { guard: "previous-appended", where: "moves-three", says: "a move overwrites `previous`" },
  { guard: "acknowledged-epoch", where: "moves", says: "an acknowledgement counts for every epoch" },
  {
    guard: "acknowledged-own-id",
    where: "restarts",
    says: "an agent acknowledges for a newer hold id of its node",
    isSlow: true
  },
  { guard: "announced-before-used", where: "handover", says: "the long duration is used before it is announced" }
]

const evidenceRules: ReadonlyArray<Rule<EvidenceGuard>> = [
  { guard: "R12", where: "evidence-small", says: "no promises: L alone, while voters may keep the node" }
]

const evidenceGuards: ReadonlyArray<Rule<EvidenceGuard>> = [
  { guard: "strict-majority", where: "evidence-small", says: "the node keeps by its own word", isSlow: true },
  { guard: "confirming-round", where: "evidence-small", says: "one round of promises", isSlow: true },
  { guard: "full-V", where: "evidence-small", says: "V is one tick short", isSlow: true },
  {
    guard: "round-of-one-version",
    where: "evidence",
    says: "promises outlive the version that they were given for",
    isSlow: true
  },
  { guard: "voter-restarts", where: "evidence", says: "a restarted voter has vouched for nobody", isSlow: true },
  { guard: "evidence-dated-at-asking", where: "evidence-small", says: "evidence dates from the answer", isSlow: true },
  {
    guard: "evidence-never-revives",
    where: "evidence-small",
    says: "evidence adds an element that has expired",
    isSlow: true
  },
  { guard: "both-lists", where: "voters", says: "while the list changes, the new one alone must agree", isSlow: true },
  {
    guard: "given-for-good",
    where: "frozen",
    says: "a voter that confirmed a promise vouches for that hold id again",
    isSlow: true
  }
]

const sharingRules: ReadonlyArray<Rule<SharingGuard>> = [
  { guard: "R8", where: "sharing-small", says: "a node does not look who else claims the address" }
]

const sharingGuards: ReadonlyArray<Rule<SharingGuard>> = [
  { guard: "label-until-released", where: "sharing", says: "the label leaves before the acknowledgement" },
  { guard: "label-with-address", where: "sharing-small", says: "the label comes in a write after that of the address" },
  { guard: "consistent-claims", where: "sharing-small", says: "claims are listed from a cache" }
]

export interface Case {
  readonly guard: Guard
  readonly says: string
  readonly isNumbered: boolean
  /** Quick enough for `npm test`. */
  readonly isQuick: boolean
  readonly configuration: Configuration
  readonly explore: (statesMax: number | undefined) => Exploration
}

const configurationOf = (name: string): Configuration => {
  const found = configurations.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no configuration ${name}`)
  return found
}

const casesOf = <G extends Guard>(
  rules: ReadonlyArray<Rule<G>>,
  explore: (configuration: Configuration, guard: G, statesMax: number | undefined) => Exploration | undefined
): ReadonlyArray<Case> =>
  rules.map(({ guard, isSlow, says, where }) => {
    const configuration = configurationOf(where)
    return {
      guard,
      says,
      isNumbered: /^R\d/.test(guard),
      isQuick: isSlow !== true,
      configuration,
      explore: (statesMax) => {
        const found = explore(configuration, guard, statesMax)
        if (found === undefined) throw new Error(`${where} knows no ${guard}`)
        return found
      }
    }
  })

const rank = (guard: Guard): number => (/^R\d/.test(guard) ? Number(guard.slice(1)) : 100)

/** The numbered rules first, in their order. */
export const cases: ReadonlyArray<Case> = [
  ...casesOf([...leaseRules, ...leaseGuards], (configuration, guard, statesMax) =>
    configuration.of === "lease" ? configuration.explore(guard, { statesMax }) : undefined
  ),
  ...casesOf([...evidenceRules, ...evidenceGuards], (configuration, guard, statesMax) =>
    configuration.of === "evidence" ? configuration.explore(guard, { statesMax }) : undefined
  ),
  ...casesOf([...sharingRules, ...sharingGuards], (configuration, guard, statesMax) =>
    configuration.of === "sharing" ? configuration.explore(guard, { statesMax }) : undefined
  )
].toSorted((a, b) => rank(a.guard) - rank(b.guard))
