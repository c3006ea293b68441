/** What the state of a server at the provider says about its node, and what it does not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  createEphemeral,
  createService,
  holderOf,
  routedTo,
  run,
  sayServerIds,
  shown,
  startServed,
  threeNodes
} from "./CloudCluster.ts"
import * as TestCluster from "./TestCluster.ts"

const setServers = (cluster: TestCluster.TestCluster, status: "off" | "running") => {
  for (const { id } of cluster.project.truth.servers()) cluster.project.console.setServerStatus(id, status)
}

const serverNamed = (cluster: TestCluster.TestCluster, name: string) =>
  cluster.project.truth.servers().find((each) => each.name === name)?.id ?? 0

/** With one Service, whose holder can be killed. */
const startWithIds = Effect.fnUntraced(function* () {
  const running = yield* startServed()
  const { cluster, ip, operators } = running
  yield* sayServerIds(cluster)
  yield* Effect.sleep("5 seconds")
  const holder = routedTo(cluster, ip) ?? ""
  const setState = (status: "off" | "deleting" | "running" | "stopping") =>
    cluster.project.console.setServerStatus(serverNamed(cluster, holder), status)
  const kill = operators[threeNodes.indexOf(holder)]?.kill ?? Effect.void
  return { ...running, holder, setState, kill }
})

const questions = (cluster: TestCluster.TestCluster) => cluster.project.requests().get("GET /servers/{id}") ?? 0

/** Longer than two periods of a lease, shorter than its time. */
const soon = Effect.sleep("4500 millis")
const later = Effect.sleep("6 seconds")

describe("a node whose lease is silent", () => {
  it.each(["off", "deleting"] as const)("loses its addresses at once when its server is %s", (status) => {
    run(
      Effect.gen(function* () {
        const { cluster, holder, kill, setState } = yield* startWithIds()
        setState(status)
        yield* kill
        yield* soon
        assert.notDeepEqual(holderOf(cluster, "web"), [holder])
      })
    )
  })

  it("loses them at once when its server is gone, which the project had", () => {
    run(
      Effect.gen(function* () {
        const { cluster, holder, kill } = yield* startWithIds()
        cluster.project.console.deleteServer(serverNamed(cluster, holder))
        yield* kill
        yield* soon
        assert.notDeepEqual(holderOf(cluster, "web"), [holder])
      })
    )
  })

  it.each(["running", "stopping"] as const)("keeps them until the lease ends when its server is %s", (status) => {
    run(
      Effect.gen(function* () {
        const { cluster, holder, kill, setState } = yield* startWithIds()
        setState(status)
        yield* kill
        yield* soon
        assert.deepStrictEqual(holderOf(cluster, "web"), [holder])
        yield* later
        assert.notDeepEqual(holderOf(cluster, "web"), [holder])
      })
    )
  })

  it("keeps them until the lease ends when its server was off before it renewed, as an old list still says", () => {
    run(
      Effect.gen(function* () {
        const { cluster, holder, kill, setState } = yield* startWithIds()
        setState("off")
        yield* Effect.sleep("65 seconds")
        assert.deepStrictEqual(holderOf(cluster, "web"), [holder])
        setState("running")
        yield* Effect.sleep("1 second")
        yield* kill
        yield* soon
        assert.deepStrictEqual(holderOf(cluster, "web"), [holder])
      })
    )
  })

  it("keeps them until the lease ends when only its name says which server it is", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip, operators } = yield* startServed()
        const holder = routedTo(cluster, ip) ?? ""
        cluster.project.console.setServerStatus(serverNamed(cluster, holder), "off")
        yield* operators[threeNodes.indexOf(holder)]?.kill ?? Effect.void
        yield* soon
        assert.deepStrictEqual(holderOf(cluster, "web"), [holder])
      })
    )
  })

  it("costs a request or two, and one that renews costs none", () => {
    run(
      Effect.gen(function* () {
        const { cluster, kill } = yield* startWithIds()
        yield* Effect.sleep("30 seconds")
        assert.strictEqual(questions(cluster), 0)
        yield* kill
        yield* Effect.sleep("60 seconds")
        assert.isAtLeast(questions(cluster), 1)
        assert.isAtMost(questions(cluster), 2)
      })
    )
  })
})

describe("a server that was off when the project was read", () => {
  it("gets the address as soon as its node renews its lease, which is younger than the list", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* TestCluster.make(threeNodes)
        setServers(cluster, "off")
        yield* createEphemeral(cluster)
        yield* cluster.startController("controller-a")
        yield* Effect.sleep("5 seconds")
        setServers(cluster, "running")
        yield* cluster.startOperator("node-2")
        yield* createService(cluster, "web")
        yield* Effect.sleep("15 seconds")
        const [ip = ""] = shown(cluster, "web")
        assert.strictEqual(routedTo(cluster, ip), "node-2")
      })
    )
  })
})
