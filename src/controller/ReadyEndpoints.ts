/** On which nodes each Service has a ready endpoint: with externalTrafficPolicy Local only those may hold its address. */
import type { EndpointSlice } from "../api/EndpointSlice.ts"
import { serviceNameLabel } from "../api/EndpointSlice.ts"
import type { Change } from "../reconcile/Reflector.ts"

const serviceOf = ({ metadata }: EndpointSlice): string | undefined => {
  const name = metadata.labels?.[serviceNameLabel]
  return name === undefined ? undefined : `${metadata.namespace ?? ""}/${name}`
}

/** Absent `ready` means ready (API convention of EndpointSlice). */
const nodesOfSlice = ({ endpoints }: EndpointSlice): ReadonlySet<string> =>
  new Set(
    (endpoints ?? []).flatMap(({ conditions, nodeName }) => (conditions?.ready === false ? [] : (nodeName ?? [])))
  )

export class ReadyEndpoints {
  /** By Service key, then by slice. */
  private readonly slices = new Map<string, Map<string, ReadonlySet<string>>>()

  /** The Services whose nodes changed by it: none, or one, or two when a slice passed to another. */
  onSlice({ after, before, key }: Change<EndpointSlice>): ReadonlyArray<string> {
    const services = new Set([before, after].flatMap((slice) => (slice === undefined ? [] : (serviceOf(slice) ?? []))))
    return [...services].filter((service) => {
      const known = this.nodesOf(service)
      const slices = this.slices.get(service) ?? new Map<string, ReadonlySet<string>>()
      if (after !== undefined && serviceOf(after) === service) slices.set(key, nodesOfSlice(after))
      else slices.delete(key)
      if (slices.size === 0) this.slices.delete(service)
      else this.slices.set(service, slices)
      return known.symmetricDifference(this.nodesOf(service)).size > 0
    })
  }

  nodesOf(service: string): ReadonlySet<string> {
    const slices = [...(this.slices.get(service)?.values() ?? [])]
    return slices.reduce<ReadonlySet<string>>((all, nodes) => all.union(nodes), new Set())
  }
}
