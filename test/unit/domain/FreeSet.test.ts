import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import type { AddressRange } from "../../../src/domain/AddressRange.ts"
import * as FreeSet from "../../../src/domain/FreeSet.ts"
import { boolean, int, options } from "./arbitraries.ts"

type Tree = FreeSet.FreeSet["root"]

/** Checks a tree from below: order, gaps between runs, heights, sums; gives back its runs. */
const runsOf = (set: FreeSet.FreeSet, tree: Tree): ReadonlyArray<readonly [bigint, bigint]> => {
  if (tree === undefined) return []
  const left = runsOf(set, tree.left)
  const right = runsOf(set, tree.right)
  const { first, last } = tree.run
  assert.isTrue(first <= last, "a run is not empty")
  assert.isTrue((left.at(-1)?.[1] ?? first - 2n) + 1n < first, "apart from the run before")
  assert.isTrue(last + 1n < (right[0]?.[0] ?? last + 2n), "apart from the run after")
  const heights = [tree.left?.height ?? 0, tree.right?.height ?? 0] as const
  assert.isAtMost(Math.abs(heights[0] - heights[1]), 1, "balanced")
  assert.strictEqual(tree.height, Math.max(...heights) + 1)
  const usable = FreeSet.countUsable(set.family, set.avoidBuggyIPs, first, last)
  assert.strictEqual(tree.run.usable, usable)
  assert.strictEqual(tree.usable, (tree.left?.usable ?? 0n) + usable + (tree.right?.usable ?? 0n))
  return [...left, [first, last], ...right]
}

const base = 0x0a000000n
const range: AddressRange = { family: "IPv4", first: base, last: base + 299n }

describe("FreeSet", () => {
  it.prop(
    "stays a balanced tree of the addresses that are free, whatever is taken and given back",
    {
      avoidBuggyIPs: boolean,
      steps: Arbitrary.array(Arbitrary.all([boolean, int(0, 299)] as const), { minLength: 100, maxLength: 300 })
    },
    ({ avoidBuggyIPs, steps }) => {
      let set = FreeSet.make("IPv4", avoidBuggyIPs, [range])
      const free = new Set(Array.from({ length: 300 }, (_, n) => base + BigInt(n)))
      for (const [takes, n] of steps) {
        const value = base + BigInt(n)
        set = takes ? FreeSet.take(set, value) : FreeSet.give(set, value)
        if (takes) free.delete(value)
        else free.add(value)
        assert.strictEqual(FreeSet.has(set, value), !takes)
      }
      const listed = runsOf(set, set.root).flatMap(([first, last]) =>
        Array.from({ length: Number(last - first) + 1 }, (_, n) => first + BigInt(n))
      )
      assert.deepStrictEqual(new Set(listed), free)
    },
    { arbitrary: { ...options.arbitrary, runs: 100 } }
  )

  // oxfmt-ignore
  it.each<[string, (n: number) => number]>([
    ["upwards",                 (n) => n],
    ["downwards",               (n) => 999 - n],
    ["from both ends",          (n) => (n % 2 === 0 ? n / 2 : 999 - (n - 1) / 2)],
    ["from the middle",         (n) => (n % 2 === 0 ? 500 + n / 2 : 500 - (n + 1) / 2)]
  ])("stays balanced when every second of 2,000 addresses is taken %s, and given back so", (_, place) => {
    const whole = FreeSet.make("IPv4", false, [{ family: "IPv4", first: base, last: base + 1999n }])
    let set = whole
    for (let n = 0; n < 1000; n++) {
      set = FreeSet.take(set, base + 2n * BigInt(place(n)))
      if (n % 50 === 0) runsOf(set, set.root)
    }
    assert.strictEqual(runsOf(set, set.root).length, 1000)
    for (let n = 0; n < 1000; n++) {
      set = FreeSet.give(set, base + 2n * BigInt(place(n)))
      if (n % 50 === 0) runsOf(set, set.root)
    }
    assert.deepStrictEqual(runsOf(set, set.root), [[base, base + 1999n]])
  })

  // oxfmt-ignore
  it.each([
    ["a whole /24",               0, 255,   254],
    ["across a boundary",       254, 257,   2],
    ["nothing but .255 and .0", 255, 256,   0],
    ["0.0.0.0 itself",            0, 0,     0],
    ["a /16",                     0, 65535, 65024]
  ])("counts what is usable of %s, without .0 and .255", (_, first, last, usable) => {
    assert.strictEqual(FreeSet.countUsable("IPv4", true, BigInt(first), BigInt(last)), BigInt(usable))
  })
})
