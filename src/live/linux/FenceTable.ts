/**
 * What the fence is in nftables: two tables of ours, since one for IP sees no ARP; a transaction over both is one. Tables and
 * rules as text for nft, contents as changes of sets that need no nft (SetBatch). Pure. Measured on nft 1.0.6:
 *
 * - `add` of an element that is there does not set its timeout anew, so that sets are flushed and filled, in one transaction.
 * - 1,000 elements cost 24-36 ms, and all addresses of a node have the same time left. So no address has a timeout: what is
 *   leased is in a set, and a set of its own, `lease`, says whether that is in force, with one element for each protocol.
 * - The target of a neighbour advertisement has no name before nft 1.0.9. It is taken by its place in the packet, whose type
 *   is a number of 128 bits, and so are the addresses of the sets: in hexadecimal digits.
 * - kube-proxy translates destinations in prerouting, at priority -100 (dstnat); ours is before that, at -300 (raw).
 */
import { Data, Effect, Equal, Result, Schema } from "effect"
import { type Address, byFamily, familyOf, fromBigInt, parse, toHex } from "../../domain/Address.ts"
import type { FenceNonce, FenceRenewal, FenceState, FenceWrite } from "../../ports/KernelFence.ts"
import * as SetBatch from "./SetBatch.ts"

export const families = ["inet", "arp"] as const
const name = "plenuslb"
const inet = `inet ${name}`
const arp = `arp ${name}`

const destination6 = "@nh,192,128"
const advertised6 = "@th,64,128"

/** What may be served, in sets `…4` and `…6`, while the set of that name has the packet's protocol in it. */
const leases = [
  { serving: "serving", lease: "lease" },
  { serving: "apart", lease: "lease_apart" }
] as const

/** A chain for packets about a managed address: what is leased passes. */
const judging = (table: string, chain: string, what: string, family: 4 | 6): ReadonlyArray<string> => [
  ...leases.map(
    ({ lease, serving }) =>
      `add rule ${table} ${chain} ${what} @${serving}${family} ${protocolIn(table)} @${lease} accept`
  ),
  `add rule ${table} ${chain} drop`
]

/** What every packet of a table has: the only kind of constant that a rule can look up in a set. */
const protocolIn = (table: string): string => (table === arp ? "meta protocol" : "meta nfproto")

const chains = [
  { table: inet, chain: "arriving", hook: "hook prerouting priority raw" },
  { table: inet, chain: "leaving", hook: "hook output priority raw" },
  { table: arp, chain: "leaving", hook: "hook output priority filter" }
] as const

const judges = [
  { table: inet, chain: "arriving4", what: "ip daddr", family: 4 },
  { table: inet, chain: "arriving6", what: destination6, family: 6 },
  { table: inet, chain: "advertised6", what: advertised6, family: 6 },
  { table: arp, chain: "leaving4", what: "arp saddr ip", family: 4 }
] as const

/** Idempotent: what is there stays, the rules are written anew. */
export const claim = (owner: FenceNonce): string =>
  [
    `add table ${inet}`,
    `add table ${arp}`,
    `add set ${inet} uplinks { type ifname; }`,
    ...[inet, arp].flatMap((table) => [
      ...["managed", ...leases.map(({ serving }) => serving)].map(
        (each) => `add set ${table} ${each}4 { type ipv4_addr; }`
      ),
      ...leases.map(({ lease }) => `add set ${table} ${lease} { typeof ${protocolIn(table)}; flags timeout; }`)
    ]),
    ...["managed", ...leases.map(({ serving }) => serving)].map(
      (each) => `add set ${inet} ${each}6 { typeof ${advertised6}; }`
    ),
    `add set ${inet} ticket { type mark; flags timeout; }`,
    `add set ${inet} owner { type mark; }`,
    ...chains.map(({ chain, hook, table }) => `add chain ${table} ${chain} { type filter ${hook}; policy accept; }`),
    ...judges.map(({ chain, table }) => `add chain ${table} ${chain}`),
    ...[...chains, ...judges].map(({ chain, table }) => `flush chain ${table} ${chain}`),
    ...judges.flatMap(({ chain, family, table, what }) => judging(table, chain, what, family)),
    `add rule ${inet} arriving iifname @uplinks ip daddr @managed4 goto arriving4`,
    `add rule ${inet} arriving iifname @uplinks meta nfproto ipv6 ${destination6} @managed6 goto arriving6`,
    `add rule ${inet} leaving icmpv6 type nd-neighbor-advert ${advertised6} @managed6 goto advertised6`,
    `add rule ${arp} leaving arp saddr ip @managed4 goto leaving4`,
    `flush set ${inet} ticket`,
    `flush set ${inet} owner`,
    `add element ${inet} owner { 0x${owner} }`
  ].join("; ")

const ofInet = (set: string): SetBatch.SetRef => ({ family: "inet", table: name, set })
const ofArp = (set: string): SetBatch.SetRef => ({ family: "arp", table: name, set })

const markOf = (nonce: FenceNonce): SetBatch.Element => ({
  text: `0x${nonce}`,
  key: SetBatch.native32(Number.parseInt(nonce, 16))
})

/** Whole sets: what was in them goes. */
const replaced = (set: SetBatch.SetRef, elements: ReadonlyArray<SetBatch.Element>): ReadonlyArray<SetBatch.Change> => {
  const flushed = { ...set, act: "flush", elements: [] } as const
  return elements.length === 0 ? [flushed] : [flushed, { ...set, act: "add", elements }]
}

export const putTicket = (ticket: FenceNonce, timeoutMillis: number): ReadonlyArray<SetBatch.Change> =>
  replaced(ofInet("ticket"), [{ ...markOf(ticket), timeoutMillis }])

/**
 * A pool may name anything, and one element that nft refuses is the whole transaction, with the addresses of all pools. The
 * kernel has no longer names, and none with white space.
 */
const isInterfaceName = (text: string): boolean => /^[^"\s]+$/.test(text) && Buffer.byteLength(text) <= 15

/** The kernel keeps 16 bytes of it. A star at the end would be a pattern to nft, which a set of names does not take. */
const nameElement = (interfaceName: string): SetBatch.Element => ({
  text: `"${interfaceName.replace(/\*$/, "\\*")}"`,
  key: Buffer.concat([Buffer.from(interfaceName), Buffer.alloc(16)], 16)
})

/** Addresses in the sets of their family, those of IPv4 in both tables. */
export interface Lists {
  readonly managed: ReadonlyArray<Address>
  readonly serving: ReadonlyArray<Address>
  readonly apart: ReadonlyArray<Address>
}

export const listsOf = ({ apart = [], leased, managed }: FenceWrite): Lists => ({ managed, serving: leased, apart })

export const addressCount = (write: FenceWrite): number => {
  const { apart, managed, serving } = listsOf(write)
  return managed.length + serving.length + apart.length
}

const elementsOf = (list: keyof Lists, addresses: ReadonlyArray<Address>) => {
  const [four, six] = byFamily(addresses)
  const elements4 = four.map(addressElement)
  return [
    { set: ofInet(`${list}4`), elements: elements4 },
    { set: ofArp(`${list}4`), elements: elements4 },
    { set: ofInet(`${list}6`), elements: six.map(addressElement) }
  ]
}

const inEachList = (
  changesOf: (list: keyof Lists) => ReadonlyArray<SetBatch.Change>,
  write: FenceWrite
): ReadonlyArray<SetBatch.Change> => [
  ...byRight(write),
  ...replaced(ofInet("uplinks"), write.uplinks.filter(isInterfaceName).map(nameElement)),
  ...changesOf("managed"),
  ...changesOf("serving"),
  ...changesOf("apart"),
  ...living(write)
]

/** Whatever is there. */
export const write = (write: FenceWrite): ReadonlyArray<SetBatch.Change> => {
  const lists = listsOf(write)
  const rewritten = (list: keyof Lists) =>
    elementsOf(list, lists[list]).flatMap(({ elements, set }) => replaced(set, elements))
  return inEachList(rewritten, write)
}

/** The same where `known` is there: refused whole where something of it is not that has to go. */
export const step = (known: Lists, write: FenceWrite): ReadonlyArray<SetBatch.Change> => {
  const lists = listsOf(write)
  const changesIn = (list: keyof Lists) => {
    const [before, after] = [new Set(known[list]), new Set(lists[list])]
    const [gone, come] = [
      known[list].filter((each) => !after.has(each)),
      lists[list].filter((each) => !before.has(each))
    ]
    return [...changing("delete", list, gone), ...changing("add", list, come)]
  }
  return inEachList(changesIn, write)
}

const changing = (act: "add" | "delete", list: keyof Lists, addresses: ReadonlyArray<Address>) =>
  elementsOf(list, addresses).flatMap(({ elements, set }) => (elements.length === 0 ? [] : [{ ...set, act, elements }]))

const addressElement = (address: Address): SetBatch.Element => {
  const digits = toHex(address)
  return { text: familyOf(address) === "IPv4" ? address : `0x${digits}`, key: Buffer.from(digits, "hex") }
}

export const renew = (renewal: FenceRenewal): ReadonlyArray<SetBatch.Change> => [
  ...byRight(renewal),
  ...living(renewal)
]

/** Comes first: the deletions fail, and all of the transaction with them, when the ticket has expired or the owner is another. */
const byRight = ({ owner, ticket }: FenceRenewal): ReadonlyArray<SetBatch.Change> => [
  { ...ofInet("ticket"), act: "delete", elements: [markOf(ticket)] },
  { ...ofInet("owner"), act: "delete", elements: [markOf(owner)] },
  { ...ofInet("owner"), act: "add", elements: [markOf(owner)] }
]

/** NFPROTO_IPV4 and NFPROTO_IPV6, and ETH_P_ARP. */
const protocols = {
  ipv4: { text: "ipv4", key: Uint8Array.of(2) },
  ipv6: { text: "ipv6", key: Uint8Array.of(10) },
  arp: { text: "arp", key: Uint8Array.of(0x08, 0x06) }
}

const living = ({ apartMillis = 0, leaseMillis }: FenceRenewal): ReadonlyArray<SetBatch.Change> => {
  const lives = { lease: leaseMillis, lease_apart: apartMillis }
  return Object.entries(lives).flatMap(([lease, timeoutMillis]) => {
    const alive = (...all: ReadonlyArray<SetBatch.Element>) =>
      timeoutMillis > 0 ? all.map((each) => ({ ...each, timeoutMillis })) : []
    return [
      ...replaced(ofInet(lease), alive(protocols.ipv4, protocols.ipv6)),
      ...replaced(ofArp(lease), alive(protocols.arp))
    ]
  })
}

export const remove = families
  .flatMap((family) => [`add table ${family} ${name}`, `delete table ${family} ${name}`])
  .join("; ")

const Value = Schema.Union([Schema.String, Schema.Finite])
const Element = Schema.Union([Value, Schema.Struct({ elem: Schema.Struct({ val: Value }) })])
const Listing = Schema.Struct({
  nftables: Schema.Array(
    Schema.Struct({
      table: Schema.optionalKey(Schema.Struct({ name: Schema.String })),
      set: Schema.optionalKey(Schema.Struct({ name: Schema.String, elem: Schema.optionalKey(Schema.Array(Element)) }))
    })
  )
})
const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Listing))

/** It is JSON of the right shape, and says what no version says that is known. */
export class ListingUnclear extends Data.TaggedError("ListingUnclear")<{ readonly message: string }> {}

/** Of one table. */
export interface Table extends FenceState {
  readonly lists: Lists
}

/**
 * What `nft -j list table` prints, of one table. An older version of ours may have made it with fewer sets; what is in a set and
 * cannot be read is an error, since it would be taken for what is not there.
 */
export const decodeTable = (text: string): Effect.Effect<Table, Schema.SchemaError | ListingUnclear> =>
  Effect.flatMap(decode(text), ({ nftables }) => {
    if (!nftables.some(({ table }) => table?.name === name)) return unclear(`no table ${name}`)
    const sets = new Map(nftables.flatMap(({ set }) => (set === undefined ? [] : [[set.name, set.elem ?? []]])))
    const values = (set: string) => (sets.get(set) ?? []).map(valueOf)
    const nonces = [...values("owner"), ...values("ticket")].map((value) => ({ value, read: nonce(value) }))
    const addressesIn = (list: keyof Lists) =>
      familiesOf(list).flatMap(({ read, set }) => values(set).map((value) => ({ value, read: read(value) })))
    const found = { managed: addressesIn("managed"), serving: addressesIn("serving"), apart: addressesIn("apart") }
    const odd = [...nonces, ...Object.values(found).flat()].find(({ read }) => read === undefined)
    if (odd !== undefined) return unclear(`the element ${JSON.stringify(odd.value)}`)
    const known = (list: keyof Lists) => found[list].flatMap(({ read }) => read ?? [])
    const lists: Lists = { managed: known("managed"), serving: known("serving"), apart: known("apart") }
    return Effect.succeed({
      owner: values("owner").map(nonce)[0],
      ticket: values("ticket").map(nonce)[0],
      managed: lists.managed,
      leased: leases.flatMap(({ lease, serving }) => (values(lease).length === 0 ? [] : lists[serving])),
      uplinks: values("uplinks").map(String),
      lists
    })
  })

const unclear = (message: string) => Effect.fail(new ListingUnclear({ message }))

/** Whether the two tables agree on what both have. */
export const isAlike = (inet: Lists, arp: Lists): boolean => {
  const namesOf = ({ apart, managed, serving }: Lists) =>
    [managed, serving, apart].map((list) => byFamily(list)[0].toSorted().join(" "))
  return Equal.equals(namesOf(inet), namesOf(arp))
}

const familiesOf = (kind: string) => [
  { set: `${kind}4`, read: address4 },
  { set: `${kind}6`, read: address6 }
]

type Element = typeof Element.Type

const valueOf = (element: Element): string | number => (typeof element === "object" ? element.elem.val : element)

/** Marks are printed as numbers. */
const nonce = (value: string | number): FenceNonce | undefined => {
  const number = Number(value)
  return Number.isInteger(number) && number >= 0 ? number.toString(16).padStart(8, "0") : undefined
}

const address4 = (value: string | number): Address | undefined => Result.getOrUndefined(parse(String(value)))

/** Hexadecimal, or a number when it is small; as an address where a version should know its place in the packet by name. */
const address6 = (value: string | number): Address | undefined =>
  /^(0x[0-9a-f]+|\d+)$/.test(String(value)) ? fromBigInt("IPv6", BigInt(value)) : address4(value)
