/**
 * `node hetzner-router.ts BASE_URL`, within the lab (`cluster.sh run`): the provider's routing. The lab's client reaches
 * each floating IP of the fake through the node that its `server` names, and through nothing else: whether a node has the
 * address makes no difference to where packets go. Says "following" once that is so, and then each change: `198.18.0.1
 * node2`, or "nowhere". Its own process, so that no test's work delays it; it ends with its standard input.
 */
import { setTimeout as pause } from "node:timers/promises"
import { lanAddressOf, onClient } from "./Lab.ts"

const PERIOD_MILLIS = 50

/** All addresses that the fake gives out, each of which the client would otherwise look for on its LAN. */
const ranges = ["198.18.0.0/15", "2001:db8:1::/48"]

/** A mark of our routes, to find those that a killed one has left. */
const protocol = ["proto", "77"]

const [baseUrl = ""] = process.argv.slice(2)
const url = new URL("/control/routes", baseUrl)
const familyOf = (network: string): "-4" | "-6" => (network.includes(":") ? "-6" : "-4")

interface Route {
  readonly ip: string
  readonly server: string | null
}

const route = (network: string, server: string | null): Promise<string> => {
  const family = familyOf(network)
  const way = server === null ? ["unreachable", network] : [network, "via", lanAddressOf(server, family), "dev", "eth0"]
  return onClient("ip", family, "route", "replace", ...way, ...protocol)
}

const begin = async (): Promise<void> => {
  await end()
  for (const range of ranges) await route(range, null)
  // A node that forwards to a pod elsewhere tells of the shorter way by ICMP redirect (seen here); only the fake may.
  await onClient(
    "sysctl",
    "-qw",
    ...["ipv4.conf.all", "ipv4.conf.eth0", "ipv6.conf.eth0"].map((each) => `net.${each}.accept_redirects=0`)
  )
}

const end = async (): Promise<void> => {
  for (const family of ["-4", "-6"]) await onClient("ip", family, "route", "flush", ...protocol)
}

const held = new Map<string, string>()

/** Unassigned and deleted are the same for packets: the route goes, and what is left is the unreachable range. */
const hold = async (network: string, server: string | undefined): Promise<void> => {
  if (held.get(network) === server) return
  if (server === undefined) await onClient("ip", familyOf(network), "route", "delete", network, ...protocol)
  else await route(network, server)
  if (server === undefined) held.delete(network)
  else held.set(network, server)
  console.log(`${network} ${server ?? "nowhere"}`)
}

const routesOfFake = async (): Promise<ReadonlyArray<Route>> => JSON.parse(await (await fetch(url)).text())

const follow = async (): Promise<void> => {
  const routes = await routesOfFake()
  const wanted = new Map(routes.flatMap(({ ip, server }) => (server === null ? [] : [[ip, server] as const])))
  for (const network of new Set([...held.keys(), ...wanted.keys()])) await hold(network, wanted.get(network))
}

const ending = new AbortController()
const stop = (): void => ending.abort()
process.stdin.resume().once("end", stop).once("close", stop)
process.once("SIGINT", stop).once("SIGTERM", stop)

await begin()
try {
  await follow()
  console.log("following")
  while (!ending.signal.aborted) {
    await pause(PERIOD_MILLIS)
    await follow()
  }
} finally {
  await end()
  // One that a signal ends has its standard input still, which would keep it.
  process.stdin.destroy()
}
