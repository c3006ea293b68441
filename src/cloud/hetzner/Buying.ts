/**
 * Buys a floating IP once. There is no idempotency key: a create that was not answered may have bought one, so each claim has
 * a name of its own, and what has that name and the claim's labels is what was bought.
 */
import { Effect } from "effect"
import * as Cloud from "../../ports/Cloud.ts"
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

const create = ({ call }: ApiClient, { family, labels, location, name }: Cloud.Wish) =>
  call({
    method: "POST",
    path: "/floating_ips",
    body: { type: typeOf(family), home_location: location, name, labels },
    reply: FloatingIpReply,
    priority: "normal"
  }).pipe(Effect.map(({ floating_ip }) => addressOf(floating_ip)))

/** Created with a home and no server, then assigned: two steps, each of which can be verified. */
export const ensure = Effect.fnUntraced(function* (client: ApiClient, { addresses, unread }: Known, wish: Cloud.Wish) {
  const known = (yield* addresses.get(knownMillis)).find((each) => each.family === wish.family && isOwn(wish, each))
  if (known !== undefined) return known
  const mayBeOwn = unread.all().find((each) => mayBe(wish, each))
  if (mayBeOwn !== undefined) return yield* Effect.fail(mayBeOwn.error)
  const made = yield* Effect.catchIf(create(client, wish), mayBeMade, (error) =>
    Effect.flatMap(findAddress(client, wish.name, wish.family), (found) => {
      if (found === undefined) return Effect.fail(error)
      return isOwn(wish, found) ? Effect.succeed(found) : Effect.fail(nameTaken(wish, found))
    })
  )
  return yield* addresses.absorb(made)
})
