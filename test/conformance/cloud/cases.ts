/**
 * What holds of a Cloud, whatever is between it and the provider: nothing is bought, moved or deleted twice, what is said to be
 * done is done, and what goes wrong is told in the port's words. `project` is the provider's side: ground truth and faults.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Fault } from "../../../src/memory/hetzner/Faults.ts"
import type { HetznerProject } from "../../../src/memory/hetzner/HetznerProject.ts"
import type { CloudError, CloudProject, Wish } from "../../../src/ports/Cloud.ts"

export const tokens = { write: "conformance-write", read: "conformance-read" }

export interface World {
  readonly project: HetznerProject
  readonly cloud: CloudProject
  /** What another token opens. */
  readonly open: (token: string) => Effect.Effect<CloudProject>
}

export interface Case {
  readonly name: string
  /** What an assign to B does to what is assigned to A. */
  readonly moves?: "direct" | "refused"
  readonly floatingIpsMax?: number
  readonly play: (world: World) => Effect.Effect<void, CloudError>
}

const wish = (parts: Partial<Wish> = {}): Wish => ({
  name: "plenuslb-shop-web-v4-0a1b2c3d4e5f",
  family: "IPv4",
  location: "nbg1",
  labels: { "managed-by": "plenuslb", cluster: "c-1", claim: "uid-1" },
  identifiedBy: ["cluster", "claim"],
  ...parts
})

const how = { handover: "direct", priority: "normal" } as const

const reasonOf = <A>(effect: Effect.Effect<A, CloudError>): Effect.Effect<string> =>
  Effect.match(effect, { onFailure: ({ reason }) => reason._tag, onSuccess: () => "done" })

const failing = (world: World, route: string, fault: Fault, times = 1) =>
  world.project.faults.next((request) => request.route === route, fault, times)

const assign = "POST /floating_ips/{id}/actions/assign"
const unassign = "POST /floating_ips/{id}/actions/unassign"
const create = "POST /floating_ips"
const read = "GET /floating_ips/{id}"

const twoServers = ({ project }: World) => {
  const [first, second] = ["node-1", "node-2"].map((name) => String(project.console.addServer({ name }).id))
  return [first ?? "", second ?? ""] as const
}
const bought = ({ project }: World) => project.truth.purchases().length
const serverOf = ({ project }: World, id: string) => {
  const server = project.truth.floatingIps().find((each) => String(each.id) === id)?.server
  return server === null || server === undefined ? undefined : String(server)
}
const isBusy = ({ project }: World) => project.truth.actions().some(({ status }) => status === "running")
const isThere = ({ project }: World, id: string) => project.truth.floatingIps().some((each) => String(each.id) === id)

const filling: ReadonlyArray<Case> = [
  {
    name: "routes as many addresses to one server as it says, and no more",
    floatingIpsMax: 200,
    play: Effect.fnUntraced(function* (world) {
      const { cloud, project } = world
      const [server] = twoServers(world)
      const own = (name: string, routed: { readonly server?: number } = {}) =>
        String(project.console.addFloatingIp({ type: "ipv4", name, ...routed }).id)
      for (let count = 1; count < cloud.addressesPerServerMax; count++) own(`own-${count}`, { server: Number(server) })
      const reasons = yield* Effect.forEach([own("last"), own("more")], (id) => reasonOf(cloud.assign(id, server, how)))
      assert.deepStrictEqual(reasons, ["done", "QuotaExceeded"])
    })
  }
]

const buying: ReadonlyArray<Case> = [
  {
    name: "buys what was wished for, once",
    play: Effect.fnUntraced(function* (world) {
      const first = yield* world.cloud.ensure(wish())
      const second = yield* world.cloud.ensure(wish())
      assert.strictEqual(first.id, second.id)
      assert.strictEqual(bought(world), 1)
      assert.deepStrictEqual(
        [first.family, first.home.location, first.home.zone, first.server, first.isBlocked, first.isProtected],
        ["IPv4", "nbg1", "eu-central", undefined, false, false]
      )
      assert.deepStrictEqual(first.labels, wish().labels)
    })
  },
  {
    name: "buys a whole network of IPv6",
    play: Effect.fnUntraced(function* (world) {
      const { family, network } = yield* world.cloud.ensure(wish({ family: "IPv6" }))
      assert.strictEqual(family, "IPv6")
      assert.match(network, /^[0-9a-f:]+::\/64$/)
    })
  },
  {
    name: "does not buy again what a try bought that heard nothing of it",
    play: Effect.fnUntraced(function* (world) {
      failing(world, create, { loseReply: true })
      const { id } = yield* world.cloud.ensure(wish())
      assert.isTrue(isThere(world, id))
      assert.strictEqual(bought(world), 1)
    })
  },
  {
    name: "does not buy again what was bought behind a gateway that gave up",
    play: Effect.fnUntraced(function* (world) {
      failing(world, create, { badGateway: "after" })
      yield* world.cloud.ensure(wish())
      assert.strictEqual(bought(world), 1)
    })
  },
  {
    name: "does not know what became of it when nothing was bought, and buys on the next try",
    play: Effect.fnUntraced(function* (world) {
      failing(world, create, { badGateway: "before" })
      assert.strictEqual(yield* reasonOf(world.cloud.ensure(wish())), "ReplyLost")
      yield* world.cloud.ensure(wish())
      assert.strictEqual(bought(world), 1)
    })
  },
  {
    name: "finds what another process has bought for the claim, also under another name",
    play: Effect.fnUntraced(function* (world) {
      const { id } = world.project.console.addFloatingIp({ type: "ipv4", name: "renamed", labels: wish().labels })
      const found = yield* world.cloud.ensure(wish())
      assert.strictEqual(found.id, String(id))
      assert.strictEqual(world.project.truth.floatingIps().length, 1)
    })
  },
  {
    name: "leaves alone what has the name and is another cluster's",
    play: Effect.fnUntraced(function* (world) {
      const labels = { ...wish().labels, cluster: "c-2" }
      world.project.console.addFloatingIp({ type: "ipv4", name: wish().name, labels })
      assert.strictEqual(yield* reasonOf(world.cloud.ensure(wish())), "NameTaken")
      assert.deepStrictEqual(
        world.project.truth.floatingIps().map((each) => each.labels),
        [labels]
      )
    })
  },
  {
    name: "says that the project may have no more",
    floatingIpsMax: 0,
    play: Effect.fnUntraced(function* (world) {
      assert.strictEqual(yield* reasonOf(world.cloud.ensure(wish())), "QuotaExceeded")
    })
  }
]

const playMove = Effect.fnUntraced(function* (world: World) {
  const [one, other] = twoServers(world)
  const { id } = yield* world.cloud.ensure(wish())
  yield* world.cloud.assign(id, one, how)
  yield* world.cloud.assign(id, other, how)
  assert.strictEqual(serverOf(world, id), other)
})

const moving: ReadonlyArray<Case> = [
  {
    name: "routes to a server, and says whether that was new",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      assert.isTrue((yield* world.cloud.assign(id, node, how)).changed)
      assert.strictEqual(serverOf(world, id), node)
      assert.isFalse((yield* world.cloud.assign(id, node, how)).changed)
    })
  },
  { name: "moves from server to server", play: playMove },
  {
    name: "moves where the provider insists that it be unassigned first",
    moves: "refused",
    play: playMove
  },
  {
    name: "does not believe an action that succeeds and changes nothing",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      failing(world, assign, { action: { isMute: true } })
      assert.strictEqual(yield* reasonOf(world.cloud.assign(id, node, how)), "Conflict")
    })
  },
  {
    name: "says that it failed at the provider",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      failing(world, assign, { action: { status: "error" } })
      assert.strictEqual(yield* reasonOf(world.cloud.assign(id, node, how)), "OperationFailed")
      assert.isUndefined(serverOf(world, id))
    })
  },
  {
    name: "is done though its action vanished",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      failing(world, assign, { action: { vanishes: true } })
      assert.isTrue((yield* world.cloud.assign(id, node, how)).changed)
    })
  },
  {
    name: "moves once though the reply was lost: the next try finds it under way or done",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      failing(world, assign, { loseReply: true })
      assert.strictEqual(yield* reasonOf(world.cloud.assign(id, node, how)), "ReplyLost")
      yield* world.cloud.assign(id, node, how)
      assert.strictEqual(serverOf(world, id), node)
    })
  },
  {
    name: "is not where it was for good while what was asked before, and not answered, is under way",
    play: Effect.fnUntraced(function* (world) {
      const [one, other] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      yield* world.cloud.assign(id, one, how)
      failing(world, assign, { loseReply: true, action: { millis: 200 } })
      assert.strictEqual(yield* reasonOf(world.cloud.assign(id, other, how)), "ReplyLost")
      yield* world.cloud.assign(id, one, how)
      assert.deepStrictEqual([serverOf(world, id), isBusy(world)], [one, false])
      yield* world.cloud.unassign(id, "normal")
      failing(world, assign, { loseReply: true, action: { millis: 200 } })
      assert.strictEqual(yield* reasonOf(world.cloud.assign(id, other, how)), "ReplyLost")
      yield* world.cloud.unassign(id, "normal")
      assert.deepStrictEqual([serverOf(world, id), isBusy(world)], [undefined, false])
    })
  },
  {
    name: "waits while something else works on it",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      failing(world, assign, { refuse: { code: "locked" } }, 2)
      yield* world.cloud.assign(id, node, how)
      assert.strictEqual(serverOf(world, id), node)
    })
  },
  {
    name: "finds done what a stale read did not show",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      let reads = 0
      const confirms = ({ route }: { readonly route: string }) => route === read && ++reads === 2
      world.project.faults.next(confirms, { staleMillis: 60_000 })
      assert.strictEqual(yield* reasonOf(world.cloud.assign(id, node, how)), "NotFound")
      assert.isFalse((yield* world.cloud.assign(id, node, how)).changed)
      assert.strictEqual(serverOf(world, id), node)
    })
  },
  {
    name: "is refused by a server without an address of the family, and by none at all",
    play: Effect.fnUntraced(function* (world) {
      const node = String(world.project.console.addServer({ name: "v6-only", types: ["ipv6"] }).id)
      const { id } = yield* world.cloud.ensure(wish())
      assert.strictEqual(yield* reasonOf(world.cloud.assign(id, node, how)), "Refused")
      assert.strictEqual(yield* reasonOf(world.cloud.assign(id, "999999", how)), "NotFound")
    })
  }
]

const releasing: ReadonlyArray<Case> = [
  {
    name: "unassigns, and is done when that is so already",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      yield* world.cloud.assign(id, node, how)
      yield* world.cloud.unassign(id, "normal")
      yield* world.cloud.unassign(id, "normal")
      assert.isUndefined(serverOf(world, id))
      assert.isTrue(isThere(world, id))
    })
  },
  {
    name: "deletes what is assigned, and is done when it is not there",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      yield* world.cloud.assign(id, node, how)
      yield* world.cloud.remove(id)
      assert.isFalse(isThere(world, id))
      yield* world.cloud.remove(id)
      yield* world.cloud.unassign(id, "normal")
    })
  },
  {
    name: "deletes once though replies are lost",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      yield* world.cloud.assign(id, node, how)
      failing(world, unassign, { loseReply: true })
      failing(world, "DELETE /floating_ips/{id}", { loseReply: true })
      const tries = [yield* reasonOf(world.cloud.remove(id)), yield* reasonOf(world.cloud.remove(id))]
      assert.deepStrictEqual(tries, ["ReplyLost", "ReplyLost"])
      yield* world.cloud.remove(id)
      assert.isFalse(isThere(world, id))
    })
  },
  {
    name: "leaves what somebody protects where it is",
    play: Effect.fnUntraced(function* (world) {
      const [node] = twoServers(world)
      const { id } = yield* world.cloud.ensure(wish())
      yield* world.cloud.assign(id, node, how)
      world.project.console.change(Number(id), { isProtected: true })
      assert.strictEqual(yield* reasonOf(world.cloud.remove(id)), "Protected")
      assert.strictEqual(serverOf(world, id), node)
    })
  }
]

const looking: ReadonlyArray<Case> = [
  {
    name: "replaces all labels",
    play: Effect.fnUntraced(function* (world) {
      const { id } = yield* world.cloud.ensure(wish())
      yield* world.cloud.relabel(id, { ownership: "adopted" })
      const [found] = yield* world.cloud.addresses(60_000)
      assert.deepStrictEqual(found?.labels, { ownership: "adopted" })
      assert.deepStrictEqual(world.project.truth.floatingIps()[0]?.labels, { ownership: "adopted" })
    })
  },
  {
    name: "sets a reverse name, and takes it off",
    play: Effect.fnUntraced(function* (world) {
      const { id, network } = yield* world.cloud.ensure(wish({ family: "IPv6" }))
      const address = network.replace("/64", "1")
      yield* world.cloud.setReverseName(id, address, "mail.example.com")
      const names = () => world.project.truth.floatingIps()[0]?.dnsPtr.map(({ dnsPtr }) => dnsPtr)
      assert.deepStrictEqual(names(), ["mail.example.com"])
      yield* world.cloud.setReverseName(id, address, undefined)
      assert.deepStrictEqual(names(), [])
    })
  },
  {
    name: "lists all, however many pages that are",
    floatingIpsMax: 200,
    play: Effect.fnUntraced(function* (world) {
      for (let count = 0; count < 120; count++) world.project.console.addFloatingIp({ type: "ipv4" })
      assert.lengthOf(yield* world.cloud.addresses(0), 120)
    })
  },
  {
    name: "tells what a server is doing, and which Node it is",
    play: Effect.fnUntraced(function* (world) {
      const [one, other] = twoServers(world)
      const stateOf = (id: string) => Effect.map(world.cloud.server(id, "failover"), (found) => found?.state)
      assert.strictEqual(yield* stateOf(one), "running")
      world.project.console.setServerStatus(Number(one), "off")
      assert.strictEqual(yield* stateOf(one), "off")
      world.project.console.setServerStatus(Number(one), "starting")
      assert.strictEqual(yield* stateOf(one), "changing")
      world.project.console.setServerStatus(Number(one), "deleting")
      assert.strictEqual(yield* stateOf(one), "gone")
      world.project.console.deleteServer(Number(one))
      assert.isUndefined(yield* stateOf(one))
      const nodes = [{ name: "node-1", providerId: `hcloud://${one}` }, { name: "node-2" }, { name: "node-3" }]
      const found = yield* Effect.forEach(nodes, (node) => world.cloud.resolve(node, 0))
      assert.deepStrictEqual(
        found.map((each) => (each.type === "server" ? each.server.id : each.type)),
        ["gone", other, "unknown"]
      )
    })
  }
]

const refusing: ReadonlyArray<Case> = [
  {
    name: "tells a token that is refused from one that may only read",
    play: Effect.fnUntraced(function* (world) {
      const [nobody, reader] = [yield* world.open("nobody"), yield* world.open(tokens.read)]
      assert.strictEqual(yield* reasonOf(nobody.probe), "Unauthorized")
      assert.strictEqual(yield* reasonOf(reader.probe), "done")
      assert.isUndefined(yield* reader.refusedWrite)
      assert.strictEqual(yield* reasonOf(reader.ensure(wish())), "Forbidden")
      assert.strictEqual(yield* reasonOf(reader.probe), "done")
      assert.strictEqual((yield* reader.refusedWrite)?.code, "forbidden")
      assert.isUndefined(yield* world.cloud.refusedWrite)
      assert.strictEqual(bought(world), 0)
    })
  },
  {
    name: "says that too many asked, and goes on when there is something left",
    play: Effect.fnUntraced(function* (world) {
      world.project.console.drainBudget()
      assert.strictEqual(yield* reasonOf(world.cloud.probe), "RateLimited")
      assert.strictEqual(yield* reasonOf(Effect.asVoid(world.cloud.address("1", "failover"))), "done")
    })
  },
  {
    name: "carries the provider's code, words and correlation id, and never the token",
    play: Effect.fnUntraced(function* (world) {
      failing(world, "GET /locations", { refuse: { code: "maintenance", message: "back at noon" } })
      const error = yield* Effect.orDie(Effect.flip(world.cloud.probe))
      assert.deepStrictEqual([error.code, error.detail], ["maintenance", "back at noon"])
      assert.match(error.correlationId, /^[0-9a-f]+$/)
      assert.notInclude(JSON.stringify(error) + error.message, tokens.write)
    })
  }
]

export const cases: ReadonlyArray<Case> = [...buying, ...filling, ...moving, ...releasing, ...looking, ...refusing]
