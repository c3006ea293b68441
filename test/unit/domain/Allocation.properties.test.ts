/** Random users against one index: create, change and delete Services, edit pools; after each step, decide and apply. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result } from "effect"
import * as Address from "../../../src/domain/Address.ts"
import * as AddressIndex from "../../../src/domain/AddressIndex.ts"
import * as Allocation from "../../../src/domain/Allocation.ts"
import * as Pool from "../../../src/domain/Pool.ts"
import type { ServiceRequest } from "../../../src/domain/ServiceRequest.ts"
import { boolean, int, oneOf, options } from "./arbitraries.ts"

/** Eight addresses in all, so that pools overlap, run out and lose what is in use. */
const entry = oneOf("192.0.2.0/30", "192.0.2.2-192.0.2.5", "192.0.2.6", "192.0.2.0", "2001:db8::/127", "2001:db8::1")
const someAddress = Arbitrary.map(oneOf("192.0.2.0", "192.0.2.3", "192.0.2.6", "2001:db8::1"), (text) =>
  Result.getOrThrow(Address.parse(text))
)

const poolEdit = Arbitrary.map(
  Arbitrary.all({
    name: oneOf("a", "b", "c"),
    year: int(2020, 2022),
    addresses: Arbitrary.array(entry, { minLength: 1, maxLength: 3 }),
    autoAssign: boolean,
    disabled: Arbitrary.map(int(0, 5), (n) => n === 0),
    deleting: Arbitrary.map(int(0, 5), (n) => n === 0),
    allowedNamespaces: Arbitrary.array(oneOf("web", "api"), { maxLength: 1 }),
    priority: int(0, 2)
  }),
  ({ name, year, deleting, ...spec }) =>
    Pool.make("PersistentIPPool", {
      metadata: {
        name,
        creationTimestamp: `${year}-01-01T00:00:00Z`,
        ...(deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {})
      },
      spec
    }).pool
)

const wish = Arbitrary.map(
  Arbitrary.all({
    name: oneOf("s1", "s2", "s3", "s4"),
    addresses: Arbitrary.map(Arbitrary.all([int(0, 2), someAddress, someAddress] as const), ([n, ...two]) =>
      two.slice(0, n)
    ),
    pool: Arbitrary.map(int(0, 9), (n) => ["a", "b", "none"][n] ?? ""),
    families: oneOf("", "IPv4", "IPv6", "IPv4 IPv6"),
    prefersDualStack: boolean
  }),
  ({ name, addresses, pool, families, prefersDualStack }): ServiceRequest => ({
    namespace: name < "s3" ? "web" : "api",
    name,
    uid: `uid-${name}`,
    labels: {},
    addresses: [...new Set(addresses)],
    families: families.split(" ").filter((word) => word === "IPv4" || word === "IPv6"),
    prefersDualStack,
    localTraffic: false,
    ...(pool === "" ? {} : { pool })
  })
)

const step = Arbitrary.all({
  what: Arbitrary.map(int(0, 9), (n) => (n < 4 ? "pool" : n < 8 ? "wish" : n < 9 ? "forget" : "noPool")),
  pool: poolEdit,
  wish
})
type Step = typeof step extends Arbitrary.Arbitrary<infer A> ? A : never
const history = { steps: Arbitrary.array(step, { minLength: 12, maxLength: 40 }) }

interface Service {
  readonly request: ServiceRequest
  readonly type: Allocation.AllocationType | undefined
  readonly current: ReadonlyArray<Allocation.Held>
}

interface World {
  readonly pools: ReadonlyMap<string, Pool.Pool>
  readonly services: ReadonlyMap<string, Service>
  readonly index: AddressIndex.AddressIndex
}

const nothing: World = {
  pools: new Map(),
  services: new Map(),
  index: AddressIndex.make({ pools: [], reserved: [] })
}

const regrounded = (world: World, pools: ReadonlyMap<string, Pool.Pool>): World => ({
  ...world,
  pools,
  index: AddressIndex.withGround(world.index, { pools: [...pools.values()], reserved: [] })
})

/** What a user does; no decision is made here. */
const act = (world: World, { what, pool, wish }: Step): World => {
  if (what === "pool") return regrounded(world, new Map(world.pools).set(pool.name, pool))
  if (what === "noPool") return regrounded(world, new Map([...world.pools].filter(([name]) => name !== pool.name)))
  const services = new Map(world.services)
  const before = services.get(wish.name)
  if (what === "wish") {
    services.set(wish.name, { type: undefined, current: [], ...before, request: wish })
    return { ...world, services }
  }
  services.delete(wish.name)
  const held = before?.current ?? []
  return {
    ...world,
    services,
    index: held.reduce((index, { address }) => AddressIndex.release(index, address, wish), world.index)
  }
}

const situationOf = (world: World, { request, type, current }: Service): Allocation.Situation => ({
  request,
  namespaceLabels: {},
  type,
  current,
  boughtBy: () => undefined,
  isDeleted: () => false,
  isInUse: () => false,
  avoided: [],
  mayPromote: () => false,
  index: world.index
})

/** Claims what was granted, which must succeed, and releases what goes. */
const apply = (world: World, service: Service, decision: Allocation.Decision): World => {
  const { request } = service
  let { index } = world
  for (const outcome of decision.outcomes) {
    if (outcome._tag === "Release") index = AddressIndex.release(index, outcome.address, request)
    if (outcome._tag === "Grant" || outcome._tag === "Keep") {
      const { namespace, name, uid } = request
      const claim = { namespace, name, uid, pool: outcome.pool }
      index = Result.getOrThrow(AddressIndex.claim(index, outcome.address, claim))
    }
  }
  const after = { ...service, type: decision.type, current: Allocation.settled(decision) }
  return { ...world, index, services: new Map(world.services).set(request.name, after) }
}

const settle = (world: World, check: (world: World, service: Service, decision: Allocation.Decision) => void): World =>
  [...world.services.values()].reduce((world, service) => {
    const decision = Allocation.decide(situationOf(world, service))
    check(world, service, decision)
    return apply(world, service, decision)
  }, world)

const replay = (
  steps: ReadonlyArray<Step>,
  check: (world: World, service: Service, decision: Allocation.Decision) => void,
  checkWorld: (world: World) => void = () => {}
): void => {
  let world = nothing
  for (const one of steps) {
    world = settle(act(world, one), check)
    checkWorld(world)
  }
}

/** How often a property met what it is about; one that never did would pass for nothing. */
const met = new Map<string, number>()
const meet = (what: string): void => {
  met.set(what, (met.get(what) ?? 0) + 1)
}

const tags = (decision: Allocation.Decision): ReadonlyArray<string> => decision.outcomes.map(({ _tag }) => _tag)

describe("Allocation.decide, for any history", () => {
  it.prop(
    "changes nothing when decided again after it was applied (S11)",
    history,
    ({ steps }) => {
      replay(steps, (world, service, decision) => {
        const after = apply(world, service, decision)
        const again = Allocation.decide(situationOf(after, after.services.get(service.request.name) ?? service))
        assert.notInclude(tags(again), "Grant")
        assert.notInclude(tags(again), "Release")
        assert.deepStrictEqual(Allocation.settled(again), Allocation.settled(decision))
      })
    },
    options
  )

  it.prop(
    "never gives one address to two, and the index says who has it (S2)",
    history,
    ({ steps }) => {
      replay(
        steps,
        () => {},
        ({ services, index }) => {
          const held = [...services.values()].flatMap(({ request, current }) =>
            current.map(({ address }) => ({ address, holder: request.uid }))
          )
          assert.strictEqual(new Set(held.map(({ address }) => address)).size, held.length)
          for (const { address, holder } of held) {
            assert.strictEqual(AddressIndex.claimOf(index, address)?.uid, holder)
          }
        }
      )
    },
    options
  )

  it.prop(
    "grants only what a pool lists, that admits the Service and is not being deleted (S3)",
    history,
    ({ steps }) => {
      replay(steps, ({ pools }, { request, current }, { outcomes }) => {
        for (const outcome of outcomes) {
          if (outcome._tag !== "Grant") continue
          meet("grant")
          const pool = pools.get(outcome.pool)
          const isListed = pool !== undefined && Pool.lists(pool, outcome.address)
          const isAllowed = [undefined, request.namespace].includes(pool?.allowedNamespaces[0])
          assert.isTrue(isListed && isAllowed && !pool.deleting && !pool.disabled)
          assert.isFalse(current.some(({ address }) => address === outcome.address))
          assert.isTrue(request.addresses.length === 0 || request.addresses.includes(outcome.address))
        }
      })
    },
    options
  )

  it.prop(
    "keeps an address as long as the Service names it and its pool lists it, whatever else changed",
    history,
    ({ steps }) => {
      replay(steps, ({ pools }, { request, current }, decision) => {
        const after = Allocation.settled(decision)
        for (const held of current) {
          const pool = pools.get(held.pool)
          if (!request.addresses.includes(held.address) || pool === undefined || !Pool.lists(pool, held.address))
            continue
          if (Pool.serves(pool, { namespace: request.namespace, namespaceLabels: {}, serviceLabels: {} }))
            meet("keep against the rules")
          assert.deepInclude(after, held)
        }
      })
    },
    options
  )

  it.prop(
    "takes no address of a Service that asks for any, while it has the family and its pool lists it",
    history,
    ({ steps }) => {
      replay(steps, ({ pools }, { request, type, current }, decision) => {
        if (request.addresses.length > 0 || request.pool !== undefined || type !== "ephemeral") return
        for (const family of request.families) {
          const mine = current.filter(({ address }) => Address.familyOf(address) === family)
          const listed = mine.filter(({ address, pool }) => {
            const own = pools.get(pool)
            return own !== undefined && Pool.lists(own, address)
          })
          if (listed.length !== 1 || mine.length !== 1) continue
          if (pools.get(mine[0]?.pool ?? "")?.autoAssign === false) meet("keep what is no longer given unasked")
          assert.deepInclude(Allocation.settled(decision), listed[0])
        }
      })
    },
    options
  )

  it.prop(
    "does not depend on the order in which pools and holdings are given",
    history,
    ({ steps }) => {
      replay(steps, (world, service, decision) => {
        const pools = [...world.pools.values()].toReversed()
        const index = AddressIndex.withGround(world.index, { pools, reserved: [] })
        const again = Allocation.decide({ ...situationOf(world, service), index })
        assert.deepStrictEqual(again, decision)
      })
    },
    options
  )

  it.prop(
    "says why, whenever a wish is not met",
    history,
    ({ steps }) => {
      replay(steps, (_, { request }, decision) => {
        const met = decision.outcomes.filter(({ _tag }) => _tag === "Keep" || _tag === "Grant").length
        const wanted = request.addresses.length || Math.max(1, request.families.length)
        if (met < wanted) assert.include(tags(decision), "Refuse")
        if (met === 0) assert.isDefined(decision.pending)
        if (met === wanted) assert.isUndefined(decision.pending)
      })
    },
    options
  )

  it("met what the properties are about, often", () => {
    for (const what of ["grant", "keep against the rules", "keep what is no longer given unasked"]) {
      assert.isAtLeast(met.get(what) ?? 0, 50, what)
    }
  })
})
