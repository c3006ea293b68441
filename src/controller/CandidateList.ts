/**
 * The candidates as the leader has written them down for the operators (`plenuslb-node-config`), and what may change that:
 * Services that found no node among them. Every replica keeps it, so that the next leader goes on with the same list.
 */
import type { Policy } from "../domain/Candidates.ts"

/** One that is named renews at once, when its watch brings it the list: whoever has not by then is not counted on. */
export const LATE_MILLIS = 3_000

export class CandidateList {
  readonly policy: Policy
  /** When a Service calls for nodes, or does no more. */
  onCalls: () => void = () => {}
  /** Since when each is named; undefined: all nodes are candidates. */
  private since: ReadonlyMap<string, number> | undefined
  /** By key of the Service: nodes of which one should become a candidate for it. */
  private readonly calls = new Map<string, ReadonlyArray<string>>()

  constructor(policy: Policy) {
    this.policy = policy
  }

  /** True when it is another list than before. */
  set(names: ReadonlyArray<string> | undefined, nowMillis: number): boolean {
    const before = this.since
    const isSame = before?.size === names?.length && (names ?? []).every((name) => before?.has(name))
    if (!isSame) this.since = names && new Map(names.map((name) => [name, before?.get(name) ?? nowMillis]))
    return !isSame
  }

  names(): ReadonlyArray<string> | undefined {
    return this.since && [...this.since.keys()]
  }

  has(node: string): boolean {
    return this.since?.has(node) ?? true
  }

  /** Named for so long that it should have begun. */
  isOverdue(node: string, nowMillis: number): boolean {
    const since = this.since?.get(node)
    return since !== undefined && nowMillis - since >= LATE_MILLIS
  }

  /** Not where all are candidates, nor those that were named and did not begin. */
  mayCall(node: string, nowMillis: number): boolean {
    return this.since !== undefined && !this.isOverdue(node, nowMillis)
  }

  call(key: string, nodes: ReadonlyArray<string>): void {
    if ((this.calls.get(key) ?? []).join() === nodes.join()) return
    if (nodes.length === 0) this.calls.delete(key)
    else this.calls.set(key, nodes)
    this.onCalls()
  }

  callers(): Iterable<string> {
    return this.calls.keys()
  }

  called(): ReadonlyArray<ReadonlyArray<string>> {
    return [...new Map([...this.calls.values()].map((nodes) => [nodes.join(), nodes])).values()]
  }
}
