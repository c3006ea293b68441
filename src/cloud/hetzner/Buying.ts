/**
 * Buys a floating IP once. There is no idempotency key: a create that was not answered may have bought one, so each claim has
 * a name of its own, and what has that name and the claim's labels is what was bought.
 */
import { Data, Effect } from "effect"
import * as Cloud from "../../ports/Cloud.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"
import type { ApiClient } from "./ApiClient.ts"
import type { Unread } from "./Elements.ts"
import type { Listing } from "./Listing.ts"
import { addressOf, findAddress, typeOf } from "./Resources.ts"
import { FloatingIpReply } from "./Wire.ts"

/** A list this old still tells what was bought before; what was bought since, its name tells. */
const knownMillis = 300_000

export interface Known {
  readonly addresses: Listing<Cloud.CloudAddress, Cloud.CloudError>
  /** What that list has beside. */
  readonly unread: Unread
  /** By name and family, when a purchase was sent that nobody told the end of. */
  readonly unheard: Map<string, number>
}

const isOwn = ({ identifiedBy, labels }: Cloud.Wish, found: Pick<Cloud.CloudAddress, "labels">): boolean =>
  identifiedBy.every((key) => labels[key] !== undefined && found.labels[key] === labels[key])

/** Of the family too, unless its network tells another: who cannot tell must not buy a second one. */
const mayBe = (wish: Cloud.Wish, { labels, network }: Cloud.Unreadable): boolean =>
  labels !== undefined &&
  isOwn(wish, { labels }) &&
  (network === undefined || network.includes(":") === (wish.family === "IPv6"))

const nameTaken = ({ name }: Cloud.Wish, found: Cloud.CloudAddress): Cloud.CloudError =>
  new Cloud.CloudError({
    request: "POST /floating_ips",
    reason: new Cloud.NameTaken(),
    code: "uniqueness_error",
    detail: `floating IP ${found.id} is called ${name}, and its labels are not those of this claim`,
    correlationId: ""
  })

/** Bought already, by a try that did not hear of it. */
const mayBeMade = ({ reason }: Cloud.CloudError): boolean => reason._tag === "NameTaken" || reason._tag === "ReplyLost"

const create = <E>(
  { call }: ApiClient,
  { family, labels, location, name }: Cloud.Wish,
  permission: Effect.Effect<void, E>
) =>
  call(
    {
      method: "POST",
      path: "/floating_ips",
      body: { type: typeOf(family), home_location: location, name, labels },
      reply: FloatingIpReply,
      priority: "normal"
    },
    Effect.mapError(permission, (error) => new NotPermitted<E>({ error }))
  ).pipe(Effect.map(({ floating_ip }) => addressOf(floating_ip)))

/** What a name is taken by is there, though a read may lag behind it: no verdict before that is over. */
const findHolder = (client: ApiClient, { family, name }: Cloud.Wish, { reason }: Cloud.CloudError) =>
  Effect.flatMap(findAddress(client, name, family), (found) =>
    found !== undefined || reason._tag !== "NameTaken"
      ? Effect.succeed(found)
      : Effect.delay(findAddress(client, name, family), Cloud.readLagMillis)
  )

const findOwn = (all: ReadonlyArray<Cloud.CloudAddress>, wish: Cloud.Wish) =>
  all.find((each) => each.family === wish.family && isOwn(wish, each))

/** What may have been made, under its name or under another that somebody has given it since; else it fails as it did. */
const findMade = Effect.fnUntraced(function* (
  client: ApiClient,
  { addresses }: Known,
  wish: Cloud.Wish,
  error: Cloud.CloudError
) {
  const holder = yield* findHolder(client, wish, error)
  if (holder !== undefined && isOwn(wish, holder)) return holder
  const renamed = findOwn(yield* addresses.get(0), wish)
  if (renamed !== undefined) return renamed
  return yield* Effect.fail(holder === undefined ? error : nameTaken(wish, holder))
})

const keyOf = ({ family, name }: Cloud.Wish): string => `${family} ${name}`

/** Nothing was sent. */
class NotPermitted<E> extends Data.TaggedError("NotPermitted")<{ readonly error: E }> {}

/** Counts as unheard of until its end is told, also when whoever waits for that goes. */
const createOnce = <E>(client: ApiClient, { unheard }: Known, wish: Cloud.Wish, permission: Effect.Effect<void, E>) =>
  Effect.flatMap(monotonicMillis, (nowMillis) => {
    const wasUnheard = unheard.has(keyOf(wish))
    unheard.set(keyOf(wish), nowMillis)
    return Effect.tapError(create(client, wish, permission), (error) =>
      Effect.sync(() => {
        const mayBeSent = error._tag === "CloudError" && error.category === "ambiguous"
        if (!wasUnheard && !mayBeSent) unheard.delete(keyOf(wish))
      })
    )
  })

/**
 * What an earlier try has made. After one that nobody told the end of, only a list that does not lag behind it proves that
 * there is nothing: by its name it would not be found, and be bought twice, once somebody has given it another.
 */
const findOld = Effect.fnUntraced(function* ({ addresses, unheard }: Known, wish: Cloud.Wish) {
  const sentMillis = unheard.get(keyOf(wish))
  if (sentMillis === undefined) return findOwn(yield* addresses.get(knownMillis), wish)
  yield* Effect.sleep(Math.max(0, sentMillis + Cloud.readLagMillis - (yield* monotonicMillis)))
  return findOwn(yield* addresses.get(0), wish)
})

/** Created with a home and no server, then assigned: two steps, each of which can be verified. */
export const ensure = Effect.fnUntraced(function* <E>(
  client: ApiClient,
  known: Known,
  wish: Cloud.Wish,
  permission: Effect.Effect<void, E>
) {
  const { addresses, unheard, unread } = known
  const old = yield* findOld(known, wish)
  const mayBeOwn = old === undefined ? unread.all().find((each) => mayBe(wish, each)) : undefined
  if (mayBeOwn !== undefined) return yield* Effect.fail(mayBeOwn.error)
  const create = createOnce(client, known, wish, permission).pipe(
    Effect.catchTag("CloudError", (error) =>
      mayBeMade(error) ? findMade(client, known, wish, error) : Effect.fail(error)
    ),
    Effect.catchTag("NotPermitted", ({ error }) => Effect.fail(error))
  )
  const own = old ?? (yield* Effect.flatMap(create, addresses.absorb))
  unheard.delete(keyOf(wish))
  return own
})
