import { assert, describe, it } from "@effect/vitest"
import * as AddressRange from "../../../src/domain/AddressRange.ts"
import * as Pool from "../../../src/domain/Pool.ts"
import * as Refusal from "../../../src/domain/Refusal.ts"
import { address as parsed } from "./arbitraries.ts"

const make = (spec: Pool.PoolObject["spec"], metadata: Partial<Pool.PoolObject["metadata"]> = {}) =>
  Pool.make("PersistentIPPool", { metadata: { name: "rack-1", ...metadata }, spec })

describe("Pool.make", () => {
  it("gives a v0.4 pool the meaning that it had: every namespace, no unasked grants", () => {
    const { pool, problems } = make({
      addresses: ["192.0.2.11", "192.0.2.10"],
      options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } }
    })
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(pool.ranges.map(AddressRange.format), ["192.0.2.10/31"])
    assert.strictEqual(pool.interfaceName, "pl0")
    assert.isFalse(pool.autoAssign || pool.disabled || pool.deleting || pool.avoidBuggyIPs)
    assert.isUndefined(pool.cloud)
    assert.isUndefined(Pool.serves(pool, { namespace: "anywhere", namespaceLabels: {}, serviceLabels: {} }))
  })

  it("names no interface while addresses are not added to it", () => {
    const { pool } = make({
      options: { hostNetworkInterface: { addAddressesToInterface: false, interfaceName: "pl0" } }
    })
    assert.isUndefined(pool.interfaceName)
  })

  it("keeps the good entries beside a bad one, and names the bad one", () => {
    const { pool, problems } = make({ addresses: ["192.0.2.10", "192.0.2.17/28", "127.0.0.0/30"] })
    assert.deepStrictEqual(pool.ranges.map(AddressRange.format), ["192.0.2.10"])
    assert.deepStrictEqual(
      problems.map(({ reason }) => reason),
      ["InvalidAddress", "InvalidAddress"]
    )
    assert.include(problems[0]?.message, "PersistentIPPool rack-1, spec.addresses[1]:")
    assert.include(problems[0]?.message, "Write 192.0.2.16/28 for the network")
    assert.include(problems[1]?.message, "loopback addresses")
  })

  it("tells every entry that overlaps another, once, and grants the addresses all the same", () => {
    const { pool, problems } = make({
      addresses: ["192.0.2.0/24", "2001:db8::/120", "192.0.2.9", "192.0.2.200-192.0.3.9", "192.0.3.9", "198.51.100.1"]
    })
    assert.deepStrictEqual(
      problems.map(({ reason }) => reason),
      ["OverlapInPool", "OverlapInPool", "OverlapInPool"]
    )
    assert.include(problems[0]?.message, `"192.0.2.0/24" (entry 0) and "192.0.2.9" (entry 2) overlap`)
    assert.include(problems[1]?.message, `"192.0.2.0/24" (entry 0) and "192.0.2.200-192.0.3.9" (entry 3)`)
    assert.include(problems[2]?.message, `"192.0.2.200-192.0.3.9" (entry 3) and "192.0.3.9" (entry 4)`)
    assert.deepStrictEqual(pool.ranges.map(AddressRange.format), [
      "192.0.2.0-192.0.3.9",
      "198.51.100.1",
      "2001:db8::/120"
    ])
  })
})

describe("Pool.serves", () => {
  const customer = { namespace: "web", namespaceLabels: { tier: "edge" }, serviceLabels: { app: "shop" } }
  // oxfmt-ignore
  it.each([
    // name                                              spec                                                                   refusal
    ["nothing said: every namespace",                    {},                                                                    undefined],
    ["an empty list: every namespace",                   { allowedNamespaces: [] },                                             undefined],
    ["listed",                                           { allowedNamespaces: ["api", "web"] },                                 undefined],
    ["not listed",                                       { allowedNamespaces: ["api"] },                                        "NamespaceNotAllowed"],
    ["selected",                                         { allowedNamespaceSelector: { matchLabels: { tier: "edge" } } },       undefined],
    ["not selected",                                     { allowedNamespaceSelector: { matchLabels: { tier: "core" } } },       "NamespaceNotAllowed"],
    ["not listed but selected",                          { allowedNamespaces: ["api"], allowedNamespaceSelector: {} },          undefined],
    ["listed but not selected",                          { allowedNamespaces: ["web"], allowedNamespaceSelector: { matchLabels: { tier: "core" } } }, undefined],
    ["the Service selected",                             { serviceSelector: { matchLabels: { app: "shop" } } },                 undefined],
    ["the Service not selected",                         { serviceSelector: { matchLabels: { app: "blog" } } },                 "ServiceNotSelected"],
    ["disabled",                                         { disabled: true },                                                    "PoolDisabled"]
  ])("%s", (_, spec, reason) => {
    assert.strictEqual(Pool.serves(make(spec as Pool.PoolObject["spec"]).pool, customer)?.reason, reason)
  })

  it("grants nothing new while it is being deleted", () => {
    const { pool } = make({}, { deletionTimestamp: "2026-11-24T10:00:00Z" })
    assert.strictEqual(Pool.serves(pool, customer)?.reason, "PoolDeleting")
  })
})

const named = (name: string, creationTimestamp: string, priority?: number): Pool.Pool =>
  make({ priority }, { name, creationTimestamp }).pool

describe("Pool.order and Pool.seniority", () => {
  const pools = [
    named("b", "2026-01-01T00:00:00Z"),
    named("c", "2025-01-01T00:00:00Z", 10),
    named("a", "2026-01-01T00:00:00Z"),
    named("d", "2024-01-01T00:00:00Z", 200)
  ]

  it("asks by priority, then name; a pool without one comes after those that were preferred", () => {
    assert.deepStrictEqual(
      pools.toSorted(Pool.order).map(({ name }) => name),
      ["c", "a", "b", "d"]
    )
  })

  it("lets the older win, then the name", () => {
    assert.deepStrictEqual(
      pools.toSorted(Pool.seniority).map(({ name }) => name),
      ["d", "c", "a", "b"]
    )
  })
})

describe("Refusal.describe", () => {
  const pool = { kind: "PersistentIPPool", name: "rack-1" } as const
  const address = parsed("192.0.2.10")
  const shop = { namespace: "web", name: "shop" }
  // oxfmt-ignore
  it.each<[string, Refusal.Refusal, string]>([
    ["two namespaces", { reason: "NamespaceNotAllowed", pool, address, allowedNamespaces: ["project1", "project2"] },
      "web/shop waits: pool rack-1 has 192.0.2.10, but only for the namespaces project1 and project2. " +
      'Add "web" to spec.allowedNamespaces of PersistentIPPool rack-1, or ask for another address.'],
    ["a namespace and a selector, any address", { reason: "NamespaceNotAllowed", pool, allowedNamespaces: ["a"], selector: { matchLabels: { tier: "edge" } } },
      "web/shop waits: pool rack-1 has addresses, but only for the namespace a and namespaces with the labels tier=edge. " +
      'Add "web" to spec.allowedNamespaces of PersistentIPPool rack-1, or ask for another pool.'],
    ["an address that another has", { reason: "AddressTaken", address, holder: { namespace: "api", name: "gate" } },
      "web/shop waits: 192.0.2.10 is held by Service api/gate. Delete that one or ask it for another address, or ask for another here."],
    ["an exhausted pool", { reason: "PoolExhausted", family: "IPv4", pools: [pool] },
      "web/shop waits: pool rack-1 has no free IPv4 address left. Add some to spec.addresses, or delete a Service that holds one."],
    ["two exhausted pools", { reason: "PoolExhausted", family: "IPv6", pools: [pool, { ...pool, name: "rack-2" }] },
      "web/shop waits: pool rack-1 and pool rack-2 have no free IPv6 address left. Add some to spec.addresses, or delete a Service that holds one."]
  ])("%s", (_, refusal, sentence) => {
    assert.strictEqual(Refusal.describe(shop, refusal), sentence)
  })

  // oxfmt-ignore
  it.each<[Refusal.Refusal, ReadonlyArray<string>]>([
    [{ reason: "ServiceNotSelected", pool, selector: { matchLabels: { app: "x" } } }, ["app=x", "spec.serviceSelector of PersistentIPPool rack-1"]],
    [{ reason: "PoolDisabled", pool, address },                                       ["spec.disabled", "PersistentIPPool rack-1"]],
    [{ reason: "PoolDeleting", pool },                                                ["metadata.deletionTimestamp", "another pool"]],
    [{ reason: "PoolNotFound", name: "rakc" },                                        ["loadbalancing.plenus.io/pool", '"rakc"']],
    [{ reason: "AddressNotInAnyPool", address },                                      ["192.0.2.10", "spec.addresses", "namespace web"]],
    [{ reason: "AddressRemovedFromPool", address, pool: "rack-1" },                   ["removed from spec.addresses of pool rack-1", "keep-in-use"]],
    [{ reason: "AddressReserved", address, pool, owner: "Node worker-1" },            ["belongs to Node worker-1", "PersistentIPPool rack-1"]],
    [{ reason: "FamilyNotAvailable", family: "IPv6", pools: [pool] },                 ["spec.ipFamilies", "pool rack-1 has no address"]],
    [{ reason: "FamilyNotRequested", address, families: ["IPv6"] },                   ["spec.ipFamilies is IPv6 only", "PreferDualStack"]],
    [{ reason: "NoPool", others: [] },                                                ["spec.autoAssign", "loadbalancing.plenus.io/addresses"]],
    [{ reason: "NoPool", others: [pool] },                                            ["the rules of pool rack-1", "spec.allowedNamespaces"]]
  ])("names object, field and remedy: %j", (refusal, words) => {
    const sentence = Refusal.describe(shop, refusal)
    for (const word of [...words, "web/shop waits: "]) assert.include(sentence, word)
    assert.match(sentence, /\.\)?$/)
  })
})
