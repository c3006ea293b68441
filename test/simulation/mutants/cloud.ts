/** Bugs of what has to do with the provider: what is bought, routed, and given back. */
import type { Mutant } from "./Mutant.ts"

export const cloudMutants: ReadonlyArray<Mutant> = [
  {
    name: "buys-before-the-intent",
    what: "an address is bought before the IPAllocation says so (v0.4, 4)",
    file: "src/domain/Plan.ts",
    find: "    const intents = wanted.purchases.flatMap(({ intent, location }) => (location === undefined ? [] : [intent]))\n",
    replace: "    const intents: ReadonlyArray<Hold.Intent> = []\n",
    also: [
      {
        find: "location !== undefined && intents.some((each) => sameIntent(each, intent)) ? [Change.Buy({ intent, location })] : []",
        replace: "location !== undefined && intents.length >= 0 ? [Change.Buy({ intent, location })] : []"
      },
      {
        find: "  return [...(hides ? [...show, ...assign] : [...assign, ...show]), ...ofCloud, ...settle, ...condition]",
        replace: `  const isToBuy = ofCloud.some(({ _tag }) => _tag === "Buy")
  return [...(hides ? [...show, ...assign] : isToBuy ? show : [...assign, ...show]), ...ofCloud, ...settle, ...condition]`
      }
    ],
    killedBy: "S5",
    isFoundWithoutFaults: true
  },
  {
    name: "adopts-nothing",
    what: "what was bought and not heard of is not looked for",
    file: "src/cloud/hetzner/Buying.ts",
    find: 'reason._tag === "NameTaken" || reason._tag === "ReplyLost"',
    replace: "reason._tag === undefined",
    also: [
      {
        find: "all.find((each) => each.family === wish.family && isOwn(wish, each))",
        replace: "all.find((each) => each.family === wish.family && each.id === wish.name)"
      }
    ],
    killedBy: "S5",
    seeds: [4],
    cluster: "drawn"
  },
  {
    name: "deletes-what-is-assigned",
    what: "a floating IP is deleted without unassigning it (v0.4, 13)",
    file: "src/cloud/hetzner/HetznerProject.ts",
    find: '    if (before?.server !== undefined) yield* routing.release(id, "normal")\n',
    replace: "",
    killedBy: "L3",
    isFoundWithoutFaults: true
  },
  {
    name: "deletes-the-users-own",
    what: "a persistent floating IP goes with its Service",
    file: "src/controller/cloud/CloudWriter.ts",
    find: 'const isToReturn = pool.kind === "EphemeralIPPool" && view.isOurs(found)',
    replace: "const isToReturn = view.isOurs(found) || view.isMarked(found, pool)",
    killedBy: "S5",
    isFoundWithoutFaults: true
  },
  {
    name: "trusts-the-reply",
    what: "an assignment counts as done when it was accepted",
    file: "src/cloud/hetzner/Routing.ts",
    find: "    if (after.server === server) return { changed: true, address: after }\n",
    replace: "    if (after.server !== null) return { changed: true, address: { ...after, server } }\n",
    killedBy: "S4"
  },
  {
    name: "replaces-the-labels",
    what: "the user's labels are lost when ours are put on",
    file: "src/controller/cloud/CloudWriter.ts",
    find: "{ ...found.labels, ...mark }",
    replace: "{ ...mark }",
    killedBy: "S5",
    isFoundWithoutFaults: true
  },
  {
    name: "asks-for-too-large-a-page",
    what: "more is asked for than a page may hold",
    file: "src/cloud/hetzner/Resources.ts",
    find: 'const perPage = "50"',
    replace: 'const perPage = "100"',
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "shown-before-routed",
    what: "an address is shown before the provider routes it",
    file: "src/domain/Target.ts",
    find: '(entry.cloudProvider === undefined || routeOf(entry) === "inPlace")',
    replace: "(entry.cloudProvider === undefined || routeOf(entry) !== undefined)",
    killedBy: "S4",
    isFoundWithoutFaults: true
  },
  {
    name: "leaves-its-labels",
    what: "what goes back to the user keeps our labels",
    file: "src/controller/cloud/CloudWriter.ts",
    find: "  yield* project.relabel(id, withoutOurs(labels))\n",
    replace: "  yield* Effect.sync(() => withoutOurs(labels))\n",
    killedBy: "L3",
    isFoundWithoutFaults: true
  },
  {
    name: "forgets-an-intent",
    what: "what may have been bought is forgotten when the Service no longer wants it",
    file: "src/domain/Target.ts",
    find: "  return { intents: [...due, ...abandoned], abandoned }",
    replace: "  return { intents: due, abandoned: abandoned.slice(0, 0) }",
    killedBy: "S5",
    cluster: "drawn",
    seeds: [5]
  },
  {
    name: "leaves-what-was-deleted",
    what: "an address that was bought is deleted at the provider, and its Service keeps it for ever",
    file: "src/controller/cloud/Deletions.ts",
    find: "if (Option.isSome(found) && found.value === undefined) deleted.add(entry.address)",
    replace: "if (Option.isSome(found) && found.value === undefined) deleted.delete(entry.address)",
    killedBy: "L1",
    cluster: "drawn",
    seeds: [4]
  },
  {
    name: "fences-by-an-old-list",
    what: "that a server was off when the servers were listed counts against a node that has booted since",
    file: "src/controller/cloud/ServerEvidence.ts",
    find: 'yield* server.project.server(server.id, "failover")',
    replace: "(yield* server.project.servers(Number.POSITIVE_INFINITY)).find(({ id }) => id === server.id)",
    killedBy: "S14",
    cluster: "drawn",
    seeds: [6]
  },
  {
    name: "breaks-before-it-makes",
    what: "in a planned move the former holder lets go before the route has moved",
    file: "src/domain/NodeDuty.ts",
    find: "return holder ?? Hold.servingOn(entry).find((each) => isOwn(each) && unreleased.includes(each))",
    replace: "return holder ?? Hold.servingOn(entry).find((each) => isOwn(each) && !unreleased.includes(each))",
    killedBy: "S15",
    isFoundWithoutFaults: true
  },
  {
    name: "keeps-the-first-project",
    what: "that a pool has another token is not noticed by what is asked of the cloud",
    file: "src/controller/cloud/CloudBook.ts",
    find: "    this.views.set(poolKey, view)\n    this.learnServers(view)",
    replace:
      "    this.views.set(poolKey, { ...view, project: this.views.get(poolKey)?.project ?? view.project })\n    this.learnServers(view)",
    killedBy: "L1",
    isFoundWithoutFaults: true
  },
  {
    name: "trusts-any-project",
    what: "the token of another project is trusted when servers there are called like the nodes",
    file: "src/controller/cloud/ProjectTrust.ts",
    find: 'return isNamed && !saysIds && !all.some(saysId) ? "usable" : "foreign"',
    replace: 'return isNamed || !saysIds ? "usable" : "foreign"',
    killedBy: "S5",
    cluster: "drawn",
    seeds: [1]
  },
  {
    name: "gives-back-in-another-project",
    what: "what the project of a wrong token does not have counts as given back",
    file: "src/controller/cloud/ProjectFollower.ts",
    find: 'if (trust === "foreign") {',
    replace: 'if (trust === "foreign" && poolKey === "") {',
    killedBy: "S5",
    seeds: [8],
    cluster: "drawn"
  },
  {
    name: "believes-one-absence",
    what: "what one read does not have counts as gone, and is paid for when that read was behind",
    file: "src/controller/cloud/Absences.ts",
    find: "Math.max(0, since + readLagMillis - nowMillis)",
    replace: "Math.max(0, since - nowMillis)",
    killedBy: "S5",
    cluster: "drawn",
    seeds: [8]
  },
  {
    name: "looks-in-an-old-list",
    what: "what was bought, not heard of and renamed since is bought twice",
    file: "src/cloud/hetzner/Buying.ts",
    find: "const renamed = findOwn(yield* addresses.get(0), wish)",
    replace: "const renamed = findOwn(yield* addresses.get(knownMillis), wish)",
    also: [
      {
        find: "  return findOwn(yield* addresses.get(0), wish)",
        replace: "  return findOwn(yield* addresses.get(knownMillis), wish)"
      }
    ],
    killedBy: "S5",
    scenario: "cloud-renamed"
  },
  {
    name: "buys-by-what-it-knew",
    what: "a leader that stood still buys for what its successor has given back",
    file: "src/controller/cloud/CloudStep.ts",
    find: "  return yield* new Withdrawn()\n",
    replace: "",
    killedBy: "S5"
  },
  {
    name: "tells-of-an-earlier-term",
    what: "who leads again tells of what was refused before another led",
    file: "src/controller/cloud/CloudBook.ts",
    find: "    this.serviceTroubles.clear()\n",
    replace: "",
    killedBy: "S5"
  }
]
