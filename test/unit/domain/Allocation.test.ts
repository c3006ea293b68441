import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as AddressIndex from "../../../src/domain/AddressIndex.ts"
import * as Allocation from "../../../src/domain/Allocation.ts"
import * as Pool from "../../../src/domain/Pool.ts"
import type { ServiceRequest } from "../../../src/domain/ServiceRequest.ts"
import { address, range } from "./arbitraries.ts"

type Spec = Pool.PoolObject["spec"]

const persistent = (name: string, spec: Spec, metadata: Partial<Pool.PoolObject["metadata"]> = {}): Pool.Pool =>
  Pool.make("PersistentIPPool", { metadata: { name, ...metadata }, spec }).pool
const ephemeral = (name: string): Pool.Pool =>
  Pool.make("EphemeralIPPool", { metadata: { name }, spec: { cloudIntegration: {} } }).pool

const request = (wish: Partial<ServiceRequest>): ServiceRequest => ({
  namespace: "web",
  name: "shop",
  uid: "u1",
  labels: {},
  addresses: [],
  families: ["IPv4"],
  prefersDualStack: false,
  localTraffic: false,
  ...wish
})

interface Case {
  readonly pools: ReadonlyArray<Pool.Pool>
  readonly wish?: Partial<ServiceRequest>
  /** "192.0.2.10@rack-1", all of this Service's. */
  readonly current?: ReadonlyArray<string>
  readonly type?: Allocation.AllocationType
  /** Addresses of Service web/blog. */
  readonly taken?: ReadonlyArray<string>
  /** Addresses of Node worker-1. */
  readonly nodes?: ReadonlyArray<string>
  /** Deleted at the provider. */
  readonly deleted?: ReadonlyArray<string>
  /** A foreign machine answers for them. */
  readonly inUse?: ReadonlyArray<string>
  /** One did a while ago. */
  readonly avoided?: ReadonlyArray<string>
}

const situation = ({
  pools,
  wish = {},
  current = [],
  type,
  taken = [],
  nodes = [],
  deleted = [],
  inUse = [],
  avoided = []
}: Case): Allocation.Situation => {
  const held = current.map((text): Allocation.Held => {
    const [what = "", pool = ""] = text.split("@")
    return { address: address(what), pool }
  })
  const reserved = nodes.map((text) => ({ range: range(text), owner: "Node worker-1" }))
  const blog = { namespace: "web", name: "blog", uid: "u2", pool: "rack-1" }
  const shop = { namespace: "web", name: "shop", uid: "u1" }
  let index = AddressIndex.make({ pools, reserved })
  for (const text of taken) index = Result.getOrThrow(AddressIndex.claim(index, address(text), blog))
  for (const one of held) index = Result.getOrThrow(AddressIndex.claim(index, one.address, { ...shop, pool: one.pool }))
  return {
    request: request(wish),
    namespaceLabels: {},
    type: type ?? (held.length > 0 ? "persistent" : undefined),
    current: held,
    index,
    boughtBy: () => undefined,
    isDeleted: ({ address: each }) => deleted.includes(each),
    isInUse: ({ address: each }) => inUse.includes(each),
    avoided: avoided.map(address),
    mayPromote: () => false
  }
}

const render = (outcome: Allocation.Outcome): string => {
  switch (outcome._tag) {
    case "Refuse":
      return `refuse ${outcome.refusal.reason}`
    case "Release":
      return `release ${outcome.address}@${outcome.pool} ${outcome.reason}`
    case "Buy":
      return `buy ${outcome.family}@${outcome.pool}`
    default:
      return `${outcome._tag.toLowerCase()} ${outcome.address}@${outcome.pool}`
  }
}

const decided = (one: Case): ReadonlyArray<string> => Allocation.decide(situation(one)).outcomes.map(render)

const rack1 = persistent("rack-1", { addresses: ["192.0.2.10-192.0.2.12"] })
const auto = persistent("auto", { addresses: ["198.51.100.0/30"], autoAssign: true })
const six = persistent("six", { addresses: ["2001:db8::/126"], autoAssign: true })
const named = (...addresses: ReadonlyArray<string>) => ({ addresses: addresses.map(address) })

describe("Allocation.decide, addresses asked for by name", () => {
  // oxfmt-ignore
  it.each<[string, Case, ReadonlyArray<string>]>([
    ["grants what a pool lists", { pools: [rack1], wish: named("192.0.2.10", "192.0.2.12") },
      ["grant 192.0.2.10@rack-1", "grant 192.0.2.12@rack-1"]],
    ["grants the one and refuses the other", { pools: [rack1], wish: named("192.0.2.10", "192.0.2.99") },
      ["grant 192.0.2.10@rack-1", "refuse AddressNotInAnyPool"]],
    ["refuses what another holds", { pools: [rack1], wish: named("192.0.2.10"), taken: ["192.0.2.10"] },
      ["refuse AddressTaken"]],
    ["refuses what is a Node's own", { pools: [rack1], wish: named("192.0.2.10"), nodes: ["192.0.2.10"] },
      ["refuse AddressReserved"]],
    ["refuses a Node's own that no pool lists as such", { pools: [rack1], wish: named("192.0.2.99"), nodes: ["192.0.2.99"] },
      ["refuse AddressNotInAnyPool"]],
    ["refuses what the pool's rules forbid", { pools: [persistent("rack-1", { addresses: ["192.0.2.10"], allowedNamespaces: ["api"] })], wish: named("192.0.2.10") },
      ["refuse NamespaceNotAllowed"]],
    ["refuses a family that the Service does not have", { pools: [rack1, six], wish: named("2001:db8::1") },
      ["refuse FamilyNotRequested"]],
    ["asks the older of two pools that list it", { pools: [
        persistent("new", { addresses: ["192.0.2.10"] }, { creationTimestamp: "2026-02-01T00:00:00Z" }),
        persistent("old", { addresses: ["192.0.2.10"], disabled: true }, { creationTimestamp: "2026-01-01T00:00:00Z" })
      ], wish: named("192.0.2.10") },
      ["refuse PoolDisabled"]],
    ["keeps what it has", { pools: [rack1], wish: named("192.0.2.10"), current: ["192.0.2.10@rack-1"] },
      ["keep 192.0.2.10@rack-1"]],
    ["keeps it whatever the pool's rules have become", { pools: [persistent("rack-1", { addresses: ["192.0.2.10"], allowedNamespaces: ["api"], disabled: true }, { deletionTimestamp: "2026-01-01T00:00:00Z" })], wish: named("192.0.2.10"), current: ["192.0.2.10@rack-1"] },
      ["keep 192.0.2.10@rack-1"]],
    ["keeps it when an older pool comes to list it, too", { pools: [rack1, persistent("old", { addresses: ["192.0.2.10"] }, { creationTimestamp: "2020-01-01T00:00:00Z" })], wish: named("192.0.2.10"), current: ["192.0.2.10@rack-1"] },
      ["keep 192.0.2.10@rack-1"]],
    ["takes away what was removed from the pool", { pools: [rack1], wish: named("192.0.2.99"), current: ["192.0.2.99@rack-1"] },
      ["refuse AddressRemovedFromPool", "release 192.0.2.99@rack-1 RemovedFromPool"]],
    ["keeps it where the pool says keep-in-use", { pools: [persistent("rack-1", { addresses: ["192.0.2.10"] }, { annotations: { "loadbalancing.plenus.io/keep-in-use": "true" } })], wish: named("192.0.2.99"), current: ["192.0.2.99@rack-1"] },
      ["keep 192.0.2.99@rack-1"]],
    ["passes it on to another pool that lists it and admits the Service", { pools: [persistent("rack-2", { addresses: ["192.0.2.10"] })], wish: named("192.0.2.10"), current: ["192.0.2.10@rack-1"] },
      ["keep 192.0.2.10@rack-2"]],
    ["does not pass it on to a pool that does not admit the Service", { pools: [persistent("rack-2", { addresses: ["192.0.2.10"], allowedNamespaces: ["api"] })], wish: named("192.0.2.10"), current: ["192.0.2.10@rack-1"] },
      ["refuse NamespaceNotAllowed", "release 192.0.2.10@rack-1 RemovedFromPool"]],
    ["changes one address for another", { pools: [rack1], wish: named("192.0.2.11"), current: ["192.0.2.10@rack-1"] },
      ["grant 192.0.2.11@rack-1", "release 192.0.2.10@rack-1 NotWanted"]],
    ["retains the old one while the new one is refused", { pools: [rack1], wish: named("192.0.2.11"), current: ["192.0.2.10@rack-1"], taken: ["192.0.2.11"] },
      ["refuse AddressTaken", "retain 192.0.2.10@rack-1"]],
    ["retains nothing of another family", { pools: [rack1, six], wish: { ...named("192.0.2.11"), families: ["IPv4", "IPv6"] }, current: ["2001:db8::1@six"], taken: ["192.0.2.11"] },
      ["refuse AddressTaken", "release 2001:db8::1@six NotWanted"]],
    ["does not hand a removed address back while it waits", { pools: [rack1], wish: named("192.0.2.11"), current: ["192.0.2.99@rack-1"], taken: ["192.0.2.11"] },
      ["refuse AddressTaken", "release 192.0.2.99@rack-1 RemovedFromPool"]]
  ])("%s", (_, one, outcomes) => {
    assert.deepStrictEqual(decided(one), outcomes)
  })

  it("is of type persistent, and waits for the first refusal", () => {
    const decision = Allocation.decide(situation({ pools: [rack1], wish: named("192.0.2.10", "192.0.2.99") }))
    assert.strictEqual(decision.type, "persistent")
    assert.deepStrictEqual(decision.pending, { reason: "AddressNotInAnyPool", address: address("192.0.2.99") })
  })
})

describe("Allocation.decide, any address", () => {
  const both = { families: ["IPv4", "IPv6"] } as const
  // oxfmt-ignore
  it.each<[string, Case, ReadonlyArray<string>]>([
    ["gives the lowest free one of a pool that gives unasked", { pools: [rack1, auto], taken: ["198.51.100.0"] },
      ["grant 198.51.100.1@auto"]],
    ["waits when no pool gives unasked", { pools: [rack1] },
      ["refuse NoPool"]],
    ["waits when those that do have rules against it", { pools: [persistent("auto", { addresses: ["198.51.100.0"], autoAssign: true, allowedNamespaces: ["api"] })] },
      ["refuse NoPool"]],
    ["goes on to the next pool when one is exhausted", { pools: [auto, persistent("auto-2", { addresses: ["203.0.113.7"], autoAssign: true })], taken: ["198.51.100.0", "198.51.100.1", "198.51.100.2", "198.51.100.3"] },
      ["grant 203.0.113.7@auto-2"]],
    ["asks the pool with the lower priority first", { pools: [auto, persistent("z", { addresses: ["203.0.113.7"], autoAssign: true, priority: 1 })] },
      ["grant 203.0.113.7@z"]],
    ["names what is exhausted", { pools: [auto], taken: ["198.51.100.0", "198.51.100.1", "198.51.100.2", "198.51.100.3"] },
      ["refuse PoolExhausted"]],
    ["takes the pool that is named, also one that gives nothing unasked", { pools: [rack1, auto], wish: { pool: "rack-1" } },
      ["grant 192.0.2.10@rack-1"]],
    ["says when there is no such pool", { pools: [rack1, auto], wish: { pool: "rakc" } },
      ["refuse PoolNotFound"]],
    ["says what the named pool's rules forbid", { pools: [persistent("rack-1", { addresses: ["192.0.2.10"], disabled: true }), auto], wish: { pool: "rack-1" } },
      ["refuse PoolDisabled"]],
    ["buys, where a pool buys, before any other gives", { pools: [ephemeral("cloud"), auto] },
      ["buy IPv4@cloud"]],
    ["nor one that is named", { pools: [ephemeral("cloud"), auto], wish: { pool: "cloud" } },
      ["buy IPv4@cloud"]],
    ["buys another for what was deleted at the provider, and keeps that until then", { pools: [ephemeral("cloud")], type: "ephemeral", current: ["198.51.100.3@cloud"], deleted: ["198.51.100.3"] },
      ["buy IPv4@cloud", "retain 198.51.100.3@cloud"]],
    ["keeps what was deleted there while no pool gives another", { pools: [rack1], type: "ephemeral", current: ["192.0.2.11@rack-1"], deleted: ["192.0.2.11"] },
      ["refuse NoPool", "retain 192.0.2.11@rack-1"]],
    ["keeps what was deleted there, and is asked for by name", { pools: [ephemeral("cloud")], wish: named("198.51.100.3"), current: ["198.51.100.3@cloud"], deleted: ["198.51.100.3"] },
      ["keep 198.51.100.3@cloud"]],
    ["gives one of each family", { pools: [auto, six], wish: both },
      ["grant 198.51.100.0@auto", "grant 2001:db8::@six"]],
    ["gives the family that there is, and waits for the other", { pools: [auto], wish: both },
      ["grant 198.51.100.0@auto", "refuse FamilyNotAvailable"]],
    ["completes later without a change of what was granted", { pools: [auto, six], wish: both, type: "ephemeral", current: ["198.51.100.3@auto"] },
      ["keep 198.51.100.3@auto", "grant 2001:db8::@six"]],
    ["goes back to one family", { pools: [auto, six], type: "ephemeral", current: ["198.51.100.3@auto", "2001:db8::1@six"] },
      ["keep 198.51.100.3@auto", "release 2001:db8::1@six NotWanted"]],
    ["takes either family where none is said, IPv4 first", { pools: [six, persistent("dual", { addresses: ["2001:db8:1::1", "203.0.113.7"], autoAssign: true })], wish: { families: [] } },
      ["grant 203.0.113.7@dual"]],
    ["keeps either family where none is said", { pools: [auto, six], wish: { families: [] }, type: "ephemeral", current: ["2001:db8::1@six"] },
      ["keep 2001:db8::1@six"]],
    ["keeps what it has when another pool comes first now", { pools: [auto, persistent("first", { addresses: ["203.0.113.7"], autoAssign: true, priority: 1 })], type: "ephemeral", current: ["198.51.100.3@auto"] },
      ["keep 198.51.100.3@auto"]],
    ["keeps what it has when its pool gives nothing unasked any more", { pools: [rack1, auto], type: "ephemeral", current: ["192.0.2.11@rack-1"] },
      ["keep 192.0.2.11@rack-1"]],
    ["keeps an address that was asked for once, if its pool would give it unasked", { pools: [auto], type: "persistent", current: ["198.51.100.3@auto"] },
      ["keep 198.51.100.3@auto"]],
    ["frees an address that was asked for once, when it would not", { pools: [rack1, auto], type: "persistent", current: ["192.0.2.11@rack-1"] },
      ["grant 198.51.100.0@auto", "release 192.0.2.11@rack-1 NotWanted"]],
    ["frees it even where no pool gives anything unasked", { pools: [rack1], type: "persistent", current: ["192.0.2.11@rack-1"] },
      ["refuse NoPool", "release 192.0.2.11@rack-1 NotWanted"]],
    ["changes the pool when another is named", { pools: [rack1, auto], wish: { pool: "rack-1" }, type: "ephemeral", current: ["198.51.100.3@auto"] },
      ["grant 192.0.2.10@rack-1", "release 198.51.100.3@auto NotWanted"]],
    ["retains the old one while the named pool is exhausted", { pools: [rack1, auto], wish: { pool: "rack-1" }, type: "ephemeral", current: ["198.51.100.3@auto"], taken: ["192.0.2.10", "192.0.2.11", "192.0.2.12"] },
      ["refuse PoolExhausted", "retain 198.51.100.3@auto"]],
    ["replaces an address that was removed from its pool", { pools: [auto], type: "ephemeral", current: ["203.0.113.7@auto"] },
      ["grant 198.51.100.0@auto", "release 203.0.113.7@auto RemovedFromPool"]],
    ["gives another address when the named pool lists the held one, too", { pools: [persistent("younger", { addresses: ["192.0.2.10"] }, { creationTimestamp: "2026-01-01T00:00:00Z" }), rack1], wish: { pool: "rack-1" }, type: "ephemeral", current: ["192.0.2.10@younger"] },
      ["grant 192.0.2.11@rack-1", "release 192.0.2.10@younger NotWanted"]],
    ["gives another for what a foreign machine has", { pools: [auto], type: "ephemeral", current: ["198.51.100.0@auto"], inUse: ["198.51.100.0"] },
      ["grant 198.51.100.1@auto", "release 198.51.100.0@auto NotWanted"]],
    ["keeps it when there is no other", { pools: [auto], type: "ephemeral", current: ["198.51.100.0@auto"], inUse: ["198.51.100.0"], taken: ["198.51.100.1", "198.51.100.2", "198.51.100.3"] },
      ["keep 198.51.100.0@auto"]],
    ["keeps it when no pool gives anything unasked any more", { pools: [rack1], type: "ephemeral", current: ["192.0.2.11@rack-1"], inUse: ["192.0.2.11"] },
      ["keep 192.0.2.11@rack-1"]],
    ["keeps it rather than another of which a foreign machine was heard", { pools: [auto], type: "ephemeral", current: ["198.51.100.0@auto"], inUse: ["198.51.100.0"], avoided: ["198.51.100.0", "198.51.100.1"], taken: ["198.51.100.2", "198.51.100.3"] },
      ["keep 198.51.100.0@auto"]],
    ["keeps what was asked for by name, whoever has it", { pools: [rack1], wish: named("192.0.2.11"), current: ["192.0.2.11@rack-1"], inUse: ["192.0.2.11"] },
      ["keep 192.0.2.11@rack-1"]],
    ["gives last of which a foreign machine was heard", { pools: [auto], avoided: ["198.51.100.0", "198.51.100.1"] },
      ["grant 198.51.100.2@auto"]],
    ["but gives it before nothing", { pools: [auto], avoided: ["198.51.100.0", "198.51.100.1"], taken: ["198.51.100.2", "198.51.100.3"] },
      ["grant 198.51.100.0@auto"]],
    ["keeps what v0.4 bought in the cloud", { pools: [ephemeral("cloud")], type: "ephemeral", current: ["203.0.113.7@cloud"] },
      ["keep 203.0.113.7@cloud"]]
  ])("%s", (_, one, outcomes) => {
    assert.deepStrictEqual(decided(one), outcomes)
  })

  it("waits for nothing when a second family was only preferred", () => {
    const wish = { ...both, prefersDualStack: true }
    assert.isUndefined(Allocation.decide(situation({ pools: [auto], wish })).pending)
    assert.strictEqual(
      Allocation.decide(situation({ pools: [auto], wish: both })).pending?.reason,
      "FamilyNotAvailable"
    )
    assert.strictEqual(Allocation.decide(situation({ pools: [rack1], wish })).pending?.reason, "NoPool")
  })

  it("grants again what it claimed already, when the write of it is still under way", () => {
    const before = situation({ pools: [auto], type: "ephemeral", current: ["198.51.100.2@auto"] })
    assert.deepStrictEqual(Allocation.decide({ ...before, current: [] }).outcomes.map(render), [
      "grant 198.51.100.2@auto"
    ])
  })
})
