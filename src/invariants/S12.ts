/**
 * S12: no secret in what we write (status, events, ConfigMaps, leases, workloads) or log. What a user wrote into the spec
 * of a pool stays where the user put it. Source: PlenusLB v0.4 kept the cloud's token in clear in a cluster-wide object.
 */
import { isOurs } from "./Actors.ts"
import type { Safety, TruthEvent, Violation } from "./GroundTruth.ts"

/** The text that is ours, and where it stands. */
const ownText = (event: TruthEvent): { readonly text: string; readonly where: string } | undefined => {
  if (event.type === "Logged") return { text: event.text, where: `the log of ${event.by}` }
  if (event.type !== "Written" || event.after === undefined || !isOurs(event.by)) return undefined
  const where = `${event.kind} ${event.key}, written by ${event.by}`
  return { text: JSON.stringify(event.kind === "Pool" ? (event.after.status ?? {}) : event.after), where }
}

export const S12: Safety = {
  id: "S12",
  title: "no secret in status, events, logs",
  judge: () => ({
    after: (event, { secrets }): ReadonlyArray<Violation> => {
      if (secrets.length === 0) return []
      const own = ownText(event)
      const isFound = own !== undefined && secrets.some((secret) => own.text.includes(secret))
      return isFound ? [{ invariant: "S12", message: `a secret stands in ${own.where}` }] : []
    },
    whole: () => []
  })
}
