/**
 * What the fence is in nftables, as text: two tables of ours, since one for IP sees no ARP; a transaction over both is one.
 * Pure. Measured on nft 1.0.6:
 *
 * - `add` of an element that is there does not set its timeout anew, so that sets are flushed and filled, in one transaction.
 * - The target of a neighbour advertisement has no name before nft 1.0.9. It is taken by its place in the packet, whose type
 *   is a number of 128 bits, and so are the addresses of the sets: in hexadecimal digits.
 * - kube-proxy translates destinations in prerouting, at priority -100 (dstnat); ours is before that, at -300 (raw).
 */
import { Data, Effect, Result, Schema } from "effect"
import { type Address, familyOf, fromBigInt, parse, toHex } from "../../domain/Address.ts"
import type { FenceNonce, FenceState, FenceWrite } from "../../ports/KernelFence.ts"

export const families = ["inet", "arp"] as const
const name = "plenuslb"
const [inet, arp] = families.map((family) => `${family} ${name}`)

const destination6 = "@nh,192,128"
const advertised6 = "@th,64,128"

const dropUnleased = (what: string, family: 4 | 6): string =>
  `${what} @managed${family} ${what} != @leased${family} drop`

/** Idempotent: what is there stays, the rules are written anew. */
export const claim = (owner: FenceNonce): string =>
  [
    `add table ${inet}`,
    `add table ${arp}`,
    `add set ${inet} uplinks { type ifname; }`,
    ...[inet, arp].flatMap((table) => [
      `add set ${table} managed4 { type ipv4_addr; }`,
      `add set ${table} leased4 { type ipv4_addr; flags timeout; }`
    ]),
    `add set ${inet} managed6 { typeof ${advertised6}; }`,
    `add set ${inet} leased6 { typeof ${advertised6}; flags timeout; }`,
    `add set ${inet} ticket { type mark; flags timeout; }`,
    `add set ${inet} owner { type mark; }`,
    `add chain ${inet} arriving { type filter hook prerouting priority raw; policy accept; }`,
    `add chain ${inet} leaving { type filter hook output priority raw; policy accept; }`,
    `add chain ${arp} leaving { type filter hook output priority filter; policy accept; }`,
    `flush chain ${inet} arriving`,
    `flush chain ${inet} leaving`,
    `flush chain ${arp} leaving`,
    `add rule ${inet} arriving iifname @uplinks ${dropUnleased("ip daddr", 4)}`,
    `add rule ${inet} arriving iifname @uplinks meta nfproto ipv6 ${dropUnleased(destination6, 6)}`,
    `add rule ${inet} leaving icmpv6 type nd-neighbor-advert ${dropUnleased(advertised6, 6)}`,
    `add rule ${arp} leaving ${dropUnleased("arp saddr ip", 4)}`,
    `flush set ${inet} ticket`,
    `flush set ${inet} owner`,
    `add element ${inet} owner { 0x${owner} }`
  ].join("; ")

export const putTicket = (ticket: FenceNonce, lifeMillis: number): string =>
  [`flush set ${inet} ticket`, `add element ${inet} ticket { 0x${ticket} timeout ${lifeMillis}ms }`].join("; ")

/** The deletions come first: they fail, and all of it with them, when the ticket has expired or the owner is another. */
export const write = ({ apart, managed, owner, ticket, uplinks, ...rest }: FenceWrite): string => {
  const lives = new Map([rest, ...(apart === undefined ? [] : [apart])].flatMap(livesIn))
  const leasing = (address: Address) => `${elementOf(address)} timeout ${lives.get(address) ?? 0}ms`
  const [managed4, managed6] = byFamily(managed, elementOf)
  const [leased4, leased6] = byFamily([...lives.keys()], leasing)
  return [
    `delete element ${inet} ticket { 0x${ticket} }`,
    `delete element ${inet} owner { 0x${owner} }`,
    `add element ${inet} owner { 0x${owner} }`,
    ...fill(
      `${inet} uplinks`,
      uplinks.map((each) => `"${each}"`)
    ),
    ...[inet, arp].flatMap((table) => [...fill(`${table} managed4`, managed4), ...fill(`${table} leased4`, leased4)]),
    ...fill(`${inet} managed6`, managed6),
    ...fill(`${inet} leased6`, leased6)
  ].join("; ")
}

const livesIn = ({ leased, leaseMillis }: Pick<FenceWrite, "leased" | "leaseMillis">) =>
  leased.map((address) => [address, leaseMillis] as const)

export const remove = families
  .flatMap((family) => [`add table ${family} ${name}`, `delete table ${family} ${name}`])
  .join("; ")

const fill = (set: string, elements: ReadonlyArray<string>): ReadonlyArray<string> => [
  `flush set ${set}`,
  ...(elements.length === 0 ? [] : [`add element ${set} { ${elements.join(", ")} }`])
]

const elementOf = (address: Address): string => (familyOf(address) === "IPv4" ? address : `0x${toHex(address)}`)

const byFamily = (
  addresses: ReadonlyArray<Address>,
  render: (address: Address) => string
): readonly [ReadonlyArray<string>, ReadonlyArray<string>] => [
  addresses.filter((each) => familyOf(each) === "IPv4").map(render),
  addresses.filter((each) => familyOf(each) === "IPv6").map(render)
]

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

/**
 * What `nft -j list table` prints, of one table. An older version of ours may have made it with fewer sets; what is in a set and
 * cannot be read is an error, since it would be taken for what is not there.
 */
export const decodeTable = (text: string): Effect.Effect<FenceState, Schema.SchemaError | ListingUnclear> =>
  Effect.flatMap(decode(text), ({ nftables }) => {
    if (!nftables.some(({ table }) => table?.name === name)) return unclear(`no table ${name}`)
    const sets = new Map(nftables.flatMap(({ set }) => (set === undefined ? [] : [[set.name, set.elem ?? []]])))
    const values = (set: string) => (sets.get(set) ?? []).map(valueOf)
    const nonces = [...values("owner"), ...values("ticket")].map((value) => ({ value, read: nonce(value) }))
    const addresses = [...familiesOf("managed"), ...familiesOf("leased")].flatMap(({ read, set }) =>
      values(set).map((value) => ({ set, value, read: read(value) }))
    )
    const odd = [...nonces, ...addresses].find(({ read }) => read === undefined)
    if (odd !== undefined) return unclear(`the element ${JSON.stringify(odd.value)}`)
    const of = (kind: "managed" | "leased") =>
      addresses.flatMap(({ read, set }) => (set.startsWith(kind) && read !== undefined ? [read] : []))
    return Effect.succeed({
      owner: values("owner").map(nonce)[0],
      ticket: values("ticket").map(nonce)[0],
      managed: of("managed"),
      leased: of("leased"),
      uplinks: values("uplinks").map(String)
    })
  })

const unclear = (message: string) => Effect.fail(new ListingUnclear({ message }))

const familiesOf = (kind: "managed" | "leased") => [
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
