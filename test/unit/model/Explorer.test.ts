/** The explorer on systems whose number of states and shortest traces are known without it. */
import { assert, describe, it } from "@effect/vitest"
import * as Bytes from "../../model/explorer/Bytes.ts"
import { explore } from "../../model/explorer/Explorer.ts"
import * as Fingerprints from "../../model/explorer/Fingerprints.ts"
import type { Emit, System } from "../../model/explorer/System.ts"

/** `counters` counters from 0 to `most`, each of which can go up by one. */
const counting = (counters: number, most: number, forbidden?: string): System<ReadonlyArray<number>> => ({
  initial: Array.from({ length: counters }, () => 0),
  next: (state, emit) => {
    for (const [index, value] of state.entries()) {
      if (value < most) emit(`counter ${index} goes to ${value + 1}`, state.with(index, value + 1))
    }
  },
  violated: (state) => (state.join(" ") === forbidden ? `it is ${forbidden}` : undefined),
  pack: (state, { put }) => state.forEach(put),
  unpack: ({ take }) => Array.from({ length: counters }, () => take())
})

type Place = "outside" | "asking" | "inside"
const places: ReadonlyArray<Place> = ["outside", "asking", "inside"]
interface Two {
  readonly place: readonly [Place, Place]
  readonly flag: readonly [boolean, boolean]
}

/**
 * Two processes with a flag each. `checksFirst`: looks at the other's flag, and raises its own only afterwards; the
 * oldest mutual exclusion that is none. Else it raises its own first, which excludes (and may block for ever).
 */
const flags = (checksFirst: boolean): System<Two> => {
  const step = ({ flag, place }: Two, who: 0 | 1, emit: Emit<Two>): void => {
    const other = who === 0 ? 1 : 0
    const to = (next: Place, raised: boolean): Two => ({
      place: who === 0 ? [next, place[1]] : [place[0], next],
      flag: who === 0 ? [raised, flag[1]] : [flag[0], raised]
    })
    if (place[who] === "outside" && (!checksFirst || !flag[other])) {
      emit(`${who} ${checksFirst ? "looks" : "raises its flag"}`, to("asking", !checksFirst))
    }
    if (place[who] === "asking" && (checksFirst || !flag[other])) {
      emit(`${who} ${checksFirst ? "raises its flag and enters" : "looks and enters"}`, to("inside", true))
    }
    if (place[who] === "inside") emit(`${who} leaves`, to("outside", false))
  }
  return {
    initial: { place: ["outside", "outside"], flag: [false, false] },
    next: (state, emit) => {
      step(state, 0, emit)
      step(state, 1, emit)
    },
    violated: ({ place }) => (place.every((each) => each === "inside") ? "both are inside" : undefined),
    pack: ({ flag, place }, { put }) => {
      for (const each of place) put(places.indexOf(each))
      for (const each of flag) put(each ? 1 : 0)
    },
    unpack: ({ take }) => {
      const place = (): Place => places[take()] ?? "outside"
      return { place: [place(), place()], flag: [take() === 1, take() === 1] }
    }
  }
}

describe("Explorer.explore", () => {
  it.each([
    [1, 5, 6, 5],
    [3, 4, 125, 12],
    [5, 9, 100_000, 45]
  ])("sees all states of %i counters up to %i, each once", (counters, most, states, depth) => {
    const found = explore(counting(counters, most))
    assert.deepStrictEqual([found.states, found.depth, found.endedBy], [states, depth, undefined])
  })

  it("counts what can happen: an edge for each counter that is not full", () => {
    assert.strictEqual(explore(counting(2, 3)).transitions, 2 * 3 * 4)
  })

  it("finds the shortest way to what must not be, as sentences in their order", () => {
    const { violation, endedBy } = explore(counting(2, 3, "0 2"))
    assert.strictEqual(endedBy, "violation")
    assert.deepStrictEqual(violation, {
      says: "it is 0 2",
      trace: ["counter 1 goes to 1", "counter 1 goes to 2"]
    })
  })

  it("finds the flaw of a mutual exclusion that looks before it raises its flag", () => {
    const { violation } = explore(flags(true))
    assert.deepStrictEqual(violation?.trace, [
      "0 looks",
      "1 looks",
      "0 raises its flag and enters",
      "1 raises its flag and enters"
    ])
  })

  it("finds none when the flag is raised first, in all eight states", () => {
    const found = explore(flags(false))
    assert.deepStrictEqual([found.violation, found.endedBy, found.states], [undefined, undefined, 8])
  })

  it("says which bound ended it", () => {
    assert.strictEqual(explore(counting(3, 4), { statesMax: 50 }).endedBy, "states")
    const shallow = explore(counting(3, 4), { depthMax: 2 })
    assert.deepStrictEqual([shallow.endedBy, shallow.depth], ["depth", 2])
    assert.strictEqual(shallow.states, 1 + 3 + 6)
  })

  it("refuses a number that does not fit a byte, which would make two states one", () => {
    assert.throws(() => explore(counting(1, 300)), /0 to 255/)
  })
})

describe("Fingerprints", () => {
  it("know each pair again after they have grown", () => {
    const seen = Fingerprints.make(4)
    const pairs = Array.from({ length: 5_000 }, (_, index) => [(index * 7919) >>> 0, index % 3] as const).slice(1)
    assert.isTrue(pairs.every(([low, high]) => seen.add(low, high)))
    assert.isFalse(pairs.some(([low, high]) => seen.add(low, high)))
    assert.strictEqual(seen.count, pairs.length)
  })

  it("differ for all states of five bytes that differ in two, and in each half for nearly all", () => {
    const lows = new Set<number>()
    const highs = new Set<number>()
    const both = new Set<string>()
    const buffer = Bytes.makeBuffer(8)
    for (let index = 0; index < 65_536; index++) {
      buffer.cutTo(0)
      for (const value of [1, index >> 8, 0, index & 255, 7]) buffer.put(value)
      const [low, high] = Fingerprints.fingerprint(buffer.bytes(), 0, 5)
      lows.add(low)
      highs.add(high)
      both.add(`${low} ${high}`)
    }
    assert.strictEqual(both.size, 65_536)
    assert.isAbove(Math.min(lows.size, highs.size), 65_000)
  })
})
