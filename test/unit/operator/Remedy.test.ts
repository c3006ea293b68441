import { assert, describe, it } from "@effect/vitest"
import { InterfaceMissing, NodeNetworkError, NotPermitted, ToolFailed } from "../../../src/ports/NodeNetwork.ts"
import { remedyFor } from "../../../src/operator/Remedy.ts"

const failed = (message: string, method: NodeNetworkError["method"] = "state", tool = "ip") =>
  new NodeNetworkError({ method, reason: new ToolFailed({ tool, message }) })
const forbidden = new NotPermitted({ message: "nft: Operation not permitted" })

describe("what is to be done about a node's network", () => {
  // oxfmt-ignore
  it.each<[string, NodeNetworkError, string | undefined]>([
    ["without NET_ADMIN",              new NodeNetworkError({ method: "fence", reason: forbidden }),                              "NET_ADMIN"],
    ["where a disk is full",           failed("write error: No space left on device (exit code 1)"),                              "make room"],
    ["where no process starts",        failed("did not start: spawn ip EAGAIN"),                                                  "make room"],
    ["without the tool",               failed("did not start: spawn conntrack ENOENT", "forgetFlows", "conntrack"),               "has conntrack"],
    ["without nft",                    failed("sh: 1: exec: nft: not found (refused)", "fence", "nft"),                           "has nft"],
    ["without nf_tables",              failed("mnl.c:52: Unable to initialize Netlink socket: Protocol not supported", "fence"), "nf_tables"],
    ["without a family of nf_tables",  failed("Error: Could not process rule: Operation not supported (refused)", "fence"),       "inet and arp"],
    ["of another version, in itself",  failed("printed what is not understood for ...", "fence", "nft"),                          undefined],
    ["that is out of breath",          failed("did not confirm a transaction within 2000 ms", "fence", "nft"),                    undefined],
    ["whose interface went away",      new NodeNetworkError({ method: "addAddress", reason: new InterfaceMissing({ interfaceName: "pl0" }) }), undefined]
  ])("%s", (_, error, expected) => {
    const remedy = remedyFor(error)
    if (expected === undefined) assert.isUndefined(remedy)
    else assert.include(remedy, expected)
  })
})
