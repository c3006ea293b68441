/**
 * Tools of versions that nobody has tried, as scripts in their place: what iproute2 6.1, nftables 1.0.6 and socat 1.7.4 print,
 * mangled. Nothing of it may be taken for a state of the kernel that it is not, and each error must tell a person what it is.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { parse } from "../../../../src/domain/Address.ts"
import { make, type Options } from "../../../../src/live/linux/LinuxNodeNetwork.ts"
import type { NodeNetwork, NodeNetworkError } from "../../../../src/ports/NodeNetwork.ts"

const folder = mkdtempSync(join(tmpdir(), "plenuslb-tools-"))
afterAll(() => rmSync(folder, { recursive: true }))

let written = 0
/** Answers `-V` as its version, anything else by the script. */
const toolOf = (version: string, script: string): string => {
  const path = join(folder, `tool${++written}`)
  writeFileSync(path, `#!/bin/sh\n[ "$1" = -V ] && { echo 'by its author'; echo '${version}'; exit; }\n${script}\n`, {
    mode: 0o755
  })
  return path
}

const printing = (text: string) => `cat <<'END'\n${text}\nEND`

const addressOf = (text: string) => Result.getOrThrow(parse(text))

type Network = NodeNetwork["Service"]
type Tools = NonNullable<Options["tools"]>

const ask = <A>(tools: Tools, call: (network: Network) => Effect.Effect<A, NodeNetworkError>) =>
  Effect.scoped(Effect.flatMap(make({ tools }), call))

/** What a person must find in it: which tool, which version of it, what it was asked, and what is to be done. */
const assertTells = (message: string, parts: ReadonlyArray<string>) => {
  for (const part of [...parts, "printed what is not understood", "Expected: ", "from PlenusLB's own image"]) {
    assert.include(message, part)
  }
}

const lo = `{"ifindex":1,"ifname":"lo","flags":["LOOPBACK"],"addr_info":[]}`
const pl0 = (addresses: string) =>
  `{"ifindex":2,"ifname":"pl0","flags":["UP"],"address":"56:b4:8c:33:48:13","addr_info":[${addresses}]}`
const ipOf = (addresses: string, routes = "[]") =>
  toolOf(
    "ip utility, iproute2-9.9.0",
    `case "$*" in *address*) ${printing(addresses)}\n;; *) ${printing(routes)}\n;; esac`
  )
const ourOwn = { grep: toolOf("grep 3.8", "echo /proc/sys/net/ipv4/conf/all/arp_ignore:0") }

const remove = (text: string) => (network: Network) =>
  network.removeAddress({ address: addressOf(text), interfaceName: "pl0" })

describe("ip of another version", () => {
  // oxfmt-ignore
  it.live.each<[string, string, string, string]>([
    ["prints text before its JSON",        `Warning: netlink\n[${lo}]`,                                                    "[]",       "JSON"],
    ["prints nothing, and ends well",      "",                                                                              "[]",       "no interface at all"],
    ["prints an error, and ends well",     "Object \"address\" is unknown, try \"ip help\".",                               "[]",       "JSON"],
    ["lists interfaces by another name",   `[{"index":1,"name":"lo"}]`,                                                     "[]",       "an interface without ifname"],
    ["prints no index",                    `[{"ifname":"lo","flags":[],"addr_info":[]}]`,                                   "[]",       "interface lo has no ifindex"],
    ["prints no flags",                    `[{"ifname":"lo","ifindex":1,"addr_info":[]}]`,                                  "[]",       "interface lo has no flags"],
    ["prints no addresses",                `[{"ifname":"lo","ifindex":1,"flags":[]}]`,                                      "[]",       "without addr_info"],
    ["lists addresses by another name",    `[${lo},${pl0(`{"inet":"192.0.2.10/32"}`)}]`,                                    "[]",       "interface pl0 has an address without"],
    ["has an address without its length",  `[${lo},${pl0(`{"family":"inet","local":"192.0.2.10/32"}`)}]`,                   "[]",       "interface pl0 has an address without"],
    ["prints one object and not a list",   `{"links":[]}`,                                                                  "[]",       "array"],
    ["prints routes as text",              `[${lo}]`,                                                                       "default via 198.51.100.1 dev eth0", "route show default"]
  ])("%s", ([, addresses, routes, found]) =>
    Effect.gen(function* () {
      const ip = ipOf(addresses, routes)
      const { message } = yield* Effect.flip(ask({ ...ourOwn, ip }, ({ state }) => state))
      assertTells(message, [`"${ip} -j`, "iproute2-9.9.0", found])
    })
  )

  // oxfmt-ignore
  it.live.each<[string, string]>([
    ["has fields that nobody knows",        `[{"ifindex":1,"ifname":"lo","flags":[],"new":{"a":[1]},"addr_info":[{"family":"inet","local":"192.0.2.10","prefixlen":32,"proto":"kernel_lo"}]}]`],
    ["lists addresses of other families",   `[{"ifindex":1,"ifname":"lo","flags":[],"addr_info":[{"family":"mctp","addr":8},{"family":"inet","local":"192.0.2.10","prefixlen":32}]}]`],
    ["leaves {} for what a filter dropped", `[{},{"ifindex":1,"ifname":"lo","flags":[],"addr_info":[{},{"family":"inet","local":"192.0.2.10","prefixlen":32}]}]`]
  ])("is read all the same when it %s", ([, addresses]) =>
    Effect.gen(function* () {
      const { interfaces } = yield* ask({ ...ourOwn, ip: ipOf(addresses) }, ({ state }) => state)
      assert.deepStrictEqual(interfaces.map((each) => each.addresses.map(({ address }) => String(address))), [["192.0.2.10"]])
    })
  )

  it.live("is not believed to have found no address when it names none of the lines that failed", () =>
    Effect.gen(function* () {
      const ip = toolOf("iproute2-9.9.0", "cat >/dev/null; echo 'Error: ipv4: Address not found. (line 1)' >&2; exit 1")
      const both = yield* ask({ ip }, (network) =>
        Effect.all(
          ["192.0.2.10", "192.0.2.11"].map((each) => Effect.result(remove(each)(network))),
          { concurrency: "unbounded" }
        )
      )
      for (const result of both) {
        assert.include(Result.isFailure(result) ? result.failure.message : "succeeded", "not understood")
      }
    })
  )

  it.live("is not asked for its version in vain: a tool that does not tell is still named", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(
        ask({ ...ourOwn, ip: toolOf("none", "echo busybox") }, ({ state }) => state)
      )
      assertTells(message, ["Its version: unknown"])
    })
  )
})

describe("grep of another version", () => {
  it.live("that prints no file names says nothing of arp_ignore, which is not 0 for that", () =>
    Effect.gen(function* () {
      const tools = { ip: ipOf(`[${lo}]`), grep: toolOf("BusyBox v1.36.1", "echo 8") }
      assertTells((yield* Effect.flip(ask(tools, ({ state }) => state))).message, ["BusyBox v1.36.1", ": 8."])
    })
  )
})

const listing = (...objects: ReadonlyArray<string>) =>
  `{"nftables":[{"metainfo":{"version":"1.9.9"}},${objects.join(",")}]}`
const table = `{"table":{"family":"inet","name":"plenuslb","handle":1}}`
const set = (name: string, elements: string) => `{"set":{"name":"${name}","table":"plenuslb","elem":${elements}}}`
const nftOf = (script: string) => toolOf("nftables v1.9.9 (Somebody)", script)

/** `$line` is the transaction, `$word` its confirmation. */
const interactive = (answer: string) => nftOf(`while read -r line && read -r word; do ${answer}\necho "    ^"; done`)
const confirmed = `echo "Error: syntax error, unexpected newline, expecting string"; echo "$word"`

describe("nft of another version", () => {
  // oxfmt-ignore
  it.live.each<[string, string, string]>([
    ["prints text before its JSON",          `Warning: x\n${listing(table)}`,                                    "JSON"],
    ["prints nothing, and ends well",        "",                                                                 "JSON"],
    ["lists no table where it ends well",    listing(set("owner", "[1]")),                                       "no table plenuslb"],
    ["prints elements as objects",           listing(table, set("owner", `[{"mark":1}]`)),                       "elem"],
    ["prints a mark in words",               listing(table, set("ticket", `["blue"]`)),                          `the element "blue"`],
    ["prints addresses by their names",      listing(table, set("managed4", `[{"elem":{"val":"web.example"}}]`)), `the element "web.example"`]
  ])("%s", ([, text, found]) =>
    Effect.gen(function* () {
      const nft = nftOf(printing(text))
      const { message } = yield* Effect.flip(ask({ nft }, ({ fence }) => fence.state))
      assertTells(message, [`"${nft} -j list table`, "nftables v1.9.9 (Somebody)", found])
    })
  )

  it.live("is read all the same with objects and fields that nobody knows, and IPv6 addresses as such", () =>
    Effect.gen(function* () {
      const elements = `["2001:db8::10",{"elem":{"val":"0x20010db8000000000000000000000011","timeout":5,"comment":"x"}}]`
      const nft = nftOf(printing(listing(table, set("managed6", elements), `{"flowtable":{"name":"x"}}`)))
      const state = yield* ask({ nft }, ({ fence }) => fence.state)
      assert.deepStrictEqual(state?.managed.map(String), ["2001:db8::10", "2001:db8::11"])
    })
  )

  // oxfmt-ignore
  it.live.each<[string, string, string]>([
    ["tells of an unknown command in other words", `echo "Error: unknown command"; echo "$word"`,      "unknown command"],
    ["quotes without an error",                    `echo "$word"`,                                     "nothing"]
  ])("is not believed when it %s", ([, answer, found]) =>
    Effect.gen(function* () {
      const nft = interactive(answer)
      const { message } = yield* Effect.flip(ask({ nft }, ({ fence }) => fence.claim("00000001")))
      assertTells(message, [`"${nft} -i"`, "nftables v1.9.9 (Somebody)", found, `"Error: syntax error, unexpected newline"`])
    })
  )

  it.live("that cannot read a transaction to its end has not done it", () =>
    Effect.gen(function* () {
      const nft = interactive(`echo "Error: syntax error, unexpected newline"; echo "$line"; echo "  ^"; ${confirmed}`)
      const { message } = yield* Effect.flip(ask({ nft }, ({ fence }) => fence.claim("00000001")))
      assert.include(message, "syntax error, unexpected newline")
      yield* ask({ nft: interactive(confirmed) }, ({ fence }) => fence.claim("00000001"))
    })
  )

  it.live("whose library is missing has not said that there is no table", () =>
    Effect.gen(function* () {
      const said = "nft: error while loading shared libraries: libnftables.so.1: No such file or directory"
      const nft = join(folder, "broken")
      writeFileSync(nft, `#!/bin/sh\necho '${said}' >&2; exit 127\n`, { mode: 0o755 })
      const { message } = yield* Effect.flip(ask({ nft }, ({ fence }) => fence.state))
      assert.include(message, "libnftables")
    })
  )
})
