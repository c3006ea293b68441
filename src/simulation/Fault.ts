/** What may go wrong in a run. Each fault is one small file in `faults/` and one flag that a seed draws. */
import { Effect, Option } from "effect"
import type { TruthEvent } from "../invariants/GroundTruth.ts"
import type { Prng } from "./kernel/Prng.ts"
import type { Post } from "./world/Post.ts"
import type { World } from "./world/World.ts"

export interface Fault {
  /** Its flag, in kebab case. */
  readonly name: string
  /** What it does, for the table. */
  readonly title: string
  /**
   * Runs in the time of faults and is interrupted at its end, when it must put right what it broke. It says
   * `world.story.note(name)` each time it changed something, and `world.truth.impair` while it keeps an operator from
   * acting, renewing or being heard.
   */
  readonly run: (world: World, random: Prng) => Effect.Effect<void>
}

/** For so long a fault waits for its moment. */
const nextMillis = 30_000

/** Acts again and again, after pauses drawn from this range. */
export const every = (
  random: Prng,
  pauseMinMillis: number,
  pauseMaxMillis: number,
  act: Effect.Effect<unknown>
): Effect.Effect<never> =>
  Effect.forever(
    Effect.andThen(
      Effect.suspend(() => Effect.sleep(random.between(pauseMinMillis, pauseMaxMillis))),
      act
    )
  )

/** The next event that `matches` makes something of, or nothing if none comes for a while. */
export const next = <A>(
  { listeners }: World,
  matches: (event: TruthEvent) => A | undefined
): Effect.Effect<A | undefined> =>
  Effect.callback<A>((resume) => {
    const listen = (event: TruthEvent) => {
      const found = matches(event)
      if (found === undefined || !listeners.delete(listen)) return
      // Through a timer: what a resumed fiber does at once, it would do within the step that the event is of.
      resume(Effect.as(Effect.sleep(1), found))
    }
    listeners.add(listen)
    return Effect.sync(() => void listeners.delete(listen))
  }).pipe(
    Effect.timeoutOption(nextMillis),
    Effect.map((found) => Option.getOrUndefined(found))
  )

/** Kills one of these, whenever, or soon after `acts` said that it did something. */
export const kill = Effect.fnUntraced(function* (
  world: World,
  random: Prng,
  flag: string,
  posts: ReadonlyArray<Post>,
  { acts, withinMillis }: { readonly acts: (event: TruthEvent) => string | undefined; readonly withinMillis: number }
) {
  const by = random.chance(0.5) ? yield* next(world, acts) : undefined
  if (by !== undefined) yield* Effect.sleep(random.between(0, withinMillis))
  const running = started(posts)
  const post = by === undefined ? random.pick(running) : running.find(({ client }) => client === by)
  if (post === undefined) return
  world.story.note(flag)
  post.kill()
})

/** Hits one of those that can be hit now, and notes it; with none, nothing happens. */
export const strike = <A>(
  { story }: World,
  random: Prng,
  flag: string,
  candidates: () => ReadonlyArray<A>,
  hit: (target: A) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const target = random.pick(candidates())
    if (target === undefined) return Effect.void
    story.note(flag)
    return hit(target)
  })

/** Breaks something, leaves it so for a while, and puts it right, also when the time of faults ends meanwhile. */
export const broken = (millis: number, breaks: () => void, mends: () => void): Effect.Effect<void> =>
  Effect.sync(breaks).pipe(Effect.andThen(Effect.sleep(millis)), Effect.ensuring(Effect.sync(mends)))

/** The same for what somebody changes by requests; one that is refused changes nothing, and is not noted. */
export const brokenBy = (
  { story }: World,
  flag: string,
  millis: number,
  breaks: Effect.Effect<unknown, unknown>,
  mends: Effect.Effect<unknown, unknown>
): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Effect.ignore(
      Effect.andThen(
        breaks,
        Effect.sync(() => story.note(flag))
      )
    ),
    () => Effect.sleep(millis),
    () => Effect.ignore(mends)
  )

/** `broken`, of what keeps the operator of a node from acting, renewing or being heard; a controller may be hit too. */
export const hindered = (
  { truth }: World,
  flag: string,
  node: string | undefined,
  millis: number,
  breaks: () => void,
  mends: () => void
): Effect.Effect<void> =>
  broken(
    millis,
    () => {
      if (node !== undefined) truth.impair(node, flag)
      breaks()
    },
    () => {
      mends()
      if (node !== undefined) truth.relieve(node, flag)
    }
  )

/** On from the beginning of the faults to their end. */
export const throughout = (begin: () => void, end: () => void): Effect.Effect<void> =>
  Effect.sync(begin).pipe(Effect.andThen(Effect.never), Effect.ensuring(Effect.sync(end)))

/** Those whose process is there, running or paused. */
export const started = (posts: ReadonlyArray<Post>): ReadonlyArray<Post> =>
  posts.filter(({ process }) => process !== undefined)

/** One whose process runs. */
export const pickRunning = (posts: ReadonlyArray<Post>, random: Prng): Post | undefined =>
  random.pick(posts.filter(({ isRunning }) => isRunning))
