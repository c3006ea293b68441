/**
 * Breadth first, so that the first violation found is one of the shortest. Nothing is left out silently: a search that a
 * bound ended says so, and by which.
 *
 * Memory for each state: 8 bytes of fingerprint at a load of 30 to 60 %, and 6 to tell how it was reached; the packed
 * states themselves are kept for two levels only.
 */
import * as Bytes from "./Bytes.ts"
import * as Fingerprints from "./Fingerprints.ts"
import type { System } from "./System.ts"

export interface Bounds {
  readonly statesMax?: number | undefined
  readonly depthMax?: number | undefined
}

export interface Violation {
  readonly says: string
  /** What happened, step by step, from the initial state. */
  readonly trace: ReadonlyArray<string>
}

export interface Exploration {
  readonly states: number
  readonly transitions: number
  /** Steps to the state that is farthest from the initial one, of those seen. */
  readonly depth: number
  /** Undefined: every state that can be reached was seen. */
  readonly endedBy: "violation" | "states" | "depth" | undefined
  readonly violation: Violation | undefined
  readonly millis: number
  /** Of the tables of the explorer. */
  readonly bytes: number
}

/** The sentences on the way to a state, by walking it again. */
const traceOf = <State>(system: System<State>, parents: Bytes.Parents, state: number): ReadonlyArray<string> => {
  const ordinals: Array<number> = []
  for (let at = state; at !== 0; at = parents.of(at)[0]) ordinals.push(parents.of(at)[1])
  const trace: Array<string> = []
  let current = system.initial
  for (const ordinal of ordinals.toReversed()) {
    let index = 0
    let found: State | undefined
    system.next(current, (says, next) => {
      if (index === ordinal) {
        trace.push(says)
        found = next
      }
      index += 1
    })
    if (found === undefined) throw new Error(`no step ${ordinal} after: ${trace.join(", ")}`)
    // As the search saw it: packing may rename.
    const buffer = Bytes.makeBuffer(256)
    system.pack(found, buffer)
    current = system.unpack(Bytes.unpacker(buffer.bytes(), 0))
  }
  return trace
}

export const explore = <State>(system: System<State>, { depthMax, statesMax }: Bounds = {}): Exploration => {
  const startedAt = performance.now()
  const seen = Fingerprints.make()
  const parents = Bytes.makeParents()
  let [level, deeper] = [Bytes.makeBuffer(), Bytes.makeBuffer()]
  let [transitions, depth, firstOfLevel] = [0, 0, 0]
  let endedBy: Exploration["endedBy"]
  let violation: Violation | undefined
  let peakBytes = 0

  const visit = (state: State, parent: number, ordinal: number): void => {
    const from = deeper.length
    system.pack(state, deeper)
    const [low, high] = Fingerprints.fingerprint(deeper.bytes(), from, deeper.length)
    if (!seen.add(low, high)) return deeper.cutTo(from)
    parents.push(parent, ordinal)
    const says = system.violated(state)
    if (says === undefined) return
    violation = { says, trace: traceOf(system, parents, seen.count - 1) }
    endedBy = "violation"
  }

  visit(system.initial, 0, 0)
  const size = deeper.length
  while (deeper.length > 0 && endedBy === undefined) {
    if (depth === depthMax) endedBy = "depth"
    const [before, lastFirst] = [level, firstOfLevel]
    level = deeper
    deeper = before
    deeper.cutTo(0)
    firstOfLevel = lastFirst
    const levelCount = level.length / size
    for (let index = 0; index < levelCount && endedBy === undefined; index++) {
      const state = system.unpack(Bytes.unpacker(level.bytes(), index * size))
      let ordinal = 0
      system.next(state, (_, next) => {
        transitions += 1
        if (endedBy === undefined) visit(next, firstOfLevel + index, ordinal)
        ordinal += 1
      })
      if (endedBy === undefined && statesMax !== undefined && seen.count >= statesMax) endedBy = "states"
    }
    firstOfLevel += levelCount
    peakBytes = Math.max(peakBytes, seen.bytes + parents.bytes + level.capacity + deeper.capacity)
    if (deeper.length > 0) depth += 1
  }
  const millis = performance.now() - startedAt
  return { states: seen.count, transitions, depth, endedBy, violation, millis, bytes: peakBytes }
}
