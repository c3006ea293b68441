/** Faults that befall single requests, and times in which those of one client are refused. */
import type { Effect } from "effect"
import type { ApiRequest, Fault as Trouble } from "../memory/kubernetes/Faults.ts"
import { Unavailable, ReplyLost, type Reason } from "../ports/Kubernetes.ts"
import { type Fault, hindered, throughout } from "./Fault.ts"
import type { Prng } from "./kernel/Prng.ts"
import type { Post } from "./world/Post.ts"
import type { World } from "./world/World.ts"

export const isWrite = ({ method }: ApiRequest): boolean => !["get", "list", "watch"].includes(method)

/** Often enough to be met at every kind of request, rarely enough that no operator is silenced for as long as L. */
const probabilities = [0.005, 0.02]

/** Each request may meet it; undefined: not this one. */
export const onSomeRequests =
  (flag: string, befalls: (request: ApiRequest, random: Prng) => Trouble | undefined): Fault["run"] =>
  ({ links, story }, random) => {
    const probability = random.pick(probabilities) ?? 0
    const strike = (request: ApiRequest): Trouble | undefined => {
      const trouble = random.chance(probability) ? befalls(request, random) : undefined
      if (trouble !== undefined) story.note(flag)
      return trouble
    }
    return throughout(
      () => links.faults.set(flag, strike),
      () => links.faults.delete(flag)
    )
  }

/** Who sent a write and hears nothing does not know whether it was done. */
export const noAnswer = (request: ApiRequest, message: string): Reason =>
  isWrite(request) ? new ReplyLost({ message }) : new Unavailable({ message })

/** For a while the matching requests of one client (undefined: of all) are answered so; noted once it refused one. */
export const refused = (
  world: World,
  flag: string,
  post: Post | undefined,
  millis: number,
  reasonOf: (request: ApiRequest) => Reason | undefined
): Effect.Effect<void> => {
  let isNoted = false
  const strike = (request: ApiRequest): Trouble | undefined => {
    const reason = post === undefined || request.user === post.client ? reasonOf(request) : undefined
    if (reason === undefined) return undefined
    if (!isNoted) world.story.note(flag)
    isNoted = true
    return { delayMillis: 2, refuse: reason }
  }
  return hindered(
    world,
    flag,
    post?.host?.name,
    millis,
    () => world.links.faults.set(flag, strike),
    () => world.links.faults.delete(flag)
  )
}

/** Connections of the client that are open now are reset: its watches end. */
export const resetWatches = (world: World, isIt: (watch: ApiRequest) => boolean): void =>
  world.memory.watches.reset((watch) => watch.user !== "kubectl" && isIt(watch))
