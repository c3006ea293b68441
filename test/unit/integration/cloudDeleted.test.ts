/** What somebody deletes in the provider's console is bought anew, or told; on the evidence of a read, never of a list. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import * as ServiceCondition from "../../../src/controller/ServiceCondition.ts"
import {
  allocation,
  conditionOf,
  createEphemeral,
  createPersistent,
  createService,
  floatingIps,
  messageOf,
  routedTo,
  run,
  sayServerIds,
  shown,
  start,
  startServed
} from "./CloudCluster.ts"
import type * as TestCluster from "./TestCluster.ts"

const deleteInConsole = (cluster: TestCluster.TestCluster, ip: string) => {
  const found = floatingIps(cluster).find((each) => each.ip === ip)
  assert.isDefined(found)
  cluster.project.console.deleteFloatingIp(found?.id ?? 0)
}

const servedOf = (cluster: TestCluster.TestCluster, name: string) => {
  const service = cluster.memory.truth.get(services, { namespace: "shop", name })
  return service && ServiceCondition.read(service)
}

const isRead = ({ route }: { readonly route: string }) => route === "GET /floating_ips/{id}"
const isList = ({ route }: { readonly route: string }) => route === "GET /floating_ips"
const isPurchase = ({ route }: { readonly route: string }) => route === "POST /floating_ips"

describe("an address that was bought and is deleted in the console", () => {
  it("is replaced by another one, and shown until that one is served", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed({ maxAddresses: 1 })
        deleteInConsole(cluster, ip)
        const seen: Array<string> = []
        const told = new Set<string>()
        const unsubscribe = cluster.memory.truth.subscribe(() => {
          const now = shown(cluster, "web").join()
          if (seen.at(-1) !== now) seen.push(now)
          const condition = servedOf(cluster, "web")
          told.add(`${condition?.reason} ${condition?.message.includes(ip)}`)
          const [first = ""] = shown(cluster, "web")
          assert.isTrue(first === ip || routedTo(cluster, first) !== undefined, "shown before it is served")
        })
        yield* Effect.sleep("90 seconds")
        const [next = ""] = floatingIps(cluster).map((each) => each.ip)
        assert.notStrictEqual(next, ip)
        assert.deepStrictEqual(seen, [ip, next])
        assert.isTrue(told.has("CloudAddressDeleted true"))
        assert.deepStrictEqual(
          allocation(cluster, "web")?.spec.allocations.map(({ address }) => address),
          [next]
        )
        assert.lengthOf(cluster.project.truth.purchases(), 2)
        assert.strictEqual(conditionOf(cluster, "Degraded")?.status, "False")
        unsubscribe()
      })
    )
  })

  it("is named on its Service and its pool while no other can be had", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed()
        cluster.project.faults.setPolicy((request) => (isPurchase(request) ? { badGateway: "before" } : {}))
        deleteInConsole(cluster, ip)
        yield* Effect.sleep("61 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
        assert.strictEqual(conditionOf(cluster, "Degraded")?.reason, "CloudAddressDeleted")
        assert.include(conditionOf(cluster, "Degraded")?.message ?? "", ip)
        cluster.project.faults.clear()
        yield* Effect.sleep("60 seconds")
        assert.notDeepEqual(shown(cluster, "web"), [ip])
        assert.strictEqual(conditionOf(cluster, "Degraded")?.status, "False")
        assert.strictEqual(servedOf(cluster, "web")?.status, "True")
      })
    )
  })

  it("is not replaced because a list lacks it, or cannot be read", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        const [ip = ""] = shown(cluster, "web")
        const tellsDeletion = () => conditionOf(cluster, "Degraded")?.reason === "CloudAddressDeleted"
        // The list is as it was before the purchase.
        cluster.project.faults.setPolicy((request) => (isList(request) ? { staleMillis: 600_000 } : {}))
        yield* Effect.sleep("3 minutes")
        cluster.project.faults.setPolicy((request) =>
          isList(request) ? { staleMillis: 600_000 } : isRead(request) ? { badGateway: "before" } : {}
        )
        yield* Effect.sleep("3 minutes")
        assert.isFalse(tellsDeletion(), "by a list alone")
        cluster.project.faults.setPolicy((request) => (isList(request) ? { badGateway: "before" } : {}))
        yield* Effect.sleep("3 minutes")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
        assert.lengthOf(cluster.project.truth.purchases(), 1)
      })
    )
  })

  it("is not replaced by a controller that cannot tell the project from another cluster's, and is by one that can", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller, ip } = yield* startServed()
        yield* controller.stop
        deleteInConsole(cluster, ip)
        yield* cluster.startController("controller-b")
        yield* Effect.sleep("3 minutes")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
        assert.include(messageOf(cluster, "web"), "has no address")
        yield* sayServerIds(cluster)
        yield* Effect.sleep("2 minutes")
        assert.notDeepEqual(shown(cluster, "web"), [ip])
        assert.lengthOf(floatingIps(cluster), 1)
      })
    )
  })

  it("is not replaced for a Service that names it, which is told", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed()
        yield* cluster.api.patch(services, { namespace: "shop", name: "web" }, { spec: { externalIPs: [ip] } })
        yield* Effect.sleep("5 seconds")
        deleteInConsole(cluster, ip)
        yield* Effect.sleep("2 minutes")
        assert.lengthOf(cluster.project.truth.purchases(), 1)
        assert.strictEqual(servedOf(cluster, "web")?.reason, "CloudAddressDeleted")
        assert.include(servedOf(cluster, "web")?.message ?? "", ip)
      })
    )
  })
})

describe("an address of the user's own that is deleted in the console", () => {
  it("is told on pool and Service, never bought, and served again once it exists again", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const { ip } = cluster.project.console.addFloatingIp({ type: "ipv4", name: "mine" })
        yield* createPersistent(cluster, [ip])
        yield* Effect.sleep("5 seconds")
        yield* createService(cluster, "web", { externalIPs: [ip] })
        yield* Effect.sleep("20 seconds")
        assert.isDefined(allocation(cluster, "web")?.spec.allocations[0]?.cloudId)
        deleteInConsole(cluster, ip)
        yield* Effect.sleep("2 minutes")
        const degraded = () =>
          cluster.memory.truth
            .get(persistentIPPools, { name: "mine" })
            ?.status?.conditions?.find(({ type }) => type === "Degraded")
        assert.strictEqual(degraded()?.reason, "CloudAddressDeleted")
        assert.strictEqual(servedOf(cluster, "web")?.reason, "CloudAddressDeleted")
        cluster.project.console.addFloatingIp({ type: "ipv4", name: "mine again", ip })
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
        assert.isDefined(routedTo(cluster, ip))
        assert.strictEqual(degraded()?.status, "False")
        assert.strictEqual(servedOf(cluster, "web")?.status, "True")
        yield* cluster.api.delete(services, { namespace: "shop", name: "web" })
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(
          floatingIps(cluster).map(({ labels, server }) => ({ labels, server })),
          [{ labels: {}, server: null }]
        )
      })
    )
  })
})
