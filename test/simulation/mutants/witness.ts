/**
 * Bugs of evidence and promises. They take a control plane that is away for some and not for others at the right moment: unit
 * tests of Witness, Promises, Evidence and Seats kill each of them; whether seeds do was not tried since the kernel lets go
 * by itself.
 */
import type { Mutant } from "./Mutant.ts"

export const witnessMutants: ReadonlyArray<Mutant> = [
  {
    name: "no-confirming-round",
    what: "a node is fenced after the first answers of its voters",
    file: "src/controller/Promises.ts",
    find: "  const confirmed = yield* confirmingRound(asking, wanted, given)",
    replace: "  const confirmed = given",
    killedBy: "S1"
  },
  {
    name: "heads-instead-of-the-list",
    what: "whoever answers promises, however long the list is",
    file: "src/domain/Witness.ts",
    find: "promising.has(voter)).length >= promisesNeeded(voters)",
    replace: "promising.has(voter)).length >= Math.min(1, promisesNeeded(voters))",
    killedBy: "S1"
  },
  {
    name: "short-silence",
    what: "a voter promises when it has not vouched for a quarter of V",
    file: "src/controller/Promises.ts",
    find: "    withinMillis: silenceMillis\n",
    replace: "    withinMillis: silenceMillis / 4\n",
    killedBy: "S1"
  },
  {
    name: "voter-restarts-forgotten",
    what: "a voter that was restarted promises at once, not knowing for whom it vouched",
    file: "src/domain/Witness.ts",
    find: "vouchedMillis.get(holdId) ?? startedMillis",
    replace: "vouchedMillis.get(holdId) ?? startedMillis - KEPT_MILLIS",
    killedBy: "S1"
  },
  {
    name: "evidence-from-the-answer",
    what: "evidence counts from the answers and not from the asking",
    file: "src/operator/Evidence.ts",
    find: "  yield* situation.extend(askedAtMillis)",
    replace: "  yield* situation.extend(Math.max(askedAtMillis, yield* monotonicMillis))",
    killedBy: "S1"
  },
  {
    name: "new-list-at-once",
    what: "a list of voters that was sent and not answered counts alone",
    file: "src/operator/Seats.ts",
    find: "    return [registered.content.voters, ...(pending === undefined ? [] : [pending.voters])]",
    replace: "    return [pending?.voters ?? registered.content.voters]",
    killedBy: "S1"
  }
]
