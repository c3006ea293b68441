/**
 * Which addresses that are granted have been deleted at the provider, by a person in its console. That a list lacks one is
 * no evidence, since lists lag; a read by its id, after the list, that finds nothing is, since no provider gives an id
 * twice. And only in a project that is the cluster's own beyond doubt: the token of another one finds nothing, either.
 */
import { Effect, Option } from "effect"
import type { Address } from "../../domain/Address.ts"
import { labelNames } from "../../domain/CloudClaim.ts"
import * as FloatingAddress from "../../domain/FloatingAddress.ts"
import type { Entry } from "../../domain/Hold.ts"
import type { CloudAddress, CloudProject, Resolution } from "../../ports/Cloud.ts"
import type { ProjectView } from "./CloudBook.ts"

export interface Surroundings {
  readonly project: CloudProject
  /** As just listed. */
  readonly addresses: ReadonlyArray<CloudAddress>
  readonly resolutions: ReadonlyMap<string, Resolution>
  /** What was known of this project before, by the same token. */
  readonly before: Pick<ProjectView, "addresses" | "deleted"> | undefined
  /** UID of namespace kube-system. */
  readonly cluster: string
}

const idIn = (addresses: ReadonlyArray<CloudAddress>, { address }: Entry): string | undefined =>
  addresses.find(({ network }) => FloatingAddress.contains(network, address))?.id

const isListed = (addresses: ReadonlyArray<CloudAddress>, entry: Entry): boolean =>
  addresses.some(({ id }) => id === entry.cloudId) || idIn(addresses, entry) !== undefined

/** A server of a Node's name may be another cluster's; one of its id, or what has our label, is not. */
const isOurProject = ({ addresses, cluster, resolutions }: Surroundings): boolean =>
  addresses.some(({ labels }) => labels[labelNames.cluster] === cluster) ||
  [...resolutions.values()].some((resolution) => resolution.type === "server" && resolution.isById)

/** Of these entries; what cannot be read now counts as there. */
export const deletedAmong = Effect.fnUntraced(function* (entries: ReadonlyArray<Entry>, surroundings: Surroundings) {
  const { addresses, before, project } = surroundings
  const deleted = new Set<Address>()
  for (const entry of entries.filter((each) => !isListed(addresses, each))) {
    const known = before && idIn(before.addresses, entry)
    const id = entry.cloudId ?? known
    const wasSeen = before?.addresses.some((each) => each.id === id) === true
    if (before?.deleted.has(entry.address) === true) deleted.add(entry.address)
    else if (id !== undefined && (wasSeen || isOurProject(surroundings))) {
      const found = yield* Effect.option(project.address(id, "background"))
      if (Option.isSome(found) && found.value === undefined) deleted.add(entry.address)
    }
  }
  return deleted
})
