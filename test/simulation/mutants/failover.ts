/** Bugs of failover: who counts, who fences, and who may hold. */
import type { Mutant } from "./Mutant.ts"

export const failoverMutants: ReadonlyArray<Mutant> = [
  {
    name: "compare-wall-clocks",
    what: "a node is dead when its renewTime is old by the controller's wall clock",
    file: "src/controller/NodeFailure.ts",
    find: "    const due = nodeBook.leases.dueForFence(yield* monotonicMillis)",
    replace: `    const wallMillis = yield* Clock.currentTimeMillis
    const due = [...nodeBook.leases.byNode.values()].filter(
      ({ content, lease }) =>
        nodeBook.leases.holdIdOf(content.node) !== undefined &&
        wallMillis - Date.parse(lease.spec?.renewTime ?? "") > content.durationMillis
    )`,
    imports: 'import { Clock } from "effect"',
    killedBy: "S14",
    seeds: [2]
  },
  {
    name: "fence-without-compare-and-set",
    what: "a node is fenced whatever its lease says by now",
    file: "src/controller/NodeFailure.ts",
    find: "writing(kubernetes.replace(leases, fenced), leases,",
    replace: `writing(kubernetes.patch(leases, { name, namespace }, { metadata: { annotations: fenced.metadata.annotations } }), leases,`,
    killedBy: "S14",
    seeds: [3]
  },
  {
    name: "fence-at-half-time",
    what: "a node is fenced after a third of the time that its lease announces",
    file: "src/domain/LeaseCount.ts",
    find: "quiet >= Math.max(ownMillis, announcedMillis)",
    replace: "quiet >= Math.max(ownMillis, announcedMillis) / 3",
    killedBy: "S14",
    isFoundWithoutFaults: true
  },
  {
    name: "nobody-fences",
    what: "a dead node is never fenced",
    file: "src/controller/NodeFailure.ts",
    find: "const leads = due.length > 0 && (yield* options.isLeader)",
    replace: "const leads = due.length > 1_000 && (yield* options.isLeader)",
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "fence-wakes-nobody",
    what: "Services of a fenced node are not looked at",
    file: "src/controller/Wiring.ts",
    find: '      if (after !== undefined) books.onAllocation({ key, after })\n      sinks.service(key)\n    }\n    wakeAll(sinks, books.waiting.all("nodes"))',
    replace: "      if (after !== undefined) books.onAllocation({ key, after })\n    }",
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "ignore-previous",
    what: "the next holder begins before the former has let go",
    file: "src/domain/NodeDuty.ts",
    find: "return unreleased.length > 0 ? undefined : holder",
    replace: "return unreleased.length < 0 ? undefined : holder",
    killedBy: "S1",
    isFoundWithoutFaults: true
  },
  {
    name: "previous-not-named",
    what: "a planned move names nobody who must let go first",
    file: "src/domain/Assignment.ts",
    find: "fenced ? previous : [...previous, holder]",
    replace: "previous",
    killedBy: "S1",
    isFoundWithoutFaults: true
  },
  {
    name: "released-of-any-epoch",
    what: "an acknowledgement counts whatever epoch it names",
    file: "src/domain/Hold.ts",
    find: "  acknowledgement.epoch === holder.epoch\n\nexport const hasReleased",
    replace: "  acknowledgement.epoch > 0\n\nexport const hasReleased",
    killedBy: "S1"
  },
  {
    name: "serve-under-a-fenced-id",
    what: "an operator that finds its lease fenced takes it for its own again",
    file: "src/operator/Registration.ts",
    find: "  if (content.fenced === current.content.holdId) return Renewal.Fenced()\n",
    replace: "",
    killedBy: "S10",
    seeds: [2]
  },
  {
    name: "resurrect-after-pause",
    what: "an operator that registers again keeps the hold id that was fenced",
    file: "src/operator/Registration.ts",
    find: "const inForce = before.fenced !== before.holdId && before.released !== before.holdId",
    replace: "const inForce = before.released !== before.holdId",
    killedBy: "S10",
    seeds: [2]
  },
  {
    name: "new-id-at-each-start",
    what: "a restarted operator takes a new hold id, and its addresses move",
    file: "src/operator/Registration.ts",
    find: "sameBoot && inForce && newest === before.holdId",
    replace: "sameBoot && inForce && newest !== before.holdId",
    killedBy: "S8",
    seeds: [1]
  },
  {
    name: "retry-with-the-same-lease",
    what: "a refused renewal is sent again with the same version for ever (v0.4, 6)",
    file: "src/operator/Registration.ts",
    find: '({ category, isGone }) => category === "conflict" || category === "ambiguous" || isGone',
    replace: "({ isGone }) => isGone",
    killedBy: "S1"
  },
  {
    name: "adopt-another-boot",
    what: "the lease of another boot is taken over at once, under its hold id",
    file: "src/operator/Registration.ts",
    find: "const sameBoot = before.bootId === identity.bootId\n",
    replace: "const sameBoot = true\n",
    killedBy: "S14",
    seeds: [1]
  },
  {
    name: "evicts-its-successor",
    what: "a leader that was paused takes the lease back from who leads by then (v0.4, 8)",
    file: "src/controller/Leader.ts",
    find: "if (isOwn(lease, options)) {",
    replace: "if (isOwn(lease, options) || state.held !== undefined) {",
    killedBy: "S10",
    seeds: [2]
  },
  {
    name: "lease-dated-at-the-reply",
    what: "the kernel's lease counts from the answer to a renewal, not from its sending (R3)",
    file: "src/operator/Renewing.ts",
    find: "(yield* extend(parts, renewal.sentAtMillis))",
    replace: "(yield* extend(parts, yield* monotonicMillis))",
    killedBy: "S1",
    seeds: [10]
  },
  {
    name: "kernel-lease-outlives-the-count",
    what: "the kernel serves for longer than others wait before they take over",
    file: "src/operator/Parts.ts",
    find: "  keepsKernelLease ? times.serveMillis",
    replace: "  keepsKernelLease ? times.quietMillis + times.renewMillis",
    killedBy: "S1"
  },
  {
    name: "ticket-lives-on",
    what: "what was decided before a pause is written after it (R4)",
    file: "src/operator/Fence.ts",
    find: "yield* kernel.putTicket(ticket, ticketMillis)",
    replace: "yield* kernel.putTicket(ticket, 3_600_000)",
    killedBy: "S1",
    seeds: [10]
  },
  {
    name: "uplink-forgotten",
    what: "an interface is no uplink while its default route is away",
    file: "src/operator/Keeper.ts",
    find: "    ...known,\n",
    replace: "",
    killedBy: "S1"
  },
  {
    name: "flushed-fence-stays-away",
    what: "tables that somebody took away are not made anew",
    file: "src/operator/Fence.ts",
    find: "Effect.catchIf(isTableGone, () => Effect.as(claim, false))",
    replace: "Effect.catchIf(isTableGone, () => Effect.succeed(true))",
    killedBy: "L1"
  },
  {
    name: "handover-unannounced",
    what: "a kernel serves on for its successor, and nobody was told to wait (R11)",
    file: "src/operator/Shutdown.ts",
    find: "yield* renewed(parts, { durationMillis: handover.quietMillis })",
    replace: "yield* renewed(parts, {})",
    killedBy: "S1"
  },
  {
    name: "gives-back-before-it-let-go",
    what: "a node that goes down says that it let go of everything, and has not",
    file: "src/operator/Shutdown.ts",
    find: "  if (!(yield* letGo(parts))) return\n",
    replace: "",
    killedBy: "S1"
  },
  {
    name: "release-ignored",
    what: "voters keep what its pool releases",
    file: "src/domain/FencePlan.ts",
    find: '      ...[...planned, ...joining].filter((address) => lossOf(address) === "release"),\n',
    replace: "",
    killedBy: "S17"
  },
  {
    name: "keeps-without-a-cloud",
    what: "what no provider routes is kept on nodes without a lease, as in a cloud",
    file: "src/domain/ControlPlaneLoss.ts",
    find: 'return isRouted && written !== "auto"',
    replace: 'return written !== "auto"',
    killedBy: "S1"
  },
  {
    name: "cloud-in-the-fence",
    what: "the kernel lets go of what a provider routes and the pool keeps",
    file: "src/domain/FencePlan.ts",
    find: '.filter((address) => lossOf(address) !== "keep")',
    replace: "",
    killedBy: "S17"
  }
]
