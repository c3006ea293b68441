/** What is demanded of a cluster after the time of faults: each demand, met and not met. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { namespaces } from "../../../src/api/Namespace.ts"
import { leases } from "../../../src/api/Lease.ts"
import { leaderLeaseName, nodeLeaseAnnotations } from "../../../src/api/Names.ts"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import { services } from "../../../src/api/Service.ts"
import { isPromised } from "../../../src/domain/Witness.ts"
import { Unavailable } from "../../../src/ports/Kubernetes.ts"
import { Court } from "../../../src/simulation/Court.ts"
import { withGuard } from "../../../src/simulation/kernel/Guard.ts"
import { Kernel } from "../../../src/simulation/kernel/Kernel.ts"
import { Prng } from "../../../src/simulation/kernel/Prng.ts"
import { lastPhase } from "../../../src/simulation/LastPhase.ts"
import { lastService } from "../../../src/simulation/Oddities.ts"
import { verdictOf } from "../../../src/simulation/Run.ts"
import * as Users from "../../../src/simulation/Users.ts"
import { Story } from "../../../src/simulation/world/Story.ts"
import { token } from "../../../src/simulation/world/CloudSite.ts"
import * as World from "../../../src/simulation/world/World.ts"

type Kind = "all" | "core" | "neighbour"

/** Chance as a test wants it: this kind of last phase, as many as may be, and these answers; then always no. */
class Told extends Prng {
  private readonly kind: Kind
  private readonly answers: Array<boolean>

  constructor(kind: Kind, answers: ReadonlyArray<boolean>) {
    super(1)
    this.kind = kind
    this.answers = [...answers]
  }

  override chance(): boolean {
    return this.answers.shift() ?? false
  }

  override between(_min: number, max: number): number {
    return max
  }

  override shuffled<A>(items: ReadonlyArray<A>): ReadonlyArray<A> {
    return items
  }

  override pick<A>(items: ReadonlyArray<A>): A | undefined {
    return items.find((each: unknown) => each === this.kind) ?? items[0]
  }
}

interface Given extends Partial<World.WorldOptions> {
  readonly kind?: Kind
  readonly answers?: ReadonlyArray<boolean>
  readonly isQuiet?: boolean
  /** What goes on beside the last phase. */
  readonly beside?: (world: World.World) => Effect.Effect<unknown>
}

const served = ["web-1", "web-2", "web-3", "web-4", "web-5"]

/** A cluster in which some Services are served, and its last phase. */
const lastOf = ({ answers = [], beside = () => Effect.void, isQuiet = false, kind = "all", ...sizes }: Given) => {
  const kernel = new Kernel({ seed: 1 })
  const court = new Court()
  const options = { nodesCount: 3, controllersCount: 2, hearsLogs: false, ...sizes }
  const program = Effect.gen(function* () {
    const world = yield* World.make(kernel, new Story(kernel, { isTold: false }), options, court.hear)
    court.world = world
    yield* Users.settle(world)
    // Once all nodes have registered, so that each holds something.
    yield* Effect.sleep("30 seconds")
    for (const name of served) yield* world.kubectl.create(services, lastService(world, name))
    yield* Effect.sleep("30 seconds")
    yield* Effect.forkChild(beside(world))
    yield* lastPhase(world, court, { isQuiet, random: new Told(kind, answers) })
  })
  const verdict = verdictOf(() => withGuard(() => kernel.run(program)))
  const { world } = court
  if (world === undefined) return assert.fail("no world")
  return { ...verdict, safety: court.verdict, world }
}

const isShown = ({ truth }: World.World, name: string): boolean =>
  [...truth.services.values()].some(
    ({ metadata, status }) => metadata.name === name && (status?.loadBalancer?.ingress ?? []).length > 0
  )

describe("ten quiet minutes (L4)", () => {
  /** After all has settled, and before the end. */
  const later = "5 minutes"
  const lastQuiet = (act: (world: World.World) => Effect.Effect<unknown, unknown>) =>
    lastOf({
      nodesCount: 1,
      isQuiet: true,
      beside: (world) => Effect.andThen(Effect.sleep(later), Effect.orDie(act(world)))
    })

  // oxfmt-ignore
  it.each<[string, (world: World.World) => Effect.Effect<unknown, unknown>]>([
    ["our programs read",             ({ memory }) => memory.view("controller-1").list(services, {})],
    ["users write what is not ours",  ({ kubectl }) => kubectl.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "new" } })]
  ])("may be those in which leases are renewed and %s", (_, act) => {
    const { safety, verdict, violations } = lastQuiet(act)
    assert.deepStrictEqual([verdict, violations, safety], ["passed", [], []])
  })

  it.each([
    ["a controller", "controller-1", "web-1"],
    ["an operator, of what is not there,", "operator-node-1", "nobody"]
  ])("are none in which %s writes, though it changes nothing", (_, user, name) => {
    const { verdict, violations } = lastQuiet(({ memory, truth }) => {
      const namespace = [...truth.services.values()].find((each) => each.metadata.name === "web-1")?.metadata.namespace
      return Effect.exit(memory.view(user).patch(services, { namespace: namespace ?? "", name }, { metadata: {} }))
    })
    assert.deepStrictEqual([verdict, violations.map(({ invariant }) => invariant)], ["liveness", ["L4"]])
    assert.include(violations[0]?.message, "1 writes in 10 minutes")
  })

  it.each([
    ["a node is fenced", false, { metadata: { annotations: { [nodeLeaseAnnotations.fenced]: "another-boot" } } }],
    ["another comes to lead", true, { spec: { holderIdentity: "controller-3" } }]
  ])("are none in which %s", (_, isLeaders, change) => {
    const { verdict, violations } = lastQuiet(({ memory }) =>
      Effect.suspend(() => {
        const found = memory.truth
          .list(leases)
          .find(({ metadata }) => (metadata.name === leaderLeaseName) === isLeaders)
        const { name, namespace } = found?.metadata ?? assert.fail("no lease")
        return memory.view("controller-1").patch(leases, { name, namespace }, change)
      })
    )
    assert.deepStrictEqual([verdict, violations.map(({ invariant }) => invariant)], ["liveness", ["L4"]])
  })

  it("are none in which somebody asks the provider for a change", () => {
    const { verdict, violations } = lastQuiet(({ cloud }) =>
      Effect.sync(() =>
        cloud.project.handle({
          method: "POST",
          path: "/v1/floating_ips",
          query: new URLSearchParams(),
          token,
          body: "{}"
        })
      )
    )
    assert.deepStrictEqual([verdict, violations.map(({ invariant }) => invariant)], ["liveness", ["L4"]])
  })
})

const isDead = ({ operators }: World.World, host: World.World["hosts"][number]) =>
  !host.isOn || operators.some((each) => each.host === host && !each.mayRun)

describe("a core that heals alone (L5)", () => {
  const stuck = new Unavailable({ message: "stuck" })

  it("is more than half of the nodes, and serves everything without the others", () => {
    // Of two nodes one loses power and one its operator; the second controller ends. The first is not asked for: then a Service is
    // created.
    const { safety, verdict, violations, world } = lastOf({
      kind: "core",
      nodesCount: 5,
      answers: [true, false, true, true]
    })
    assert.deepStrictEqual([verdict, violations, safety], ["passed", [], []])
    const { controllers, hosts, operators } = world
    assert.lengthOf(
      hosts.filter(({ isOn }) => !isOn),
      1
    )
    assert.lengthOf(
      operators.filter(({ mayRun }) => !mayRun),
      1
    )
    assert.lengthOf(
      hosts.filter((host) => isDead(world, host)),
      2
    )
    assert.deepStrictEqual(
      controllers.map(({ mayRun }) => mayRun),
      [true, false]
    )
    for (const name of [...served, "created"]) assert.isTrue(isShown(world, name), name)
  })

  it.each([4, 7])(
    "of %i nodes holds more than half, and half of each dead node's voters, where few vote",
    (nodesCount) => {
      const candidates = { everyNodeUpTo: 2, leastCount: 3, leastPerZone: 1, addressesPerNode: 20 }
      const { verdict, violations, world } = lastOf({
        kind: "core",
        nodesCount,
        candidates,
        answers: [true, true, true]
      })
      assert.deepStrictEqual([verdict, violations], ["passed", []])
      const living = new Set(world.hosts.flatMap((host) => (isDead(world, host) ? [] : [host.name])))
      assert.isBelow(living.size, nodesCount)
      assert.isAbove(living.size, nodesCount / 2)
      for (const lease of world.truth.leases.values()) {
        const { node = "", voters = [] } = NodeLease.read(lease) ?? {}
        if (node !== "" && !living.has(node))
          assert.isTrue(isPromised(voters, node, living), `${node}: ${voters.join()}`)
      }
    }
  )

  it("must converge: what is not served by then is told", () => {
    const { verdict, violations } = lastOf({
      kind: "core",
      answers: [true],
      // Nothing that the dead node held is given to another.
      beside: ({ hosts, links }) =>
        Effect.sync(() =>
          links.faults.set("stuck", ({ method, plural, user }) => {
            const isGrant = plural === ipAllocations.plural && user.startsWith("controller-") && method === "patch"
            return isGrant && hosts.some(({ isOn }) => !isOn) ? { delayMillis: 1, refuse: stuck } : undefined
          })
        )
    })
    assert.strictEqual(verdict, "liveness")
    for (const { invariant, message } of violations) {
      assert.strictEqual(invariant, "L1")
      assert.match(message, /after the death of the rest could be known$/)
    }
  })
})

describe("a neighbour that fails for ever (L6)", () => {
  /** Of the probes two: a Service is created, and a node dies. */
  const answers = [true, false, true]

  it("is demanded nothing of, and others are served as if it were not there", () => {
    const { safety, verdict, violations, world } = lastOf({ kind: "neighbour", answers })
    assert.deepStrictEqual([verdict, violations, safety], ["passed", [], []])
    assert.deepStrictEqual([isShown(world, "created"), isShown(world, "neighbour")], [true, false])
  })

  it("must delay nobody: who waits for it is told", () => {
    const { verdict, violations } = lastOf({
      kind: "neighbour",
      answers,
      beside: ({ links, truth }) =>
        Effect.sync(() =>
          links.faults.set("behind the neighbour", ({ name }) =>
            name === "created" && [...truth.services.values()].some((each) => each.metadata.name === "neighbour")
              ? { delayMillis: 8_000 }
              : undefined
          )
        )
    })
    assert.strictEqual(verdict, "liveness")
    for (const { about, invariant, message } of violations) {
      assert.strictEqual(invariant, "L1")
      assert.match(about ?? "", /\/created$/)
      assert.match(message, /after a Service was created$/)
    }
  })
})
