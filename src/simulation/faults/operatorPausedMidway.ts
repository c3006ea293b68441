/**
 * SIGSTOP in the middle of a renewal, where chance hardly ever strikes: the API server has committed it and the operator has
 * not heard so, or its kernel has the ticket and not yet the lease. SIGCONT once others may have taken over.
 */
import { Effect, Option } from "effect"
import { isOperator } from "../../invariants/Actors.ts"
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import { every, type Fault, hindered } from "../Fault.ts"
import type { Post } from "../world/Post.ts"
import type { World } from "../world/World.ts"

const flag = "operator-paused-midway"
/** An operator renews every second. */
const patienceMillis = 3_000
/** Longer than a lease, and than it takes to get the voters' promises. */
const pauseMillis = [8_000, 20_000] as const

/** It is stopped already, and goes on whatever ends the fault. */
const nothing = () => {}

/** Calls `stop` within the step; answers how to listen no more. */
type Moment = (world: World, post: Post, stop: () => void) => () => void

const whenCommitted: Moment = ({ listeners }, { client }, stop) => {
  const listen = (event: TruthEvent) => {
    if (event.type === "Written" && event.kind === "Lease" && event.by === client) stop()
  }
  listeners.add(listen)
  return () => void listeners.delete(listen)
}

const whenTicketed: Moment = (_, { client, host }, stop) => {
  if (host === undefined) return () => {}
  host.onTicket = (by) => {
    if (by === client) stop()
  }
  return () => void (host.onTicket = undefined)
}

/** Something that it put there itself. */
const serves = ({ truth }: World, { host }: Post): boolean =>
  [...(truth.nodes.get(host?.name ?? "")?.putBy.values() ?? [])].some(isOperator)

/** Whether the moment came in time. */
const stopAt = (moment: Moment, world: World, post: Post, stop: () => void): Effect.Effect<boolean> =>
  Effect.callback<void>((resume) => {
    const listenNoMore = moment(world, post, () => {
      listenNoMore()
      stop()
      resume(Effect.sleep(1))
    })
    return Effect.sync(listenNoMore)
  }).pipe(Effect.timeoutOption(patienceMillis), Effect.map(Option.isSome))

export const operatorPausedMidway: Fault = {
  name: flag,
  title: "an operator stops in the middle of a renewal, for longer than its lease lasts",
  run: (world, random) =>
    every(
      random,
      2_000,
      12_000,
      Effect.gen(function* () {
        const post = random.pick(world.operators.filter((each) => each.isRunning && serves(world, each)))
        const { host, process } = post ?? {}
        const moment = random.pick([whenCommitted, whenTicketed])
        if (post === undefined || host === undefined || process === undefined || moment === undefined) return
        let isStopped = false
        const stop = () => {
          isStopped = true
          process.pause()
        }
        yield* Effect.ensuring(
          Effect.gen(function* () {
            if (!(yield* stopAt(moment, world, post, stop))) return
            world.story.note(flag)
            yield* hindered(world, flag, host.name, random.between(...pauseMillis), nothing, nothing)
          }),
          Effect.sync(() => {
            if (isStopped) process.resume()
          })
        )
      })
    )
}
