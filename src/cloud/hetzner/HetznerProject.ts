/**
 * One project of the Hetzner Cloud, as its token opens it. One operation at a time on a floating IP and on the server that
 * it goes to: the API refuses a second one, and two that overlap end in either order.
 */
import { Effect, type Scope } from "effect"
import * as Cloud from "../../ports/Cloud.ts"
import type { HttpExchange } from "../../ports/HttpExchange.ts"
import * as ActionHub from "./ActionHub.ts"
import * as ApiClient from "./ApiClient.ts"
import { Asked } from "./Asked.ts"
import { ensure, type Known } from "./Buying.ts"
import { Unread } from "./Elements.ts"
import { KeyedLock } from "./KeyedLock.ts"
import { Listing } from "./Listing.ts"
import * as Operations from "./Operations.ts"
import * as Resources from "./Resources.ts"
import * as Routing from "./Routing.ts"
import * as ServerIdentity from "./ServerIdentity.ts"
import * as Wire from "./Wire.ts"

const isProtected = ({ id, name }: Cloud.CloudAddress): Cloud.CloudError =>
  new Cloud.CloudError({
    request: `DELETE /floating_ips/${id}`,
    reason: new Cloud.Protected(),
    code: "protected",
    detail: `floating IP ${name} is protected from being deleted`,
    correlationId: ""
  })

const notNamed = (id: string, address: string, name: string): Cloud.CloudError =>
  Operations.failure(
    Operations.pathOf(id, "change_dns_ptr"),
    new Cloud.Conflict(),
    `the reverse DNS of ${address} is not ${name}`
  )

/** As its documentation has it (2026-09); the API has no field that tells. */
const addressesPerServerMax = 20

const textOf = (labels: Cloud.Labels): string =>
  JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))

const addressLock = (id: string) => `address ${id}`
const serverLock = (id: string) => `server ${id}`

export const make = Effect.fnUntraced(function* (
  options: ApiClient.ApiClientOptions
): Effect.fn.Return<Cloud.CloudProject, never, HttpExchange | Scope.Scope> {
  const client = yield* ApiClient.make(options)
  const hub = yield* ActionHub.make(client)
  const operations = Operations.make(client, hub)
  const routing = Routing.make(client, operations)
  const unread = new Unread()
  const addresses = new Listing(Effect.flatMap(Resources.allAddresses(client), (all) => unread.note("address", all)))
  const servers = new Listing(Effect.flatMap(Resources.allServers(client), (all) => unread.note("server", all)))
  const bought: Known = { addresses, unread, unheard: new Map() }
  const locks = new KeyedLock()
  const labelled = new Asked()

  const absorbed = (id: string) => (read: Effect.Effect<Cloud.CloudAddress | undefined, Cloud.CloudError>) =>
    Effect.tap(read, (found) => (found === undefined ? addresses.drop(id) : addresses.absorb(found)))

  const relabel = (id: string, labels: Cloud.Labels) =>
    labelled.asking(id, textOf(labels), Resources.relabel(client, id, labels))

  /**
   * Labels of before our own would not be taken off again, since they do not say that it is ours. Whose clients wait does not
   * wait for them.
   */
  const read = Effect.fnUntraced(function* (id: string, priority: Cloud.Priority) {
    const found = yield* Resources.readAddress(client, id, priority)
    if (found === undefined || priority === "failover") return found
    const pastMillis = yield* labelled.pastMillis(id, textOf(found.labels))
    return pastMillis === 0 ? found : yield* Effect.delay(Resources.readAddress(client, id, priority), pastMillis)
  })

  const unassign = (id: string, priority: Cloud.Priority) =>
    locks.holding([addressLock(id)], absorbed(id)(routing.unassign(id, priority)))

  /**
   * What is protected is not even unassigned: whoever protects it wants it to go on. A read that has none may be one of a moment
   * before it was bought: whether it is there, the deletion itself tells.
   */
  const remove = Effect.fnUntraced(function* (id: string) {
    yield* operations.settled(id, "normal")
    const before = yield* Resources.readAddress(client, id, "normal")
    if (before?.isProtected === true) return yield* Effect.fail(isProtected(before))
    if (before?.server !== undefined) yield* routing.release(id, "normal")
    const path = `/floating_ips/${id}`
    yield* Resources.orGone(client.call({ method: "DELETE", path, reply: undefined, priority: "normal" }))
    yield* addresses.drop(id)
  })

  return {
    addressesPerServerMax,
    probe: Effect.asVoid(client.call({ method: "GET", path: "/locations", reply: Wire.AnyReply, priority: "normal" })),
    refusedWrite: Effect.sync(client.refusedWrite),
    servers: (maxAgeMillis) => servers.get(maxAgeMillis),
    server: (id, priority) => Resources.readServer(client, id, priority),
    resolve: (node, maxAgeMillis) => Effect.map(servers.get(maxAgeMillis), (all) => ServerIdentity.resolve(node, all)),
    addresses: (maxAgeMillis) => addresses.get(maxAgeMillis),
    unreadable: Effect.sync(() => unread.all()),
    address: (id, priority) => absorbed(id)(read(id, priority)),
    ensure: <E>(wish: Cloud.Wish, permission: Effect.Effect<void, E> = Effect.void) =>
      locks.holding([`name ${wish.family} ${wish.name}`], ensure(client, bought, wish, permission)),
    assign: (id, server, how) =>
      locks.holding(
        [addressLock(id), serverLock(server)],
        Effect.flatMap(routing.assign(id, server, how), ({ address, changed }) =>
          Effect.as(addresses.absorb(address), { changed })
        )
      ),
    unassign: (id, priority) => Effect.asVoid(unassign(id, priority)),
    remove: (id) => locks.holding([addressLock(id)], remove(id)),
    relabel: (id, labels) => Effect.asVoid(Effect.flatMap(relabel(id, labels), addresses.absorb)),
    setReverseName: Effect.fnUntraced(function* (id, address, name) {
      const outcome = yield* operations.operate(
        id,
        "change_dns_ptr",
        { ip: address, dns_ptr: name ?? null },
        "background"
      )
      const after = yield* absorbed(id)(Resources.readAddress(client, id, "background"))
      if (name !== undefined && after?.reverseNames[address] === name) return
      yield* Operations.unlessFailed(Operations.pathOf(id, "change_dns_ptr"), outcome)
      if (name !== undefined) return yield* Effect.fail(notNamed(id, address, name))
    })
  }
})
