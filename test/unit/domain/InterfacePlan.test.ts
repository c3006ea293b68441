import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { type Address, parse } from "../../../src/domain/Address.ts"
import { labelFor, ownMetric, scopeOf } from "../../../src/domain/HostAddress.ts"
import type { AddressFacts, InterfaceFacts, NetworkFacts } from "../../../src/domain/InterfaceMode.ts"
import { type Change, type Cleaned, type Input, plan, render, type Wanted } from "../../../src/domain/InterfacePlan.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))

/**
 * `192.0.2.10/32` ours, `… v0.4` with the label alone, `… renamed` with the metric alone, `… foreign` anybody's, `… global`
 * without our label and scope.
 */
const addressFacts = (interfaceName: string, text: string): AddressFacts => {
  const [cidr = "", kind = "ours"] = text.split(" ")
  const [address = "", prefixLength = ""] = cidr.split("/")
  const isOurs = ["ours", "v0.4", "renamed"].includes(kind)
  const label = (kind === "ours" || kind === "v0.4") && labelFor(a(address), interfaceName)
  return {
    address: a(address),
    prefixLength: Number(prefixLength),
    scope: isOurs ? scopeOf(a(address)) : kind === "host" ? "host" : "global",
    ...(address.includes(":") ? {} : { label: label === false || label === undefined ? interfaceName : label }),
    ...(kind === "ours" || kind === "renamed" ? { metric: ownMetric } : {}),
    ...(kind === "expiring" ? { scope: "link", label: `${interfaceName}:pllb`, validSeconds: 60 } : {})
  }
}

interface Interfaces {
  readonly [name: string]: {
    readonly kind?: InterfaceFacts["kind"]
    readonly up?: boolean
    readonly ports?: ReadonlyArray<string>
    readonly has?: ReadonlyArray<string>
  }
}

const network = (
  interfaces: Interfaces,
  arpIgnore: NetworkFacts["arpIgnore"] = {},
  defaultRouteInterfaces = ["eth0"]
): NetworkFacts => ({
  interfaces: Object.entries(interfaces).map(([name, { kind, up = true, ports = [], has = [] }], index) => ({
    name,
    index,
    up,
    ports,
    kind: kind ?? (name.startsWith("pl") ? "bridge" : "other"),
    addresses: has.map((text) => addressFacts(name, text))
  })),
  defaultRouteInterfaces,
  arpIgnore
})

/** The usual node: an empty bridge, and a network card with the default route and the node's address. */
const usual = (pl0: ReadonlyArray<string> = [], eth0: ReadonlyArray<string> = []): NetworkFacts =>
  network({
    lo: { kind: "loopback", has: ["127.0.0.1/8 host"] },
    pl0: { has: pl0 },
    eth0: { has: ["198.51.100.2/24 foreign", ...eth0] }
  })

const pool = { interfaceName: "pl0", mode: "auto" as const, uplinks: [], startupCleaning: "all" as const }
const wanted = (text: string, options: Partial<Wanted> = {}): Wanted => ({ ...pool, ...options, address: a(text) })

const input = (options: Partial<Input>): Input => ({
  network: usual(),
  nodeAddresses: [a("198.51.100.2")],
  wanted: [],
  pools: [pool],
  remembered: [],
  phase: "steady",
  ...options
})

const changesOf = (options: Partial<Input>): ReadonlyArray<string> => plan(input(options)).changes.map(render)

describe("InterfacePlan.plan: what is missing and what is left over", () => {
  // oxfmt-ignore
  it.each([
    // name                                                    on pl0                        wanted                       changes
    ["adds what is missing, by address",                       [],                           ["192.0.2.11", "192.0.2.9"], ["add 192.0.2.9 to pl0", "add 192.0.2.11 to pl0"]],
    ["does nothing when all is there",                         ["192.0.2.10/32"],            ["192.0.2.10"],              []],
    ["removes ours that is not held any more",                 ["192.0.2.10/32"],            [],                          ["remove 192.0.2.10/32 from pl0"]],
    ["removes first, because another node may serve it by now", ["192.0.2.20/32"],           ["192.0.2.10"],              ["remove 192.0.2.20/32 from pl0", "add 192.0.2.10 to pl0"]],
    ["leaves what is not ours",                                ["192.0.2.77/32 foreign", "203.0.113.1/24 foreign"], [],  []],
    ["corrects what lacks our label and scope",                ["192.0.2.10/32 foreign"],    ["192.0.2.10"],              ["add 192.0.2.10 to pl0"]],
    ["corrects what would expire",                             ["192.0.2.10/32 expiring"],   ["192.0.2.10"],              ["add 192.0.2.10 to pl0"]],
    ["adds the host prefix beside a foreign network prefix",   ["192.0.2.10/24 foreign"],    ["192.0.2.10"],              ["add 192.0.2.10 to pl0"]],
    ["asks once for what is wanted twice",                     [],                           ["192.0.2.10", "192.0.2.10"], ["add 192.0.2.10 to pl0"]]
  ])("in steady state it %s", (_, has, addresses, expected) => {
    assert.deepStrictEqual(changesOf({ network: usual(has), wanted: addresses.map((each) => wanted(each)) }), expected)
  })

  // oxfmt-ignore
  it.each([
    // name                                                     on pl0                                          wanted          changes
    ["removes every global address that is not held",           ["192.0.2.77/32 foreign", "203.0.113.1/24 foreign"], [],        ["remove 192.0.2.77/32 from pl0", "remove 203.0.113.1/24 from pl0"]],
    ["removes IPv6 too",                                        ["2001:db8::77/64 foreign"],                    [],             ["remove 2001:db8::77/64 from pl0"]],
    ["leaves link-local and host addresses",                    ["fe80::1/64 foreign", "169.254.1.1/16 foreign", "10.9.9.9/32 host"], [], []],
    ["keeps what is held",                                      ["192.0.2.10/32", "192.0.2.77/32 foreign"],     ["192.0.2.10"], ["remove 192.0.2.77/32 from pl0"]],
    ["removes another prefix of what is held after it is added", ["192.0.2.10/24 foreign"],                     ["192.0.2.10"], ["add 192.0.2.10 to pl0", "remove 192.0.2.10/24 from pl0"]],
    ["takes over v0.4's address without a change",              ["192.0.2.10/32"],                              ["192.0.2.10"], []]
  ])("at start-up with cleaning of all it %s", (_, has, addresses, expected) => {
    const options = { network: usual(has), wanted: addresses.map((each) => wanted(each)), phase: "startup" as const }
    assert.deepStrictEqual(changesOf(options), expected)
  })

  const foreign = { network: usual(["192.0.2.77/32 foreign", "192.0.2.20/32"]), phase: "startup" as const }
  const onlyOurs = ["remove 192.0.2.20/32 from pl0"]
  const cleanings: ReadonlyArray<readonly [string, Partial<Input>, ReadonlyArray<string>]> = [
    ["cleaning of ours", { pools: [{ ...pool, startupCleaning: "ours" }] }, onlyOurs],
    ["two pools of which one asks for ours", { pools: [pool, { ...pool, startupCleaning: "ours" }] }, onlyOurs],
    ["mode uplink", { pools: [{ ...pool, mode: "uplink" }] }, onlyOurs],
    ["no pool that names the interface", { pools: [] }, onlyOurs],
    ["the node's own address on it", { nodeAddresses: [a("192.0.2.77")] }, onlyOurs],
    ["a default route through it", { network: { ...foreign.network, defaultRouteInterfaces: ["pl0"] } }, onlyOurs],
    ["cleaning of all", {}, [...onlyOurs, "remove 192.0.2.77/32 from pl0"]]
  ]
  it.each(cleanings)("at start-up with %s", (_, options, expected) => {
    assert.deepStrictEqual(changesOf({ ...foreign, ...options }), expected)
  })

  it("removes our label from any interface, as v0.4 does, also one that no pool names", () => {
    const facts = network({ pl0: {}, old0: { has: ["192.0.2.10/32", "192.0.2.11/32 foreign"] }, eth0: {} })
    assert.deepStrictEqual(changesOf({ network: facts, pools: [] }), ["remove 192.0.2.10/32 from old0"])
  })

  it("moves an address to the interface that its pool names now, and answers throughout", () => {
    const facts = network({ pl0: {}, old0: { has: ["192.0.2.10/32", "192.0.2.20/32"] }, eth0: {} })
    assert.deepStrictEqual(changesOf({ network: facts, wanted: [wanted("192.0.2.10")] }), [
      "remove 192.0.2.20/32 from old0",
      "add 192.0.2.10 to pl0",
      "remove 192.0.2.10/32 from old0"
    ])
  })

  it("knows an address without label as ours after its interface was renamed, but not the same one elsewhere", () => {
    const facts = network({
      eth0: {},
      br7: { kind: "bridge", has: ["192.0.2.10/32 renamed"] },
      "kube-ipvs0": { has: ["192.0.2.10/32 foreign"] }
    })
    assert.deepStrictEqual(changesOf({ network: facts }), ["remove 192.0.2.10/32 from br7"])
  })

  it("knows IPv6 addresses and those on long interface names, which have no label, by their metric", () => {
    const facts = network({
      plenus012345: { has: ["192.0.2.10/32", "192.0.2.11/32 foreign"] },
      eth0: { has: ["2001:db8::10/128", "2001:db8::11/128 foreign"] }
    })
    assert.deepStrictEqual(changesOf({ network: facts }), [
      "remove 192.0.2.10/32 from plenus012345",
      "remove 2001:db8::10/128 from eth0"
    ])
  })

  it("knows what somebody put anew without our mark where it is remembered, and nowhere else", () => {
    const has = ["192.0.2.10/32 foreign"]
    const remembered = [{ address: a("192.0.2.10"), interfaceName: "pl0", interfaceIndex: 0 }]
    const before = network({ pl0: { has }, "kube-ipvs0": { has }, eth0: {} })
    assert.deepStrictEqual(changesOf({ network: before }), [])
    assert.deepStrictEqual(changesOf({ network: before, remembered }), ["remove 192.0.2.10/32 from pl0"])
    const renamed = network({ br7: { has }, "kube-ipvs0": { has }, eth0: {} })
    assert.deepStrictEqual(changesOf({ network: renamed, remembered }), ["remove 192.0.2.10/32 from br7"])
  })

  it("touches nothing on the uplink but ours", () => {
    const onUplink = { interfaceName: "eth0", mode: "uplink" as const }
    const facts = usual([], ["192.0.2.20/32", "192.0.2.30/32 foreign", "2001:db8::1/64 foreign"])
    const options = { network: facts, pools: [{ ...pool, ...onUplink }], phase: "startup" as const }
    assert.deepStrictEqual(changesOf({ ...options, wanted: [wanted("2001:db8::10", onUplink)] }), [
      "remove 192.0.2.20/32 from eth0",
      "add 2001:db8::10 to eth0"
    ])
  })
})

describe("InterfacePlan.plan: mode and refusals", () => {
  const eth0 = { interfaceName: "eth0" }
  const cards = network({
    pl0: {},
    br0: { kind: "bridge", ports: ["eth2"] },
    eth0: { has: ["198.51.100.2/24 foreign"] },
    eth1: { has: ["10.0.0.5/24 foreign"] },
    down0: { kind: "bridge", up: false }
  })
  const strict = { ...cards, arpIgnore: { eth0: 1, pl0: 1 } }
  const mute = { ...cards, arpIgnore: { eth0: 8 } }
  const ipvs = network({ pl0: {}, eth0: {}, "kube-ipvs0": { up: false } }, { eth0: 0 })
  // oxfmt-ignore
  const cases: ReadonlyArray<readonly [string, NetworkFacts, Wanted, string]> = [
    // name                                                       network  wanted                                                    verdict
    ["auto is bridge on an empty bridge",                         cards,   wanted("192.0.2.10"),                                     "bridge, announced on eth0"],
    ["auto announces on the uplinks of the pool",                 cards,   wanted("192.0.2.10", { uplinks: ["eth1"] }),              "bridge, announced on eth1"],
    ["auto is uplink where the pool names the uplink",            cards,   wanted("192.0.2.10", eth0),                               "uplink, announced on eth0"],
    ["auto is uplink there with strictARP too",                   strict,  wanted("192.0.2.10", eth0),                               "uplink, announced on eth0"],
    ["auto is uplink there for IPv6",                             cards,   wanted("2001:db8::10", eth0),                             "uplink, announced on eth0"],
    ["auto is uplink on a card that is named as uplink",          cards,   wanted("192.0.2.10", { interfaceName: "eth1", uplinks: ["eth1"] }), "uplink, announced on eth1"],
    ["auto refuses another card with an address of the node",     cards,   wanted("192.0.2.10", { interfaceName: "eth1" }),          "InterfaceCarriesNodeAddress"],
    ["auto refuses a bridge with ports that is no uplink",        cards,   wanted("192.0.2.10", { interfaceName: "br0" }),           "InterfaceHasPorts"],
    ["auto refuses an empty bridge with strictARP",               strict,  wanted("192.0.2.10"),                                     "ArpIgnoreBlocksBridge"],
    ["auto refuses IPv6 on an empty bridge",                      cards,   wanted("2001:db8::10"),                                   "BridgeCannotServeIPv6"],
    ["bridge refuses the interface of the default route",         cards,   wanted("192.0.2.10", { ...eth0, mode: "bridge" }),        "InterfaceIsDefaultRoute"],
    ["bridge refuses a card with an address of the node",         cards,   wanted("192.0.2.10", { interfaceName: "eth1", mode: "bridge" }), "InterfaceCarriesNodeAddress"],
    ["bridge takes a bridge with ports",                          cards,   wanted("192.0.2.10", { interfaceName: "br0", mode: "bridge" }), "bridge, announced on eth0"],
    ["bridge refuses strictARP",                                  strict,  wanted("192.0.2.10", { mode: "bridge" }),                 "ArpIgnoreBlocksBridge"],
    ["bridge refuses IPv6",                                       cards,   wanted("2001:db8::10", { mode: "bridge" }),               "BridgeCannotServeIPv6"],
    ["uplink takes the interface that it names, route or not",    cards,   wanted("192.0.2.10", { interfaceName: "eth1", mode: "uplink" }), "uplink, announced on eth1"],
    ["uplink refuses an interface that is not among its uplinks", cards,   wanted("192.0.2.10", { mode: "uplink", uplinks: ["eth0"] }), "InterfaceIsNoUplink"],
    ["an uplink that answers nobody is refused",                  mute,    wanted("192.0.2.10", eth0),                               "ArpIgnoreBlocksUplink"],
    ["an uplink that answers nobody serves no bridge either",     mute,    wanted("192.0.2.10"),                                     "ArpIgnoreBlocksUplink"],
    ["an uplink that answers nobody by ARP serves IPv6",          mute,    wanted("2001:db8::10", eth0),                             "uplink, announced on eth0"],
    ["another uplink that answers nobody does not concern it",    mute,    wanted("192.0.2.10", { uplinks: ["eth1"] }),              "bridge, announced on eth1"],
    ["a routed address needs no answer to ARP",                   mute,    wanted("192.0.2.10", { isRouted: true }),                 "bridge, announced on "],
    ["a missing interface is refused",                            cards,   wanted("192.0.2.10", { interfaceName: "pl7" }),           "InterfaceMissing"],
    ["an interface that is down is refused",                      cards,   wanted("192.0.2.10", { interfaceName: "down0" }),         "InterfaceDown"],
    ["an address of the node itself is refused",                  cards,   wanted("198.51.100.2"),                                   "AddressIsNodeAddress"],
    ["IPVS without strictARP is refused",                         ipvs,    wanted("192.0.2.10"),                                     "IPVSWithoutStrictARP"],
    ["IPVS without strictARP is refused on the uplink too",       ipvs,    wanted("192.0.2.10", eth0),                               "IPVSWithoutStrictARP"],
    ["IPVS with strictARP serves on the uplink",                  { ...ipvs, arpIgnore: { eth0: 1 } }, wanted("192.0.2.10", eth0),  "uplink, announced on eth0"],
    ["IPVS does not concern IPv6",                                ipvs,    wanted("2001:db8::10", eth0),                             "uplink, announced on eth0"],
    ["a routed IPv6 address lies on an empty bridge",             cards,   wanted("2001:db8::10", { isRouted: true }),               "bridge, announced on "],
    ["a routed address does so whatever ARP says",                strict,  wanted("192.0.2.10", { isRouted: true, mode: "bridge" }), "bridge, announced on "],
    ["a routed address does so beside IPVS without strictARP",    ipvs,    wanted("192.0.2.10", { isRouted: true }),                 "bridge, announced on "],
    ["a routed address lies on the uplink that auto finds",       cards,   wanted("2001:db8::10", { ...eth0, isRouted: true }),      "uplink, announced on "],
    ["a routed address lies on any card that is called uplink",   cards,   wanted("192.0.2.10", { interfaceName: "eth1", mode: "uplink", isRouted: true }), "uplink, announced on "],
    ["a routed address is refused on a card of the node's",       cards,   wanted("192.0.2.10", { interfaceName: "eth1", isRouted: true }), "InterfaceCarriesNodeAddress"],
    ["a routed address is refused on a missing interface",        cards,   wanted("192.0.2.10", { interfaceName: "pl7", isRouted: true }), "InterfaceMissing"],
    ["a node without default route serves without announcing",    { ...cards, defaultRouteInterfaces: [] }, wanted("192.0.2.10"),   "bridge, announced on "]
  ]
  it.each(cases)("%s", (_, facts, each, expected) => {
    const { changes, held, refusals } = plan(input({ network: facts, wanted: [each] }))
    const seen = [
      ...held.map(({ mode, uplinks }) => `${mode}, announced on ${uplinks.join(" ")}`),
      ...refusals.map(({ reason }) => reason)
    ]
    assert.deepStrictEqual(seen, [expected])
    assert.strictEqual(changes.length, held.length)
  })

  const sentences: ReadonlyArray<readonly [string, NetworkFacts, Wanted]> = [
    ["ip link add pl7 type bridge", cards, wanted("192.0.2.10", { interfaceName: "pl7" })],
    ["net.ipv4.conf.eth0.arp_ignore to 0", strict, wanted("192.0.2.10")],
    ["options.hostNetworkInterface.interfaceName: eth0", cards, wanted("2001:db8::10")],
    ["10.0.0.5/24", cards, wanted("192.0.2.10", { interfaceName: "eth1" })],
    ["ip link set down0 up", cards, wanted("192.0.2.10", { interfaceName: "down0" })],
    ["ipvs.strictARP: true", ipvs, wanted("192.0.2.10")],
    ["net.ipv4.conf.eth0.arp_ignore to 0, or to 1", mute, wanted("192.0.2.10", eth0)],
    ["has the ports eth2", cards, wanted("192.0.2.10", { interfaceName: "br0" })]
  ]
  it.each(sentences)("a refusal says what to write: %s", (remedy, facts, each) => {
    const [refusal] = plan(input({ network: facts, wanted: [each] })).refusals
    assert.include(refusal?.message, remedy)
  })

  it("changes nothing for an address that it refuses, neither on its interface nor elsewhere", () => {
    const facts = {
      ...network({ pl0: { has: ["192.0.2.10/32"] }, old0: { has: ["192.0.2.10/32"] }, eth0: {} }),
      arpIgnore: { eth0: 1 }
    }
    const { changes, refusals } = plan(input({ network: facts, wanted: [wanted("192.0.2.10")], phase: "startup" }))
    assert.deepStrictEqual([changes, refusals.map(({ reason }) => reason)], [[], ["ArpIgnoreBlocksBridge"]])
  })
})

const hostPrefix = (address: Address) => (address.includes(":") ? 128 : 32)

const isMeant = (each: AddressFacts, change: Change): boolean =>
  each.address === change.address &&
  each.prefixLength === (change._tag === "Remove" ? change.prefixLength : hostPrefix(change.address))

/** As the kernel does it: what is added replaces what has the same prefix. */
const applyOne = (facts: NetworkFacts, change: Change): NetworkFacts => ({
  ...facts,
  interfaces: facts.interfaces.map((found) => {
    if (found.name !== change.interfaceName) return found
    const others = found.addresses.filter((each) => !isMeant(each, change))
    const added = `${change.address}/${hostPrefix(change.address)}`
    return { ...found, addresses: change._tag === "Add" ? [...others, addressFacts(found.name, added)] : others }
  })
})

describe("InterfacePlan.plan: properties", () => {
  const names = ["pl0", "eth0", "plenus01234"]
  const addresses = ["192.0.2.10", "192.0.2.11", "198.51.100.2", "2001:db8::10", "fe80::1"]
  const OnInterface = Schema.Struct({
    address: Schema.Literals(addresses),
    kind: Schema.Literals(["ours", "foreign", "expiring", "network"])
  })
  const Scenario = Schema.Struct({
    has: Schema.Struct({
      pl0: Schema.Array(OnInterface),
      eth0: Schema.Array(OnInterface),
      plenus01234: Schema.Array(OnInterface)
    }),
    wanted: Schema.Array(
      Schema.Struct({
        address: Schema.Literals(addresses.slice(0, 4)),
        interfaceName: Schema.Literals([...names, "gone0"]),
        mode: Schema.Literals(["auto", "bridge", "uplink"])
      })
    ),
    startupCleaning: Schema.Literals(["all", "ours"]),
    arpIgnore: Schema.Literals([0, 1]),
    phase: Schema.Literals(["startup", "steady"])
  })
  type Scenario = typeof Scenario.Type

  const inputOf = (scenario: Scenario): Input => {
    const has = (on: Scenario["has"]["pl0"]) =>
      [...new Map(on.map((each) => [each.address + (each.kind === "network"), each])).values()].map(
        ({ address, kind }) => {
          const network = kind === "network"
          if (address === "fe80::1") return "fe80::1/64 foreign"
          return `${address}/${network ? (address.includes(":") ? 64 : 24) : hostPrefix(a(address))} ${network ? "foreign" : kind}`
        }
      )
    const facts = network(
      {
        pl0: { has: has(scenario.has.pl0) },
        eth0: { has: has(scenario.has.eth0) },
        plenus01234: { kind: "bridge", has: has(scenario.has.plenus01234) }
      },
      { eth0: scenario.arpIgnore }
    )
    return input({
      network: facts,
      wanted: scenario.wanted.map(({ address, ...rest }) => wanted(address, rest)),
      pools: names.map((interfaceName): Cleaned => ({
        ...pool,
        interfaceName,
        startupCleaning: scenario.startupCleaning
      })),
      remembered: [{ address: a("2001:db8::10"), interfaceName: "eth0" }],
      phase: scenario.phase
    })
  }

  it.prop("applied to its end, planning again gives nothing", { scenario: Scenario }, ({ scenario }) => {
    const before = inputOf(scenario)
    const settled = { ...before, network: plan(before).changes.reduce(applyOne, before.network) }
    assert.deepStrictEqual(plan(settled).changes.map(render), [])
  })

  it.prop(
    "never removes an address of the node from a card, nor a link-local one",
    { scenario: Scenario },
    ({ scenario }) => {
      for (const change of plan(inputOf(scenario)).changes) {
        if (change._tag === "Add") continue
        assert.notStrictEqual(change.address, a("fe80::1"))
        assert.notStrictEqual(render(change), "remove 198.51.100.2/24 from eth0")
      }
    }
  )

  it.prop(
    "in steady state removes only what is marked as ours or remembered",
    { scenario: Scenario },
    ({ scenario }) => {
      const before = inputOf({ ...scenario, phase: "steady" })
      for (const change of plan(before).changes) {
        if (change._tag === "Add") continue
        const found = before.network.interfaces.find(({ name }) => name === change.interfaceName)?.addresses ?? []
        const marked = found.some(
          ({ address, label, metric }) =>
            address === change.address && (metric === ownMetric || label === `${change.interfaceName}:pllb`)
        )
        assert.isTrue(marked || render(change) === "remove 2001:db8::10/128 from eth0", render(change))
      }
    }
  )

  it.prop("each wanted address is either held or refused", { scenario: Scenario }, ({ scenario }) => {
    const { held, refusals } = plan(inputOf(scenario))
    const places = new Set(scenario.wanted.map(({ address, interfaceName }) => `${address} ${interfaceName}`))
    assert.strictEqual(held.length + refusals.length, places.size)
  })
})
