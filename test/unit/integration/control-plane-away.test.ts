/** Who keeps and who is taken over from, when the API server, a cable, a voter or the key is away (R12). */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { configMaps } from "../../../src/api/ConfigMap.ts"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { leases } from "../../../src/api/Lease.ts"
import {
  fenceRequested,
  nodeConfigMapName,
  nodeLeaseAnnotations,
  nodeLeaseName,
  witnessSecretName
} from "../../../src/api/Names.ts"
import { nodes } from "../../../src/api/Node.ts"
import * as NodeConfig from "../../../src/api/NodeConfig.ts"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { secrets } from "../../../src/api/Secret.ts"
import { services } from "../../../src/api/Service.ts"
import { virtually } from "../virtually.ts"
import * as TestCluster from "./TestCluster.ts"

const namesOf = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `node-${index + 1}`)

/** As many Services as nodes, so that each node holds one address. */
const start = Effect.fnUntraced(function* (nodesCount: number, options: TestCluster.ClusterOptions = {}) {
  const names = namesOf(nodesCount)
  const cluster = yield* TestCluster.make(names, options)
  const { api, memory } = cluster
  yield* cluster.startController("controller-a")
  yield* api.create(persistentIPPools, {
    metadata: { name: "rack-1" },
    spec: {
      addresses: ["192.0.2.10-192.0.2.19"],
      autoAssign: true,
      options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" } }
    }
  })
  const operators = new Map<string, TestCluster.RunningOperator>()
  for (const name of names) operators.set(name, yield* cluster.startOperator(name))
  yield* Effect.sleep("20 seconds")
  for (const name of names) {
    yield* api.create(services, {
      metadata: { name: `web-${name}`, namespace: "shop" },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }] }
    })
    yield* Effect.sleep("1 second")
  }
  yield* Effect.sleep("10 seconds")
  const allocations = () => memory.truth.list(ipAllocations)
  const placed = () =>
    new Map(allocations().map(({ metadata, spec }) => [metadata.name, spec.allocations[0]?.nodeName ?? ""]))
  assert.deepStrictEqual([...placed().values()].toSorted(), names, "each node holds one address")
  const leaseOf = (node: string) => {
    const lease = memory.truth.get(leases, { name: nodeLeaseName(node), namespace: TestCluster.ownNamespace })
    const content = lease === undefined ? undefined : NodeLease.read(lease)
    return content ?? assert.fail(`${node} has no lease`)
  }
  /** What operators are told. */
  const told = () => {
    const ref = { namespace: TestCluster.ownNamespace, name: nodeConfigMapName }
    const configMap = memory.truth.get(configMaps, ref) ?? assert.fail("there is no ConfigMap")
    return Result.getOrThrow(NodeConfig.read(configMap))
  }
  const everybody = ["controller-a", ...names.map((name) => `operator-${name}`)]
  /** What a foreign program takes off is put back, and announced: so only what the operator takes to be in force. */
  const isInForce = Effect.fnUntraced(function* (node: string) {
    const kernel = cluster.kernel(node)
    const [found] = kernel.state().interfaces.flatMap(({ addresses, name }) => (name === "pl0" ? addresses : []))
    if (found === undefined) return false
    const before = kernel.announcements().length
    kernel.foreignDelete("pl0", found.address, found.prefixLength)
    yield* Effect.sleep("3 seconds")
    return kernel.announcements().length > before
  })
  return {
    ...cluster,
    allocations,
    placed,
    leaseOf,
    told,
    names,
    isInForce,
    apiAway: Effect.sync(() => everybody.forEach(cluster.cutOff)),
    apiBack: Effect.sync(() => everybody.forEach(cluster.heal)),
    /** Neither renews nor answers from now on. */
    die: Effect.fnUntraced(function* (node: string) {
      cluster.offLan.add(node)
      yield* operators.get(node)?.kill ?? Effect.void
    }),
    restart: Effect.fnUntraced(function* (node: string) {
      yield* operators.get(node)?.stop ?? Effect.void
      operators.set(node, yield* cluster.startOperator(node))
    }),
    /** From its API server and from every other node. */
    isolate: (node: string) => {
      cluster.offLan.add(node)
      cluster.cutOff(`operator-${node}`)
    },
    messageOf: (node: string) =>
      allocations()
        .filter(({ spec }) => spec.allocations.some(({ nodeName }) => nodeName === node))
        .map(({ status }) => status?.message ?? "")
        .join(),
    isFenced: (node: string) => leaseOf(node).fenced === leaseOf(node).holdId,
    taint: (node: string) =>
      api.patch(
        nodes,
        { name: node },
        {
          spec: { taints: [{ key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" }] }
        }
      )
  }
})

describe("the voters in a NodeLease", () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [9, 7]
  ])("of %i nodes are %i, the node itself first", (nodesCount, votersCount) => {
    virtually(
      Effect.gen(function* () {
        const { leaseOf, names } = yield* start(nodesCount)
        for (const name of names) {
          const { voters, witnessPort } = leaseOf(name)
          assert.deepStrictEqual([voters[0], new Set(voters).size, witnessPort], [name, votersCount, 8080])
        }
      })
    )
  })

  it("are nobody with witness: off, nobody is told who is fenced, and no Secret is made", () => {
    virtually(
      Effect.gen(function* () {
        const { die, isFenced, leaseOf, memory, told } = yield* start(3, { witness: "off" })
        assert.deepInclude(leaseOf("node-1"), { voters: [], witnessPort: undefined })
        const ref = { namespace: TestCluster.ownNamespace, name: witnessSecretName }
        assert.isUndefined(memory.truth.get(secrets, ref))
        yield* die("node-3")
        yield* Effect.sleep("10 seconds")
        assert.isTrue(isFenced("node-3"))
        assert.isUndefined(told().fenced)
      })
    )
  })

  it("are not written again and again: when nothing changes, nothing is written but renewals", () => {
    virtually(
      Effect.gen(function* () {
        const { memory } = yield* start(3)
        const writes = () =>
          [...memory.requests()].filter(([request]) => /(create|replace|patch|apply) (?!leases)/.test(request)).join()
        const before = writes()
        yield* Effect.sleep("5 minutes")
        assert.strictEqual(writes(), before)
      })
    )
  })

  it("are told which hold ids are fenced, until their nodes are back", () => {
    virtually(
      Effect.gen(function* () {
        const { die, leaseOf, offLan, startOperator, told } = yield* start(3)
        assert.isUndefined(told().fenced)
        yield* die("node-3")
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(told().fenced, [leaseOf("node-3").holdId])
        offLan.delete("node-3")
        yield* startOperator("node-3", "operator-node-3-again")
        yield* Effect.sleep("20 seconds")
        assert.isUndefined(told().fenced)
      })
    )
  })

  it("are two while one node is dead for long, and three again when it is back", () => {
    virtually(
      Effect.gen(function* () {
        const { die, leaseOf, offLan, startOperator } = yield* start(3)
        yield* die("node-3")
        yield* Effect.sleep("60 seconds")
        assert.lengthOf(leaseOf("node-1").voters, 3)
        yield* Effect.sleep("20 seconds")
        assert.sameMembers([...leaseOf("node-1").voters], ["node-1", "node-2"])
        offLan.delete("node-3")
        yield* startOperator("node-3", "operator-node-3-again")
        yield* Effect.sleep("20 seconds")
        assert.lengthOf(leaseOf("node-1").voters, 3)
      })
    )
  })
})

describe("while the API server is away for two minutes", () => {
  it.each([1, 2, 3, 5])("all of %i nodes keep, and nothing has changed when it is back", (nodesCount) => {
    virtually(
      Effect.gen(function* () {
        const { allocations, apiAway, apiBack, isFenced, isInForce, kernel, names, placed } = yield* start(nodesCount)
        const before = { placed: placed(), versions: allocations().map(({ metadata }) => metadata.resourceVersion) }
        yield* apiAway
        yield* Effect.sleep("100 seconds")
        for (const name of names) {
          const inKernel = yield* kernel(name).network.fence.state
          assert.lengthOf(inKernel?.leased ?? [], 1, name)
          assert.isTrue(yield* isInForce(name), name)
        }
        yield* apiBack
        yield* Effect.sleep("1 minute")
        for (const name of names) assert.isFalse(isFenced(name), name)
        assert.deepStrictEqual(placed(), before.placed)
        assert.deepStrictEqual(
          allocations().map(({ metadata }) => metadata.resourceVersion),
          before.versions
        )
      })
    )
  })

  it.each([
    ["a node that no other hears lets go, and the others keep", 3, ["node-1"], ["node-2", "node-3"]],
    ["two nodes that do not hear each other both let go", 2, ["node-1"], []]
  ])("%s", (_, nodesCount, cut, kept) => {
    virtually(
      Effect.gen(function* () {
        const { apiAway, isInForce, names, offLan } = yield* start(nodesCount)
        yield* apiAway
        for (const node of cut) offLan.add(node)
        yield* Effect.sleep("20 seconds")
        for (const name of names) assert.strictEqual(yield* isInForce(name), kept.includes(name), name)
      })
    )
  })

  it("a node whose operator was restarted holds what lies there, and vouches for nobody", () => {
    virtually(
      Effect.gen(function* () {
        const { apiAway, die, isInForce, names, restart } = yield* start(3)
        yield* apiAway
        yield* Effect.sleep("10 seconds")
        yield* restart("node-2")
        yield* die("node-3")
        yield* Effect.sleep("20 seconds")
        assert.isFalse(yield* isInForce("node-1"), "it has itself alone of three")
        assert.lengthOf(names, 3)
      })
    )
  })

  it("voters that were restarted vouch for no hold id that was fenced before: its machine may only have stood still", () => {
    virtually(
      Effect.gen(function* () {
        const { apiAway, ask, die, leaseOf, restart } = yield* start(3)
        yield* die("node-3")
        yield* Effect.sleep("20 seconds")
        for (const voter of ["node-1", "node-2"]) yield* restart(voter)
        yield* Effect.sleep("20 seconds")
        yield* apiAway
        yield* Effect.sleep("5 seconds")
        const vouchesFor = (node: string) =>
          Effect.map(
            ask("node-2", { kind: "Evidence", voter: "node-1", holdId: leaseOf(node).holdId, nonce: node }),
            ({ yes }) => yes
          )
        assert.deepStrictEqual([yield* vouchesFor("node-3"), yield* vouchesFor("node-2")], [false, true])
      })
    )
  })

  it("a node with another key gets no evidence", () => {
    virtually(
      Effect.gen(function* () {
        const { apiAway, isInForce, otherKeys } = yield* start(3)
        otherKeys.set("node-1", "x".repeat(64))
        yield* apiAway
        yield* Effect.sleep("20 seconds")
        assert.isFalse(yield* isInForce("node-1"))
        assert.isTrue(yield* isInForce("node-2"))
      })
    )
  })
})

describe("while the API server is there", () => {
  it.each([2, 3, 4])("a node that is isolated among %i is fenced, and its address moves", (nodesCount) => {
    virtually(
      Effect.gen(function* () {
        const { isFenced, isInForce, isolate, placed } = yield* start(nodesCount)
        isolate("node-1")
        yield* Effect.sleep("9 seconds")
        assert.isTrue(isFenced("node-1"))
        assert.notInclude([...placed().values()], "node-1")
        assert.isFalse(yield* isInForce("node-1"))
      })
    )
  })

  it("a node that has lost the API server alone is fenced as well: its voters have not lost it", () => {
    virtually(
      Effect.gen(function* () {
        const { cutOff, isFenced, isInForce } = yield* start(3)
        cutOff("operator-node-1")
        yield* Effect.sleep("9 seconds")
        assert.isTrue(isFenced("node-1"))
        assert.isFalse(yield* isInForce("node-1"))
      })
    )
  })

  it("of four nodes two may die at once, and their addresses move", () => {
    virtually(
      Effect.gen(function* () {
        const { die, placed } = yield* start(4)
        yield* die("node-1")
        yield* die("node-2")
        yield* Effect.sleep("10 seconds")
        assert.sameMembers([...new Set(placed().values())], ["node-3", "node-4"])
      })
    )
  })

  it("of three two that die at once keep their addresses, which says what to do, until a person says that one is off", () => {
    virtually(
      Effect.gen(function* () {
        const { die, isFenced, messageOf, taint } = yield* start(3)
        yield* die("node-1")
        yield* die("node-2")
        yield* Effect.sleep("32 seconds")
        assert.isFalse(isFenced("node-1") || isFenced("node-2"))
        assert.match(messageOf("node-1"), /2 others must say that they do not keep it up, and 1 did/)
        assert.match(messageOf("node-1"), /kubectl taint node node-1 node.kubernetes.io\/out-of-service/)
        yield* taint("node-1")
        yield* Effect.sleep("1 second")
        assert.isTrue(isFenced("node-1"))
        assert.isFalse(isFenced("node-2"))
      })
    )
  })

  it("are asked also of one that a person says is off, so that they never keep it up should it only have stood still", () => {
    virtually(
      Effect.gen(function* () {
        const { die, isFenced, sentTo, taint } = yield* start(3)
        yield* die("node-1")
        yield* taint("node-1")
        const asked = () => ["node-2", "node-3"].map(sentTo)
        const before = asked()
        yield* Effect.sleep("10 seconds")
        assert.isTrue(isFenced("node-1"))
        assert.deepStrictEqual(
          asked().map((count, index) => count - (before[index] ?? 0)),
          [2, 2],
          "for a promise, and for its confirmation"
        )
      })
    )
  })

  it("a request to fence counts for the version of the lease that it names, and for no other", () => {
    virtually(
      Effect.gen(function* () {
        const { api, die, isFenced, memory, otherKeys } = yield* start(3)
        otherKeys.set("node-2", "x".repeat(64))
        yield* die("node-1")
        const request = (version: string) =>
          api.patch(nodes, { name: "node-1" }, { metadata: { annotations: { [fenceRequested]: version } } })
        const lease = memory.truth.get(leases, {
          name: nodeLeaseName("node-1"),
          namespace: TestCluster.ownNamespace
        })
        const version = lease?.metadata.resourceVersion ?? ""
        yield* request(`${version}0`)
        yield* Effect.sleep("20 seconds")
        assert.isFalse(isFenced("node-1"))
        yield* request(version)
        yield* Effect.sleep("3 seconds")
        assert.isTrue(isFenced("node-1"))
      })
    )
  })

  it("a takeover that waits holds up no other", () => {
    virtually(
      Effect.gen(function* () {
        const { die, isFenced, leaseOf, names, otherKeys } = yield* start(9)
        // Whoever names many of these waits; for the others it is one dead voter more.
        const [first = "", ...others] = names.filter((name) => leaseOf(name).voters.includes("node-9"))
        const deaf = leaseOf(first).voters.filter((voter) => voter !== first)
        for (const voter of deaf.slice(0, 3)) otherKeys.set(voter, "x".repeat(64))
        const needs = (node: string) => leaseOf(node).voters.filter((voter) => otherKeys.has(voter)).length
        const free = others.find((node) => !deaf.includes(node) && needs(node) < 3) ?? ""
        const isSure = free !== "" && needs(free) <= 2
        assert.isTrue(isSure, "the draw of voters gives this test nothing to do: use other names")
        yield* die(first)
        yield* die(free)
        yield* Effect.sleep("9 seconds")
        assert.deepStrictEqual([isFenced(first), isFenced(free)], [false, true])
      })
    )
  })

  it("a node with the only operator is never fenced: nobody could take over", () => {
    virtually(
      Effect.gen(function* () {
        const { die, isFenced, messageOf } = yield* start(1)
        yield* die("node-1")
        yield* Effect.sleep("1 minute")
        assert.isFalse(isFenced("node-1"))
        assert.include(messageOf("node-1"), "is silent: it knew of no other node that could say")
      })
    )
  })

  it("with witness: off nobody need promise: two of three may die", () => {
    virtually(
      Effect.gen(function* () {
        const { die, placed } = yield* start(3, { witness: "off" })
        yield* die("node-1")
        yield* die("node-2")
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual([...new Set(placed().values())], ["node-3"])
      })
    )
  })

  it("a voter that was restarted meanwhile counts as having vouched until V has passed", () => {
    virtually(
      Effect.gen(function* () {
        const { die, isFenced, restart } = yield* start(3)
        yield* die("node-1")
        yield* Effect.sleep("4 seconds")
        yield* restart("node-2")
        yield* Effect.sleep("6 seconds")
        assert.isFalse(isFenced("node-1"))
        yield* Effect.sleep("2 seconds")
        assert.isTrue(isFenced("node-1"))
      })
    )
  })

  it("voters with another key promise nothing, and the takeover waits", () => {
    virtually(
      Effect.gen(function* () {
        const { die, isFenced, messageOf, otherKeys } = yield* start(3)
        otherKeys.set("node-2", "x".repeat(64))
        yield* die("node-1")
        yield* Effect.sleep("30 seconds")
        assert.isFalse(isFenced("node-1"))
        assert.include(messageOf("node-1"), "1 did")
        otherKeys.delete("node-2")
        yield* Effect.sleep("3 seconds")
        assert.isTrue(isFenced("node-1"))
      })
    )
  })

  it("a takeover that waits for long asks less often, and goes on within seconds when it can", () => {
    virtually(
      Effect.gen(function* () {
        const { die, isFenced, otherKeys, sentTo } = yield* start(3)
        otherKeys.set("node-2", "x".repeat(64))
        yield* die("node-1")
        yield* Effect.sleep("1 minute")
        const before = sentTo("node-2")
        yield* Effect.sleep("10 minutes")
        // The leader every 5 s; and node-3 looks whether it answers, at most every 24 s.
        assert.isAtMost(sentTo("node-2") - before, 130 + 25)
        otherKeys.delete("node-2")
        yield* Effect.sleep("7 seconds")
        assert.isTrue(isFenced("node-1"))
      })
    )
  })

  it("a voter that comes and goes does not make a message of each time", () => {
    virtually(
      Effect.gen(function* () {
        const { die, messageOf, otherKeys } = yield* start(4)
        for (const node of ["node-2", "node-3", "node-4"]) otherKeys.set(node, "x".repeat(64))
        yield* die("node-1")
        const messages: Array<string> = []
        for (let second = 0; second < 60; second++) {
          if (second % 2 === 0) otherKeys.delete("node-2")
          else otherKeys.set("node-2", "x".repeat(64))
          yield* Effect.sleep("1 second")
          const message = messageOf("node-1")
          if (message !== messages.at(-1)) messages.push(message)
        }
        assert.include(messages.at(-1), "is silent")
        assert.isAtMost(messages.length, 7)
      })
    )
  })

  it("a node whose key is taken away names nobody any more, and needs no promises", () => {
    virtually(
      Effect.gen(function* () {
        const { die, isFenced, leaseOf, otherKeys } = yield* start(3)
        for (const node of ["node-1", "node-2", "node-3"]) otherKeys.set(node, "short")
        yield* Effect.sleep("3 seconds")
        assert.deepStrictEqual(leaseOf("node-1").voters, [])
        yield* die("node-1")
        yield* Effect.sleep("9 seconds")
        assert.isTrue(isFenced("node-1"))
      })
    )
  })

  it("a node that comes back while its takeover waits is told of no more", () => {
    virtually(
      Effect.gen(function* () {
        const { cutOff, heal, isFenced, messageOf, otherKeys } = yield* start(3)
        otherKeys.set("node-2", "x".repeat(64))
        cutOff("operator-node-1")
        yield* Effect.sleep("20 seconds")
        assert.include(messageOf("node-1"), "is silent")
        heal("operator-node-1")
        yield* Effect.sleep("20 seconds")
        assert.isFalse(isFenced("node-1"))
        assert.strictEqual(messageOf("node-1"), "Allocated")
      })
    )
  })
})

describe("an annotation of the lease", () => {
  it("names voters as a comma list, so that a person can read it", () => {
    virtually(
      Effect.gen(function* () {
        const { memory } = yield* start(2)
        const ref = { name: nodeLeaseName("node-1"), namespace: TestCluster.ownNamespace }
        const annotations = memory.truth.get(leases, ref)?.metadata.annotations ?? {}
        assert.strictEqual(annotations[nodeLeaseAnnotations.voters], "node-1,node-2")
      })
    )
  })
})

describe("a leader whose watch of the leases died in silence", () => {
  it("begins another at once, although its own renewals are answered", () => {
    virtually(
      Effect.gen(function* () {
        const { memory } = yield* start(3)
        const watches = () => memory.requests().get("controller-a watch leases") ?? 0
        const before = watches()
        memory.watches.silence(({ plural, user }) => user === "controller-a" && plural === "leases")
        yield* Effect.sleep("5 seconds")
        assert.strictEqual(watches(), before + 1)
      })
    )
  })
})
