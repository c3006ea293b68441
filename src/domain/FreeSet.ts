/**
 * The free addresses of one pool and family: disjoint runs in a balanced tree (AVL), each node knowing how many usable
 * addresses lie below it. Nothing is enumerated, so a /8 or an IPv6 /64 costs one run; the lowest free address, taking
 * and giving back are O(log n) in the number of runs, that is, of claims. Immutable: an update shares all but one path.
 */
import type { Family } from "./Address.ts"
import type { AddressRange } from "./AddressRange.ts"

export interface FreeSet {
  readonly family: Family
  /** Skip `.0` and `.255` of IPv4: some devices drop packets to them. They stay in the set, and are never chosen. */
  readonly avoidBuggyIPs: boolean
  readonly root: Tree
}

type Tree = Node | undefined

interface Run {
  readonly first: bigint
  readonly last: bigint
  /** Of this run alone. */
  readonly usable: bigint
}

interface Node {
  readonly run: Run
  readonly left: Tree
  readonly right: Tree
  readonly height: number
  readonly usable: bigint
}

/** `ranges` sorted and disjoint; those of the other family are left out. */
export const make = (family: Family, avoidBuggyIPs: boolean, ranges: ReadonlyArray<AddressRange>): FreeSet => {
  const set: FreeSet = { family, avoidBuggyIPs, root: undefined }
  const runs = ranges.filter((range) => range.family === family).map(({ first, last }) => runOf(set, first, last))
  return { ...set, root: balancedTree(runs, 0, runs.length) }
}

/** How many can still be chosen. */
export const available = (set: FreeSet): bigint => usableOf(set.root)

/** The lowest address that can be chosen. */
export const lowest = (set: FreeSet): bigint | undefined => {
  let tree = set.root
  while (tree !== undefined) {
    if (usableOf(tree.left) > 0n) tree = tree.left
    else if (tree.run.usable > 0n) return usableFrom(set, tree.run.first)
    else tree = tree.right
  }
  return undefined
}

export const has = (set: FreeSet, value: bigint): boolean => runAround(set.root, value) !== undefined

/** Not there: the same set. */
export const take = (set: FreeSet, value: bigint): FreeSet => {
  const run = runAround(set.root, value)
  if (run === undefined) return set
  let root = removed(set.root, run.first)
  if (run.first < value) root = inserted(root, runOf(set, run.first, value - 1n))
  if (value < run.last) root = inserted(root, runOf(set, value + 1n, run.last))
  return { ...set, root }
}

/** There already: the same set. The caller knows that the address is the pool's. */
export const give = (set: FreeSet, value: bigint): FreeSet => {
  if (has(set, value)) return set
  const before = runAround(set.root, value - 1n)
  const after = runAround(set.root, value + 1n)
  let root = set.root
  if (before !== undefined) root = removed(root, before.first)
  if (after !== undefined) root = removed(root, after.first)
  return { ...set, root: inserted(root, runOf(set, before?.first ?? value, after?.last ?? value)) }
}

const isBuggy = (set: FreeSet, value: bigint): boolean =>
  set.avoidBuggyIPs && set.family === "IPv4" && ((value & 255n) === 0n || (value & 255n) === 255n)

/** Two buggy ones (.255 and the next .0) follow each other at most. */
const usableFrom = (set: FreeSet, first: bigint): bigint => {
  let value = first
  while (isBuggy(set, value)) value += 1n
  return value
}

/** How many addresses of a run can be chosen. */
export const countUsable = (family: Family, avoidBuggyIPs: boolean, first: bigint, last: bigint): bigint => {
  const all = last - first + 1n
  if (!avoidBuggyIPs || family === "IPv6") return all
  const endingIn = (octet: bigint): bigint => upTo(last, octet) - upTo(first - 1n, octet)
  return all - endingIn(0n) - endingIn(255n)
}

/** How many of 0..value end in this octet. The shift rounds down, so it is right for -1, too. */
const upTo = (value: bigint, octet: bigint): bigint => ((value - octet) >> 8n) + 1n

const runOf = (set: FreeSet, first: bigint, last: bigint): Run => ({
  first,
  last,
  usable: countUsable(set.family, set.avoidBuggyIPs, first, last)
})

const usableOf = (tree: Tree): bigint => tree?.usable ?? 0n
const heightOf = (tree: Tree): number => tree?.height ?? 0

const runAround = (root: Tree, value: bigint): Run | undefined => {
  let tree = root
  while (tree !== undefined) {
    if (value < tree.run.first) tree = tree.left
    else if (value > tree.run.last) tree = tree.right
    else return tree.run
  }
  return undefined
}

const nodeOf = (run: Run, left: Tree, right: Tree): Node => ({
  run,
  left,
  right,
  height: Math.max(heightOf(left), heightOf(right)) + 1,
  usable: usableOf(left) + run.usable + usableOf(right)
})

const balancedTree = (runs: ReadonlyArray<Run>, from: number, to: number): Tree => {
  const middle = (from + to) >>> 1
  const run = runs[middle]
  if (from >= to || run === undefined) return undefined
  return nodeOf(run, balancedTree(runs, from, middle), balancedTree(runs, middle + 1, to))
}

/** The subtrees differ in height by two at most, as after one insertion or removal. */
const balanced = (run: Run, left: Tree, right: Tree): Node => {
  const lean = heightOf(left) - heightOf(right)
  if (lean > 1 && left !== undefined) {
    const { right: inner } = left
    return heightOf(left.left) >= heightOf(inner) || inner === undefined
      ? nodeOf(left.run, left.left, nodeOf(run, inner, right))
      : nodeOf(inner.run, nodeOf(left.run, left.left, inner.left), nodeOf(run, inner.right, right))
  }
  if (lean < -1 && right !== undefined) {
    const { left: inner } = right
    return heightOf(right.right) >= heightOf(inner) || inner === undefined
      ? nodeOf(right.run, nodeOf(run, left, inner), right.right)
      : nodeOf(inner.run, nodeOf(run, left, inner.left), nodeOf(right.run, inner.right, right.right))
  }
  return nodeOf(run, left, right)
}

const inserted = (tree: Tree, run: Run): Node => {
  if (tree === undefined) return nodeOf(run, undefined, undefined)
  return run.first < tree.run.first
    ? balanced(tree.run, inserted(tree.left, run), tree.right)
    : balanced(tree.run, tree.left, inserted(tree.right, run))
}

const removed = (tree: Tree, first: bigint): Tree => {
  if (tree === undefined) return undefined
  if (first < tree.run.first) return balanced(tree.run, removed(tree.left, first), tree.right)
  if (first > tree.run.first) return balanced(tree.run, tree.left, removed(tree.right, first))
  if (tree.left === undefined) return tree.right
  if (tree.right === undefined) return tree.left
  const next = leftmost(tree.right)
  return balanced(next, tree.left, removed(tree.right, next.first))
}

const leftmost = (node: Node): Run => (node.left === undefined ? node.run : leftmost(node.left))
