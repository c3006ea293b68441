/** An address that cannot be bought holds up nothing that its Service needs of the cloud besides. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ephemeralIPPools, type EphemeralIPPoolSpec } from "../../../src/api/EphemeralIPPool.ts"
import {
  createEphemeral,
  createService,
  editService,
  floatingIps,
  holderOf,
  isPurchase,
  messageOf,
  routedTo,
  run,
  shown,
  start,
  threeNodes
} from "./CloudCluster.ts"
import type * as TestCluster from "./TestCluster.ts"

const both = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" } as const
const one = { ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack", clusterIPs: null }

const isDelete = ({ route }: { readonly route: string }) => route === "DELETE /floating_ips/{id}"

const startBoth = Effect.fnUntraced(function* (
  spec: Partial<EphemeralIPPoolSpec>,
  prepare: (cluster: TestCluster.TestCluster) => void = () => {}
) {
  const running = yield* start()
  const { cluster } = running
  yield* createEphemeral(cluster, "cloud", spec)
  yield* Effect.sleep("5 seconds")
  prepare(cluster)
  yield* createService(cluster, "web", both)
  yield* Effect.sleep("30 seconds")
  return running
})

const oneIsEnough = (cluster: TestCluster.TestCluster) => {
  let count = 0
  cluster.project.faults.setPolicy((request) => (isPurchase(request) && ++count > 1 ? { badGateway: "before" } : {}))
}

describe("an address that cannot be bought", () => {
  it.each([
    ["that the pool may not buy", { maxAddresses: 1 }, () => {}],
    ["that the provider refuses", {}, oneIsEnough]
  ] as const)("%s does not keep the route of another from following its node", (_, spec, prepare) => {
    run(
      Effect.gen(function* () {
        const { cluster, operators } = yield* startBoth(spec, prepare)
        const [ip = ""] = floatingIps(cluster).map((each) => each.ip)
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
        const before = routedTo(cluster, ip) ?? ""
        yield* operators[threeNodes.indexOf(before)]?.kill ?? Effect.void
        yield* Effect.sleep("15 seconds")
        assert.notStrictEqual(routedTo(cluster, ip), before)
        assert.include(holderOf(cluster, "web") ?? [], routedTo(cluster, ip))
      })
    )
  })

  it("for want of room is bought once the Service's own other one, which takes the room, is given back", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startBoth({ maxAddresses: 2 })
        const [ip] = floatingIps(cluster)
        cluster.project.faults.setPolicy((request) => (isDelete(request) ? { badGateway: "before" } : {}))
        yield* editService(cluster, "web", { spec: one })
        yield* Effect.sleep("5 seconds")
        cluster.project.console.deleteFloatingIp(ip?.id ?? 0)
        yield* cluster.api.patch(ephemeralIPPools, { name: "cloud" }, { spec: { maxAddresses: 1 } })
        yield* Effect.sleep("90 seconds")
        assert.lengthOf(floatingIps(cluster), 1, "the one that is not given back yet")
        assert.include(messageOf(cluster, "web"), "maxAddresses")
        cluster.project.faults.clear()
        yield* Effect.sleep("6 minutes")
        const [next, ...rest] = floatingIps(cluster)
        assert.lengthOf(rest, 0)
        assert.strictEqual(next?.type, "ipv4")
        assert.deepStrictEqual(shown(cluster, "web"), [next?.ip])
      })
    )
  })
})
