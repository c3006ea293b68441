/**
 * Services that lack something which another object's change may bring, indexed by what that is: a release in a pool
 * for which thousands wait wakes one of them, not all.
 *
 * A pool's waiters are woken one for each address that is released. One that is woken and does not take it (its Service
 * is gone, or wants something else by now) would leave the others asleep beside a free address: so whoever stops waiting
 * for a pool that still has one wakes the next.
 */
import { type Address, families, type Family } from "../domain/Address.ts"
import type { Refusal } from "../domain/Refusal.ts"
import type { ServiceRequest } from "../domain/ServiceRequest.ts"
import { Multimap } from "./Multimap.ts"

/** `pool/rack-1/IPv4` and `address/192.0.2.1` for a release there, `rules` for a pool or its namespace, `nodes` for a node, `clouds` for what a provider has,
 * `occupied` for any address that becomes free, by those whose own is in use by a foreign machine. */
export type Topic =
  | `pool/${string}/${Family}`
  | `address/${Address}`
  | `namespace/${string}`
  | "pools"
  | "nodes"
  | "clouds"
  | "occupied"

/** Of one family: who waits for the other would be woken in vain, and not who comes after. */
export const poolTopic = (pool: string, family: Family): Topic => `pool/${pool}/${family}`
export const addressTopic = (address: Address): Topic => `address/${address}`
export const namespaceTopic = (namespace: string): Topic => `namespace/${namespace}`

/** Undefined: it is no pool's. */
export const poolOf = (topic: Topic): { readonly pool: string; readonly family: Family } | undefined => {
  const [kind, pool = "", last] = topic.split("/")
  const family = families.find((each) => each === last)
  return kind === "pool" && family !== undefined ? { pool, family } : undefined
}

/** What may end this refusal. A change of pools may end any. */
export const topicsOf = (
  refusal: Refusal,
  { families: asked, namespace }: Pick<ServiceRequest, "families" | "namespace">
): ReadonlyArray<Topic> => {
  switch (refusal.reason) {
    case "AddressTaken":
      return ["pools", addressTopic(refusal.address)]
    case "PoolExhausted":
      return [
        "pools",
        // Who asked for none in particular takes what comes.
        ...(asked.length === 0 ? families : [refusal.family]).flatMap((family) =>
          refusal.pools.map(({ name }) => poolTopic(name, family))
        )
      ]
    case "NamespaceNotAllowed":
    case "NoPool":
      return ["pools", namespaceTopic(namespace)]
    default:
      return ["pools"]
  }
}

export class Waiting {
  private readonly keysByTopic = new Multimap()
  private readonly topics = new Map<string, ReadonlyArray<Topic>>()

  /** Replaces what the key waited for before; answers the topics that it waits for no more. */
  set(key: string, topics: ReadonlyArray<Topic>): ReadonlyArray<Topic> {
    const before = this.topics.get(key) ?? []
    const ended = before.filter((topic) => !topics.includes(topic))
    for (const topic of ended) this.keysByTopic.remove(topic, key)
    for (const topic of topics) if (!before.includes(topic)) this.keysByTopic.add(topic, key)
    if (topics.length === 0) this.topics.delete(key)
    else this.topics.set(key, topics)
    return ended
  }

  all(topic: Topic): Iterable<string> {
    return this.keysByTopic.get(topic)
  }

  /** Who has waited longest. */
  first(topic: Topic): string | undefined {
    return this.keysByTopic.first(topic)
  }

  keys(): Iterable<string> {
    return this.topics.keys()
  }

  size(): number {
    return this.topics.size
  }
}
