/**
 * "Sometimes" assertions: situations that the protocol was made for and that many seeds together must have met, or the
 * invariants held because nothing happened. Each is a detector over commits, requests and ground truth; what it sees is
 * noted in the story as `sometimes: …`.
 */
import type { TruthEvent } from "../invariants/GroundTruth.ts"
import type { Sights } from "./situations/Sights.ts"
import { ofAllocations } from "./situations/ofAllocations.ts"
import { ofLeases } from "./situations/ofLeases.ts"
import { ofRequests } from "./situations/ofRequests.ts"
import type { World } from "./world/World.ts"

const situations = [...ofLeases, ...ofAllocations, ...ofRequests]

/** As they stand in the story, for coverage. */
export const names: ReadonlyArray<string> = situations.map(({ name }) => `sometimes: ${name}`)

/** Begins to look; the result is to be told of each event of the ground truth. */
export const watch = (world: World): ((event: TruthEvent) => void) => {
  const sights: ReadonlyArray<Sights> = situations.map(({ detect, name }) =>
    detect(world, () => world.story.note(`sometimes: ${name}`))
  )
  const on = <K extends keyof Sights>(key: K): ReadonlyArray<NonNullable<Sights[K]>> =>
    sights.flatMap((each) => {
      const look = each[key]
      return look === undefined ? [] : [look as NonNullable<Sights[K]>]
    })
  const [changes, requests, refusals, late, events] = [
    on("change"),
    on("request"),
    on("refusal"),
    on("lateWrite"),
    on("event")
  ]
  world.memory.truth.subscribe((change) => {
    for (const look of changes) look(change)
  })
  world.links.observers.add({
    request: (request, fault) => {
      for (const look of requests) look(request, fault)
    },
    refusal: (client, error) => {
      for (const look of refusals) look(client, error)
    },
    lateWrite: (arrival) => {
      for (const look of late) look(arrival)
    }
  })
  return (event) => {
    for (const look of events) look(event)
  }
}
