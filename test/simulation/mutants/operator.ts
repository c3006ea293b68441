/** Bugs of the operator: what it does to the kernel, and what it says of it. */
import type { Mutant } from "./Mutant.ts"

export const operatorMutants: ReadonlyArray<Mutant> = [
  {
    name: "no-gratuitous-arp",
    what: "nothing is announced (v0.4, 10)",
    file: "src/operator/Announcer.ts",
    find: ".announce(addresses, uplink)",
    replace: ".announce([], uplink)",
    killedBy: "S15",
    isFoundWithoutFaults: true
  },
  {
    name: "successor-announces-nothing",
    what: "an operator announces only what it has put in place itself",
    file: "src/operator/News.ts",
    find: "this.seen.get(address)?.has(uplink) !== true",
    replace: "this.seen.get(address)?.has(uplink) === false",
    killedBy: "S15"
  },
  {
    name: "takes-what-others-have",
    what: "an address is used for the first time whoever answers for it",
    file: "src/operator/FirstUse.ts",
    find: 'const withheld = candidates.filter((each) => known.get(keyOf(each))?.verdict !== "free")',
    replace: "const withheld: ReadonlyArray<Candidate> = []",
    killedBy: "S16",
    seeds: [4]
  },
  {
    name: "asks-only-once",
    what: "what a foreign machine had is not asked for again when it has gone",
    file: "src/operator/FirstUse.ts",
    find: "const ASK_AGAIN_MILLIS = 10_000",
    replace: "const ASK_AGAIN_MILLIS = 100_000_000",
    killedBy: "L1",
    scenario: "address-in-use"
  },
  {
    name: "acts-for-a-former-registration",
    what: "an operator serves what names its node, under whatever hold id",
    file: "src/domain/NodeDuty.ts",
    find: "holder.node === self.node && holder.holdId === self.holdId ? holder : undefined",
    replace: "holder.node === self.node && self.holdId !== undefined ? holder : undefined",
    killedBy: "S6",
    seeds: [2]
  },
  {
    name: "serving-before-it-is-there",
    what: "an address is reported as served whether the kernel has it or not",
    file: "src/domain/NodeDuty.ts",
    find: 'if (isDuty) return held && isKnown() ? { ...question, phase: "Serving" } : undefined',
    replace: 'if (isDuty) return { ...question, phase: "Serving" }',
    killedBy: "S4",
    seeds: [2]
  },
  {
    name: "serving-while-it-waits",
    what: "a holder that waits to begin reports as served what it still holds of an epoch before",
    file: "src/domain/NodeDuty.ts",
    find: "  if (present && !allocation.deleting) return undefined\n  if (held) return duty",
    replace: "  if (present && !allocation.deleting && !held) return undefined\n  if (held) return duty",
    killedBy: "S15",
    cluster: "drawn",
    seeds: [2057]
  },
  {
    name: "released-while-held",
    what: "an address is reported as released while the kernel still has it",
    file: "src/operator/Keeper.ts",
    find: "    const isHeld = heldAsPlanned(plan, held, upIn(after))\n",
    replace: "    const isHeld = heldAsPlanned(plan, heldIn({ ...after, interfaces: [] }), upIn(after))\n",
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "never-removed",
    what: "an address that went elsewhere is never taken off the interface (v0.4, 1)",
    file: "src/domain/InterfacePlan.ts",
    find: "      ...surplus.filter(({ address }) => !stays.has(address)),\n",
    replace: "",
    killedBy: "L3",
    isFoundWithoutFaults: true
  },
  {
    name: "cleans-up-others",
    what: "host addresses of others are removed from any interface",
    file: "src/domain/InterfacePlan.ts",
    find: "isHostPrefix(each) && (isMarked(each, found.name) || isRemembered(each, found))",
    replace: "isHostPrefix(each)",
    killedBy: "S9",
    isFoundWithoutFaults: true
  },
  {
    name: "reports-of-newer-allocations",
    what: "a round reports about IPAllocations that came after its plan",
    file: "src/operator/StatusReporter.ts",
    find: "dueIn(reporting, yield* Timestamp.now)",
    replace: "dueIn({ ...reporting, allocations: [...cache.values()] }, yield* Timestamp.now)",
    killedBy: "S1"
  },
  {
    name: "knows-by-label-alone",
    what: "an address that lost its label when its interface was renamed is known as ours no more",
    file: "src/domain/InterfaceMode.ts",
    find: "  metric === ownMetric || (label",
    replace: "  (label",
    killedBy: "S1",
    cluster: "drawn"
  },
  {
    name: "forgets-what-it-refused",
    what: "an address that is refused where it is wanted is known as ours no more",
    file: "src/operator/Keeper.ts",
    find: "if (!left.has(address)) remembered.delete(address)",
    replace: "remembered.delete(address)",
    killedBy: "S1"
  },
  {
    name: "burst-outlives-the-fence",
    what: "a burst of announcements goes on when the lease may have been fenced",
    file: "src/operator/Announcer.ts",
    find: "send(current().filter(({ address }) => may(address)))",
    replace: "send(current().filter(({ address }) => may(address) || !may(address)))",
    killedBy: "S6"
  },
  {
    name: "calls-clients-back",
    what: "what came while the lease may have been fenced is announced at once",
    file: "src/operator/News.ts",
    find: "const isNow = ({ address }: Announcement) => may(address)",
    replace: "const isNow = ({ address }: Announcement) => may(address) || isFresh(address)",
    killedBy: "S6"
  },
  {
    name: "acts-before-it-has-seen-all",
    what: "registers and cleans before its caches are complete",
    file: "src/operator/Renewing.ts",
    find: "  Effect.andThen(synced, Effect.andThen(fence.preflight, keeper.look)).pipe(",
    replace:
      "  Effect.andThen(synced.pipe(Effect.timeoutOption(1)), Effect.andThen(fence.preflight, keeper.look)).pipe(",
    killedBy: "S15"
  },
  {
    name: "foreign-deletion-unseen",
    what: "what others remove from an interface is not put back",
    file: "src/operator/Keeper.ts",
    find: "    const changed = yield* applyAll(changes, network, announcer)\n",
    replace:
      '    const changed = yield* applyAll(phase === "steady" && remembered.size > 0 ? changes.filter((each) => each._tag === "Remove" || !remembered.has(each.address)) : changes, network, announcer)\n',
    killedBy: "L1"
  },
  {
    name: "registration-waits-for-ever",
    what: "a registration that is not answered is waited for as long as the client waits",
    file: "src/operator/Renewing.ts",
    find: "      Effect.timeout(parts.settings.times.renewMillis),\n      Effect.tap(",
    replace: "      Effect.timeout(3_600_000),\n      Effect.tap(",
    killedBy: "S7",
    seeds: [3]
  },
  {
    name: "uplink-comes-back-unheard",
    what: "what was announced before an uplink went is not announced on it again",
    file: "src/operator/News.ts",
    find: " || isUnheard(each)\n",
    replace: "\n",
    killedBy: "S15"
  },
  {
    name: "burst-outlives-the-interface",
    what: "an address that went with its interface is announced on",
    file: "src/operator/News.ts",
    find: "    announcer.retain(new Set(served.map(({ address }) => address)))\n",
    replace: "",
    killedBy: "S4",
    cluster: "drawn"
  },
  {
    name: "served-while-down",
    what: "an address on an interface that is down is said to be served",
    file: "src/operator/KernelView.ts",
    find: "isUp(expected) && held",
    replace: "held",
    killedBy: "S4",
    cluster: "drawn"
  },
  {
    name: "served-unannounced",
    what: "what could not be announced is said to be served, and not announced later",
    file: "src/operator/News.ts",
    find: "const failed = yield* announcer.start(onUplinks, mayServe)",
    replace: "yield* announcer.start(onUplinks, mayServe)\n    const failed = new Set<Address>()",
    killedBy: "S15",
    cluster: "drawn",
    seeds: [50]
  },
  {
    name: "skips-the-claim-check",
    what: "an address is served whoever else claims it (failover R8)",
    file: "src/operator/ClaimCheck.ts",
    find: "if (claim.isProven) return",
    replace: "if (claim.uid !== undefined) return",
    killedBy: "S1",
    cluster: "drawn"
  }
]
