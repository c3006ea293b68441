/** Bugs of the controller: what it grants, writes, and takes off. */
import type { Mutant } from "./Mutant.ts"

export const controllerMutants: ReadonlyArray<Mutant> = [
  {
    name: "drop-the-compare-and-set",
    what: "spec.allocations is written without the version that was read",
    file: "src/controller/AllocationWriter.ts",
    find: "        resourceVersion: allocation.metadata.resourceVersion,\n        labels: labelPatch(allocation, content.entries, isFenced),\n        finalizers",
    replace: "        labels: labelPatch(allocation, content.entries, isFenced),\n        finalizers",
    killedBy: "S8",
    seeds: [4]
  },
  {
    name: "match-by-name",
    what: "a Service made anew takes over the IPAllocation of its namesake (v0.4, 11)",
    file: "src/domain/Plan.ts",
    find: "const foreign = allocation.serviceUid !== undefined && allocation.serviceUid !== service.uid",
    replace: "const foreign = false",
    killedBy: "S4",
    seeds: [2]
  },
  {
    name: "status-by-name",
    what: "a Service status is written whatever the Service has become (v0.4, 11)",
    file: "src/controller/AllocationWriter.ts",
    find: "        metadata: { uid: service.metadata.uid, resourceVersion: service.metadata.resourceVersion },\n",
    replace: "",
    killedBy: "S4"
  },
  {
    name: "no-finalizer",
    what: "IPAllocations are created without our finalizer (v0.4, 5)",
    file: "src/controller/AllocationWriter.ts",
    find: "        finalizers: [finalizer],\n",
    replace: "",
    killedBy: "S7",
    isFoundWithoutFaults: true
  },
  {
    name: "delete-without-finalizer",
    what: "an IPAllocation whose finalizer somebody took off is deleted as it is",
    file: "src/controller/AllocationWriter.ts",
    find: "const { metadata } = yield* protect(allocation, isFenced)",
    replace: "const { metadata } = allocation",
    killedBy: "S14",
    cluster: "drawn"
  },
  {
    name: "deleted-and-not-found",
    what: "labels that are taken off what is being deleted are not put back",
    file: "src/domain/Plan.ts",
    find: "[Change.Label()]",
    replace: "[]",
    killedBy: "L3"
  },
  {
    name: "leads-by-what-it-knows",
    what: "a new leader grants before it knows what was granted by those before",
    file: "src/controller/Readiness.ts",
    find: "caches.allocations.relist.pipe(",
    replace: "Effect.void.pipe(",
    killedBy: "S2",
    cluster: "drawn",
    seeds: [214]
  },
  {
    name: "missing-kind-is-gone",
    what: "an IPAllocation is taken for gone while its kind is not served",
    file: "src/controller/ServiceReconciler.ts",
    find: "({ isGone }) => isGone",
    replace: '({ reason }) => reason._tag === "NotFound"',
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "finalizer-off-too-early",
    what: "our finalizer is taken off before every holder has let go",
    file: "src/domain/Plan.ts",
    find: "released && allocation.hasFinalizer && owesNothing ?",
    replace: "allocation.hasFinalizer && owesNothing ?",
    killedBy: "S7",
    isFoundWithoutFaults: true
  },
  {
    name: "reuse-before-release",
    what: "nobody is waited for who may still serve a released address",
    file: "src/domain/Hold.ts",
    find: "(each) => !isFenced(each) && !hasReleased(acknowledgements, entry.address, each)",
    replace: "() => false",
    also: [
      {
        find: '    ...acknowledgements.filter((each) => each.phase === "Serving").map((each) => each.address)\n',
        replace: "    ...acknowledgements.slice(0, 0).map((each) => each.address)\n"
      }
    ],
    killedBy: "S7"
  },
  {
    name: "publish-before-serving",
    what: "an address is shown before a node serves it",
    file: "src/domain/Target.ts",
    find: "return current !== undefined && (servedNow(current) || service.shown.includes(entry.address))",
    replace: "return current !== undefined",
    killedBy: "S4",
    isFoundWithoutFaults: true
  },
  {
    name: "never-shown",
    what: "granted addresses never come into the Service status (v0.4, 9)",
    file: "src/domain/Plan.ts",
    find: "same(visible, service.shown) && service.shownAsWritten ? []",
    replace: "visible.length >= service.shown.length ? []",
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "grant-without-reservation",
    what: "two workers that decide at once are granted one address",
    file: "src/controller/ServiceReconciler.ts",
    find: "const claimed = wanted.fresh.every(({ address, pool }) => books.addresses.reserve(address, { ...claimant, pool }))",
    replace: "const claimed = true",
    killedBy: "S2",
    isFoundWithoutFaults: true
  },
  {
    name: "taken-is-granted",
    what: "an address that is found taken when it is claimed is written all the same",
    file: "src/controller/ServiceReconciler.ts",
    find: '      release()\n      return Effect.succeed("taken")\n',
    replace: "      release()\n",
    killedBy: "S2",
    isFoundWithoutFaults: true
  },
  {
    name: "act-before-the-intent",
    what: "an address is shown before the IPAllocation that grants it is committed (v0.4, 4)",
    file: "src/domain/Plan.ts",
    find: "    return [Change.Create({ type: wanted.type, entries: wanted.entries, intents })]",
    replace: `    const create = Change.Create({ type: wanted.type, entries: wanted.entries, intents })
    const addresses = wanted.entries.map((entry) => entry.address)
    return same(addresses, service.shown) ? [create] : [Change.Show({ addresses }), create]`,
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "epoch-not-raised",
    what: "the next holder begins under the epoch of the former",
    file: "src/domain/Assignment.ts",
    find: "    epoch: context.nextEpoch,",
    replace: "    epoch: 1,",
    killedBy: "S8",
    isFoundWithoutFaults: true
  },
  {
    name: "new-leader-looks-at-nothing",
    what: "a new leader waits for changes instead of looking at everything",
    file: "src/controller/Readiness.ts",
    find: "      Effect.andThen(wakeEverything),\n      Effect.forkIn(scope)",
    replace: "      Effect.forkIn(scope)",
    killedBy: "scenario",
    isFoundWithoutFaults: true
  },
  {
    name: "acts-on-half-a-cache",
    what: "decides before every cache is complete (v0.4, 7)",
    file: "src/controller/Readiness.ts",
    find: "(may) => may && isReady()",
    replace: "(may) => may",
    killedBy: "S2"
  },
  {
    name: "tells-again-what-it-told",
    what: "what operators were told of a pool that cannot be read is told beside what is still known of it: each write makes the next",
    file: "src/controller/NodeConfigWriter.ts",
    find: "networks.map((network) => [identityOf(network), network])",
    replace: "networks.map((network, index) => [`${identityOf(network)} ${index}`, network])",
    killedBy: "S11",
    seeds: [4]
  },
  {
    name: "claims-forgotten",
    what: "what IPAllocations claim is not recorded, only what this process granted itself (v0.4, 7)",
    file: "src/controller/AddressBook.ts",
    find: "    for (const address of now) this.contest(address)",
    replace: "",
    killedBy: "S11",
    isFoundWithoutFaults: true
  },
  {
    name: "index-entry-kept",
    what: "the claim of a deleted IPAllocation stays in the index",
    file: "src/controller/AddressBook.ts",
    find: "      this.claims.delete(address, key)\n",
    replace: "",
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "nobody-woken-by-release",
    what: "whoever waits for an address is not woken when it becomes free",
    file: "src/controller/Books.ts",
    find: "    this.wake(this.waiting.all(Waiting.addressTopic(address)))\n    this.wakeFirst(Waiting.poolTopic(pool, familyOf(address)))",
    replace: "    void pool",
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "assign-before-hide",
    what: "an address is released while the Service still shows it",
    file: "src/domain/Plan.ts",
    find: "(hides ? [...show, ...assign] : [...assign, ...show])",
    replace: "[...assign, ...show]",
    killedBy: "S4",
    isFoundWithoutFaults: true
  },
  {
    name: "pool-ignores-namespaces",
    what: "a pool serves namespaces that it does not allow",
    file: "src/domain/Allocation.ts",
    find: "  const refusal = Pool.serves(pool, customerOf(situation))\n  if (refusal !== undefined) return Result.fail({ ...refusal, address })\n",
    replace: "",
    killedBy: "S3",
    isFoundWithoutFaults: true
  }
]
