/** Somebody in the console takes a floating IP from its server, or sends it to another of the nodes. */
import { Effect } from "effect"
import { every, type Fault } from "../Fault.ts"

export const cloudUnassigned: Fault = {
  name: "cloud-unassigned",
  title: "a person unassigns or moves a floating IP in the console",
  run: ({ cloud, story }, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.sync(() => {
        const { console, truth } = cloud.project
        const found = random.pick(truth.floatingIps().filter(({ server }) => server !== null))
        const server = random.chance(0.5) ? null : (random.pick(truth.servers())?.id ?? null)
        if (found === undefined || found.server === server) return
        // A route that was made since anybody looked, and that nobody would know of.
        cloud.onChange("console")
        console.change(found.id, { server })
        cloud.onChange("console")
        story.note("cloud-unassigned")
      })
    )
}
