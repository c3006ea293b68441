/** What the kernels know of UDP flows to an address that moves. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { nodes } from "../../../src/api/Node.ts"
import { carriers, createPool, createService, run, start, threeNodes } from "./Acting.ts"
import { address } from "./TestCluster.ts"

const moved = address("192.0.2.10")
const exclude = "node.kubernetes.io/exclude-from-external-load-balancers"

/** Serves, lets every kernel track flows to the address, and has the holder excluded; what they know then, by node. */
const flowsAfterMove = (flushConntrack: boolean) =>
  Effect.gen(function* () {
    const { cluster } = yield* start()
    const hostNetworkInterface = { addAddressesToInterface: true, interfaceName: "pl0", flushConntrack }
    yield* createPool(cluster, "rack-1", { options: { hostNetworkInterface } })
    yield* createService(cluster, "web")
    yield* Effect.sleep("3 seconds")
    for (const node of threeNodes) {
      for (const protocol of ["tcp", "udp"] as const) cluster.kernel(node).track({ protocol, to: moved })
    }
    const [former = ""] = carriers(cluster, moved)
    yield* cluster.api.patch(nodes, { name: former }, { metadata: { labels: { [exclude]: "" } } })
    yield* Effect.sleep("3 seconds")
    const [holder = ""] = carriers(cluster, moved)
    const known = (node: string) =>
      cluster
        .kernel(node)
        .flows()
        .map(({ protocol }) => protocol)
        .join(" ")
    const [other = ""] = threeNodes.filter((node) => node !== former && node !== holder)
    assert.notStrictEqual(holder, former)
    return { former: known(former), holder: known(holder), other: known(other) }
  })

describe("UDP flows to an address that moves", () => {
  it("are forgotten by the node that it leaves and by the one that it comes to; TCP stays", () => {
    assert.deepStrictEqual(run(flowsAfterMove(true)), { former: "tcp", holder: "tcp", other: "tcp udp" })
  })

  it("are kept where the pool says so", () => {
    assert.deepStrictEqual(run(flowsAfterMove(false)), { former: "tcp udp", holder: "tcp udp", other: "tcp udp" })
  })
})
