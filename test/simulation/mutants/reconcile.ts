/** Bugs of what controller and operator share: caches, work queue, retries. */
import type { Mutant } from "./Mutant.ts"

export const reconcileMutants: ReadonlyArray<Mutant> = [
  {
    name: "forget-a-410",
    what: "a watch that is told its version is gone asks for the same version again",
    file: "src/reconcile/Reflector.ts",
    find: 'if (error.reason._tag === "Expired") position = undefined',
    replace: "position = position ?? undefined",
    killedBy: "L1",
    seeds: [2]
  },
  {
    name: "relist-keeps-what-is-gone",
    what: "what a new list lacks stays in the cache",
    file: "src/reconcile/Reflector.ts",
    find: "if (!present.has(key)) this.delete(key, list.resourceVersion)",
    replace: "void present.has(key)",
    killedBy: "L1",
    seeds: [2]
  },
  {
    name: "relist-changes-nothing",
    what: "only the first list is taken into the cache",
    file: "src/reconcile/Reflector.ts",
    find: "    for (const item of list.items) this.set(item)\n",
    replace: "    for (const item of this.synced ? [] : list.items) this.set(item)\n",
    killedBy: "L1",
    seeds: [2]
  },
  {
    name: "key-dropped-while-in-work",
    what: "a change that comes while its key is in work is lost",
    file: "src/reconcile/WorkQueue.ts",
    find: "      state.dirty = true\n",
    replace: "",
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "gives-up-after-a-failure",
    what: "a key that failed is not tried again",
    file: "src/reconcile/WorkQueue.ts",
    find: "  yield* books.wait(key, state, millis, scope)\n",
    replace: "  books.keys.delete(key)\n  void millis\n",
    killedBy: "L1",
    seeds: [1]
  },
  {
    name: "late-reply-resurrects",
    what: "a reply that comes after the deletion brings the object back into the cache",
    file: "src/reconcile/Reflector.ts",
    find: "    this.tombstones.set(key, resourceVersion)\n",
    replace: "",
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "conflict-waits-for-the-watch",
    what: "after a conflict the object is not read again (v0.4, 6)",
    file: "src/reconcile/ReadBack.ts",
    find: 'error.category === "conflict" || error.category === "ambiguous"',
    replace: 'error.category === "permanent"',
    killedBy: "S11"
  },
  {
    name: "failures-of-all-kinds",
    what: "a refusal waits for as long as all failures before it together demand",
    file: "src/reconcile/WorkQueue.ts",
    find: "const before = state.failures.get(category) ?? 0",
    replace: "const before = [...state.failures.values()].reduce((sum, each) => sum + each, 0)",
    killedBy: "L1"
  },
  {
    name: "early-retries-lengthen",
    what: "a retry before its time counts like one that has waited",
    file: "src/reconcile/WorkQueue.ts",
    find: "state.early && before > 0 ? before : before + 1",
    replace: "before + 1",
    killedBy: "L1"
  }
]
