/**
 * Judges every event of a run, and now and then the whole. The first violation that no excuse covers ends the run at the
 * next instant; one that the whole check finds must have been found by an event before, or a judge is blind.
 */
import { Effect } from "effect"
import { isOurs } from "../invariants/Actors.ts"
import { safety } from "../invariants/all.ts"
import type { TruthEvent, Violation } from "../invariants/GroundTruth.ts"
import { isRenewal } from "../invariants/Registrations.ts"
import type { World } from "./world/World.ts"

const wholeCheckEveryEvents = 1_000
const lookEveryMillis = 100

/** The run is over: something that must never happen did, or what must happen did not. */
export class Stopped extends Error {
  override readonly name = "Stopped"
  readonly violations: ReadonlyArray<Violation>
  readonly verdict: "safety" | "liveness"
  constructor(verdict: "safety" | "liveness", violations: ReadonlyArray<Violation>) {
    super(violations.map(({ invariant, message }) => `${invariant}: ${message}`).join("\n"))
    this.verdict = verdict
    this.violations = violations
  }
}

export class Court {
  readonly excused = new Map<string, number>()
  verdict: ReadonlyArray<Violation> = []
  world: World | undefined
  /** The last commit of our programs that is no renewal of a lease, in words. */
  lastWrite = ""
  /** Commits of our programs by which a node registered or was fenced, or another came to lead. */
  takeoversCount = 0
  private readonly judges = safety.map(({ judge }) => judge())
  private eventsCount = 0

  readonly hear = (event: TruthEvent): void => {
    const truth = this.world?.truth
    if (truth === undefined) return
    if (event.type === "Written" && isOurs(event.by)) this.note(event)
    for (const judge of this.judges) for (const found of judge.after(event, truth)) this.convict(found)
    if (++this.eventsCount % wholeCheckEveryEvents === 0) this.look()
  }

  /** The whole check. */
  look(): void {
    const truth = this.world?.truth
    if (truth === undefined) return
    for (const judge of this.judges) {
      for (const found of judge.whole(truth)) {
        if (found.excuse === undefined) this.convict({ ...found, message: `${found.message} (no event had shown it)` })
      }
    }
  }

  private note(event: Extract<TruthEvent, { readonly type: "Written" }>): void {
    if (event.kind === "Lease") {
      if (isRenewal(event.before, event.after)) return
      this.takeoversCount++
    }
    this.lastWrite = `${event.by} wrote ${event.kind} ${event.key}`
  }

  private convict(violation: Violation): void {
    if (violation.excuse !== undefined) {
      const key = `${violation.invariant}, ${violation.excuse}`
      this.excused.set(key, (this.excused.get(key) ?? 0) + 1)
    } else if (this.verdict.length === 0) {
      this.verdict = [violation]
      this.world?.story.tell(`VIOLATION ${violation.invariant}: ${violation.message}`)
    }
  }
}

/** Ends with what must never happen, as soon as it did. */
export const untilConvicted = (court: Court): Effect.Effect<never, Stopped> =>
  Effect.sleep(lookEveryMillis).pipe(
    Effect.andThen(
      Effect.suspend(() =>
        court.verdict.length === 0 ? Effect.void : Effect.fail(new Stopped("safety", court.verdict))
      )
    ),
    Effect.forever
  )
