/**
 * S11: the writes that an object costs are within a budget that others' changes give; what is converged costs nothing
 * (the run itself demands zero requests of a quiet cluster, L4). A loop of two who undo each other, or of one who does not
 * recognise its own write, exceeds it. Source: Sieve's second oracle; PlenusLB v0.4 wrote each status every minute.
 */
import { isOurs } from "./Actors.ts"
import type { Safety, TruthEvent } from "./GroundTruth.ts"
import { isLifeOfNode } from "./Registrations.ts"

const windowMillis = 60_000
/** One Service from create to gone needs ten; a crash before or after any of them repeats it. */
const budgetBase = 40
/** Each change of what it depends on may move its addresses, which takes six, and be told. */
const budgetPerChange = 8

/** What may make any Service be planned anew. */
const isCause = (event: TruthEvent): boolean => {
  if (event.type === "Placed" || event.type === "HostChanged") return !isOurs(event.by)
  if (event.type !== "Written") return false
  if (event.kind === "Lease") return isLifeOfNode(event.before, event.after)
  return !isOurs(event.by)
}

/** Times within the last window; those that fell out of it are forgotten as new ones come. */
class Recent {
  private times: Array<number> = []
  private taken = 0

  add(nowMillis: number): void {
    this.times.push(nowMillis)
  }

  count(nowMillis: number): number {
    while ((this.times[this.taken] ?? Number.POSITIVE_INFINITY) < nowMillis - windowMillis) this.taken++
    if (this.taken > 1_000) {
      this.times = this.times.slice(this.taken)
      this.taken = 0
    }
    return this.times.length - this.taken
  }
}

export const S11: Safety = {
  id: "S11",
  title: "a converged state costs zero writes, any other no more than its budget",
  judge: () => {
    const causes = new Recent()
    const writes = new Map<string, Recent>()
    return {
      after: (event, truth) => {
        const now = truth.nowMillis
        if (isCause(event)) causes.add(now)
        if (event.type !== "Written" || event.kind === "Lease" || !isOurs(event.by)) return []
        const key = `${event.kind} ${event.key}`
        const own = writes.get(key) ?? new Recent()
        writes.set(key, own)
        own.add(now)
        const budget = budgetBase + budgetPerChange * causes.count(now)
        const count = own.count(now)
        const message = `${key} was written ${count} times within ${windowMillis / 1000} s, and ${budget} were allowed`
        return count > budget ? [{ invariant: "S11", message }] : []
      },
      whole: () => []
    }
  }
}
