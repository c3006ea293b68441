import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Address from "../../../../src/domain/Address.ts"
import * as MemoryNodeNetwork from "../../../../src/memory/network/MemoryNodeNetwork.ts"

const address = Result.getOrThrow(Address.parse("192.0.2.10"))
const held = { address, prefixLength: 32, scope: "global" }

const newNode = () =>
  MemoryNodeNetwork.make({
    interfaces: [{ name: "eth0" }, { name: "br0", kind: "bridge", addresses: [{ ...held, prefixLength: 24 }] }],
    defaultRoutes: [{ interfaceName: "eth0", metric: 100 }]
  })

describe("MemoryNodeNetwork.state", () => {
  it("is the same object for as long as nothing changes", () => {
    const node = newNode()
    assert.strictEqual(node.state(), node.state())
  })

  // oxfmt-ignore
  it.each<[string, (node: MemoryNodeNetwork.Handle) => void]>([
    ["an interface comes",        (node) => node.createInterface({ name: "eth1" })],
    ["an interface goes",         (node) => node.deleteInterface("br0")],
    ["an interface is renamed",   (node) => node.renameInterface("br0", "br7")],
    ["an interface goes down",    (node) => node.setUp("eth0", false)],
    ["a bridge gets a port",      (node) => node.attachPort("eth0", "br0")],
    ["an address comes",          (node) => node.foreignAdd("eth0", held)],
    ["an address goes",           (node) => node.foreignDelete("br0", address, 24)],
    ["the default route changes", (node) => node.setDefaultRoutes([{ interfaceName: "br0", metric: 1 }])],
    ["arp_ignore changes",        (node) => node.setArpIgnore("all", 1)]
  ])("tells that %s, after it was read before", (_, change) => {
    const node = newNode()
    const before = node.state()
    change(node)
    assert.notDeepEqual(node.state(), before)
  })
})
