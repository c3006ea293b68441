/**
 * How a neighbour finds an address. What comes after it on the same wire tells that it was too late for an answer: nothing
 * waits for a time-out. Counters of the node's packet filter, behind the fence, tell what was accepted.
 */
import { Effect } from "effect"
import { type Address, familyOf } from "../../../src/domain/Address.ts"
import { type Namespaces, runIn } from "./Namespaces.ts"
import type { Found } from "./World.ts"

const sought = "9"
const own = { IPv4: "198.51.100.2", IPv6: "2001:db8:ffff::2" } as const
const clients = ["198.51.100.3/24", "2001:db8:ffff::3/64"]
const device = "peer-up0"
const [soughtPort, ownPort] = [sought, "10"]

const counters = `
table inet seeking {
  counter sought {}
  counter own {}
  chain accepted {
    type filter hook input priority 100; policy accept;
    udp dport ${soughtPort} counter name sought
    udp dport ${ownPort} counter name own
  }
}`

const prepare = ({ node, peer }: Namespaces): void => {
  for (const each of clients) runIn(peer, ["ip", "address", "replace", each, "dev", device, "nodad"])
  runIn(node, ["sh", "-c", `nft delete table inet seeking 2>/dev/null; nft '${counters}'`])
}

const send = ({ peer }: Namespaces, address: string, port: string): void => {
  const target = address.includes(":") ? `UDP6-SENDTO:[${address}]:${port}` : `UDP4-SENDTO:${address}:${port}`
  runIn(peer, ["sh", "-c", `echo x | socat -u STDIN ${target}`])
}

const macKnownFor = ({ peer }: Namespaces, address: string): string | undefined =>
  /lladdr (\S+)/.exec(runIn(peer, ["ip", "neigh", "show", "to", address, "dev", device]))?.[1]

const counted = ({ node }: Namespaces, counter: "sought" | "own"): number =>
  Number(/packets (\d+)/.exec(runIn(node, ["nft", "list", "counter", "inet", "seeking", counter]))?.[1])

const eventually = (look: () => boolean) => Effect.repeat(Effect.sync(look), { until: (isSo) => isSo })

export const seek = Effect.fnUntraced(function* (names: Namespaces, address: Address): Effect.fn.Return<Found> {
  const ownAddress = own[familyOf(address)]
  prepare(names)
  runIn(names.peer, ["ip", "neigh", "flush", "dev", device, "nud", "all"])
  send(names, address, soughtPort)
  send(names, ownAddress, ownPort)
  yield* eventually(() => macKnownFor(names, ownAddress) !== undefined)
  const isAnswered = macKnownFor(names, address) !== undefined
  const mac = macKnownFor(names, ownAddress) ?? ""
  runIn(names.peer, ["ip", "neigh", "replace", address, "lladdr", mac, "dev", device, "nud", "permanent"])
  yield* eventually(() => counted(names, "own") > 0)
  prepare(names)
  send(names, address, soughtPort)
  send(names, ownAddress, ownPort)
  yield* eventually(() => counted(names, "own") > 0)
  return { isAnswered, isAccepted: counted(names, "sought") > 0 }
})
