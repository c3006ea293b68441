/** Texts as nftables 1.0.6 and iproute2 6.1 print them, shortened. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { hasBpfFilter, hasLegacyNat, linksIn } from "../../../../src/live/linux/PacketPathReader.ts"

describe("PacketPathReader", () => {
  // oxfmt-ignore
  it.each([
    ["IPv4",          "/proc/net/dev:Inter-|   Receive  |  Transmit\n/proc/net/ip_tables_names:nat\n",      true],
    ["IPv6",          "/proc/net/ip6_tables_names:nat\n/proc/net/dev:Inter-|   Receive  |  Transmit\n",     true],
    ["none",          "/proc/net/dev:Inter-|   Receive                                    |  Transmit\n",   false]
  ])("finds the nat table of iptables-legacy: %s", (_, text, expected) => {
    assert.strictEqual(hasLegacyNat(text), expected)
  })

  // oxfmt-ignore
  it.each([
    ["a program",             '[{"ifindex":2,"ifname":"up0","flags":["UP"],"xdp":{"mode":1,"prog":{"id":97,"name":"x","jited":1},"attached":[]}}]', [{ name: "up0", hasXdp: true }]],
    ["none",                  '[{"ifindex":2,"ifname":"up0","flags":["UP"],"qdisc":"noop"}]',                                                       [{ name: "up0", hasXdp: false }]],
    ["what a filter dropped", '[{},{"ifindex":2,"ifname":"up0","flags":[]}]',                                            [{ name: "up0", hasXdp: false }]]
  ])("reads XDP from ip: %s", (_, text, expected) => {
    assert.deepStrictEqual(Effect.runSync(linksIn(text)), expected)
  })

  // oxfmt-ignore
  it.each([
    ["an eBPF program",        '[{"protocol":"all","kind":"bpf","chain":0,"options":{"direct-action":true}}]', true],
    ["another kind of filter", '[{"protocol":"ip","kind":"u32","chain":0}]',                                   false],
    ["none",                   "[]",                                                                           false],
    ["nothing",                "",                                                                             false]
  ])("reads filters of tc: %s", (_, text, expected) => {
    assert.strictEqual(Effect.runSync(hasBpfFilter(text)), expected)
  })
})
