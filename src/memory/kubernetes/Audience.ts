/** Who watches what: so that a change is shown to those whom it may concern, and not to each of a thousand operators. */
import { objectAt } from "./Json.ts"
import type { Change } from "./Store.ts"

type Listener = (change: Change) => void

export class Audience {
  /** By collection, and by the label that a listener asks for: "" is none. */
  private readonly listeners = new Map<string, Map<string, Set<Listener>>>()

  /** Answers the end of it. Without a label every change of the collection is told. */
  join(collection: string, label: string | undefined, listener: Listener): () => void {
    const byLabel = this.listeners.get(collection) ?? new Map<string, Set<Listener>>()
    this.listeners.set(collection, byLabel)
    const group = byLabel.get(label ?? "") ?? new Set<Listener>()
    byLabel.set(label ?? "", group)
    group.add(listener)
    return () => {
      group.delete(listener)
      if (group.size === 0 && byLabel.get(label ?? "") === group) byLabel.delete(label ?? "")
    }
  }

  tell(change: Change): void {
    const byLabel = this.listeners.get(change.collection)
    if (byLabel === undefined) return
    for (const listener of byLabel.get("") ?? []) listener(change)
    if (byLabel.size === (byLabel.has("") ? 1 : 0)) return
    for (const label of labelsOf(change)) {
      for (const listener of byLabel.get(label) ?? []) listener(change)
    }
  }
}

/** An object that leaves a selection concerns it too. */
const labelsOf = ({ after, before }: Change): ReadonlySet<string> =>
  new Set([
    ...Object.keys(objectAt(before, "metadata", "labels")),
    ...Object.keys(objectAt(after, "metadata", "labels"))
  ])
