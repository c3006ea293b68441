import { Effect } from "effect"
import { Result } from "effect"
import { parse } from "../../../src/domain/Address.ts"
import type { DefaultRoute } from "../../../src/memory/network/MemoryNode.ts"
import * as MemoryNodeNetwork from "../../../src/memory/network/MemoryNodeNetwork.ts"
import { fenceSuite } from "./fenceSuite.ts"
import { flowSuite } from "./flowSuite.ts"
import { packetPathSuite } from "./packetPathSuite.ts"
import { probeSuite } from "./probeSuite.ts"
import { nodeNetworkSuite } from "./suite.ts"
import type { World } from "./World.ts"

const nodeAddresses = [
  { address: Result.getOrThrow(parse("198.51.100.2")), prefixLength: 24, scope: "global", label: "up0" },
  { address: Result.getOrThrow(parse("2001:db8:ffff::2")), prefixLength: 64, scope: "global" }
]

const makeWorld = Effect.sync((): World => {
  let nowMillis = 0
  const foreign = new Map<string, string>()
  const node = MemoryNodeNetwork.make({
    kernelMillis: () => nowMillis,
    onProbe: (address, uplink) => [foreign.get(`${uplink} ${address}`) ?? []].flat(),
    interfaces: [{ name: "pl0", kind: "bridge" }, { name: "up0", addresses: nodeAddresses }, { name: "up1" }]
  })
  node.setKubeProxy("missing")
  let routes: ReadonlyArray<DefaultRoute> = []
  return {
    network: node.network,
    unprivileged: Effect.sync(() => (node.setPermitted(false), node.network)),
    toolless: Effect.sync(() => (node.setToolFailure("did not start: ENOENT"), node.network)),
    listen: (uplink) =>
      Effect.sync(() => {
        let taken = node.announcements().length
        const take = (count: number) =>
          Effect.sync(() => {
            const heard = node
              .announcements()
              .slice(taken)
              .filter((each) => each.uplink === uplink)
            taken = node.announcements().length
            return heard.slice(0, count).map(({ address, mac }) => ({ address, mac }))
          })
        return { take }
      }),
    seek: (address) =>
      Effect.sync(() => {
        const isHere = node.state().interfaces.some((each) => each.addresses.some((found) => found.address === address))
        const isServed = isHere && !node.fence.blocks(address, "up0", nowMillis)
        return { isAnswered: isServed, isAccepted: isServed }
      }),
    foreignHost: (uplink, address) =>
      Effect.sync(() => {
        foreign.set(`${uplink} ${address}`, "02:00:00:00:00:99")
        return "02:00:00:00:00:99"
      }),
    foreignLeaves: (uplink, address) => Effect.sync(() => void foreign.delete(`${uplink} ${address}`)),
    track: (protocol, to) => Effect.sync(() => node.track({ protocol, to })),
    flows: Effect.sync(() => node.flows().map(({ protocol, to }) => `${protocol} ${to}`)),
    until: (condition) =>
      Effect.repeat(condition, { while: (isSo) => (isSo ? false : (nowMillis++, true)) }).pipe(Effect.asVoid),
    flushRuleset: Effect.sync(() => node.fence.remove()),
    foreignUnmanages: (address) => Effect.sync(() => node.fence.unmanage(address)),
    foreignAdd: (name, address) => Effect.sync(() => node.foreignAdd(name, address)),
    foreignDelete: (name, address, prefixLength) => Effect.sync(() => node.foreignDelete(name, address, prefixLength)),
    createBridge: (name) => Effect.sync(() => node.createInterface({ name, kind: "bridge" })),
    createUplink: (name) => Effect.sync(() => node.createInterface({ name })),
    deleteInterface: (name) => Effect.sync(() => node.deleteInterface(name)),
    renameInterface: (from, to) => Effect.sync(() => node.renameInterface(from, to)),
    setUp: (name, up) => Effect.sync(() => node.setUp(name, up)),
    attachPort: (port, bridge) => Effect.sync(() => node.attachPort(port, bridge)),
    setArpIgnore: (name, value) => Effect.sync(() => node.setArpIgnore(name, value)),
    setRpFilter: (name, value) => Effect.sync(() => node.setRpFilter(name, value)),
    kubeProxyRuns: () => Effect.sync(() => node.setKubeProxy("found")),
    attachTcProgram: (name) => Effect.sync(() => node.setPrograms(name, ["tc"])),
    addDefaultRoute: (interfaceName, _, metric) =>
      Effect.sync(() => {
        routes = [...routes, { interfaceName, metric }]
        node.setDefaultRoutes(routes)
      })
  }
})

nodeNetworkSuite("the in-memory twin", makeWorld)
fenceSuite("the in-memory twin", makeWorld)
probeSuite("the in-memory twin", makeWorld)
packetPathSuite("the in-memory twin", makeWorld)
flowSuite("the in-memory twin", makeWorld)
