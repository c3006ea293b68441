/**
 * S12: no secret in what we write (status, events, ConfigMaps, leases, workloads) or log. What a user wrote into the spec
 * of a pool stays where the user put it. Source: PlenusLB v0.4 kept the cloud's token in clear in a cluster-wide object.
 */
import { isOurs } from "./Actors.ts"
import type { Safety, TruthEvent, Violation } from "./GroundTruth.ts"

/** What is ours of what happened, a text or an object of texts, and where it stands. */
const ownOf = (event: TruthEvent): { readonly content: unknown; readonly where: string } | undefined => {
  if (event.type === "Logged") return { content: event.text, where: `the log of ${event.by}` }
  if (event.type !== "Written" || event.after === undefined || !isOurs(event.by)) return undefined
  const where = `${event.kind} ${event.key}, written by ${event.by}`
  return { content: event.kind === "Pool" ? event.after.status : event.after, where }
}

/** In any text of it, those that name its members included: as JSON, in which texts stand escaped. */
const holds = (content: unknown, secrets: ReadonlyArray<string>): boolean => {
  const json = JSON.stringify(content) ?? ""
  return secrets.some((secret) => json.includes(JSON.stringify(secret).slice(1, -1)))
}

export const S12: Safety = {
  id: "S12",
  title: "no secret in status, events, logs",
  judge: () => ({
    after: (event, { secrets }): ReadonlyArray<Violation> => {
      if (secrets.length === 0) return []
      const own = ownOf(event)
      const isFound = own !== undefined && holds(own.content, secrets)
      return isFound ? [{ invariant: "S12", message: `a secret stands in ${own.where}` }] : []
    },
    whole: () => []
  })
}
