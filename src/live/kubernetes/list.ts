/**
 * A list in pages of 500: a quorum read (no resourceVersion), every page of the same snapshot. A `continue` token lives
 * about five minutes, until etcd is compacted; then the pages so far are worth nothing and the list starts again, three
 * times at most. The API server would also go on with an inconsistent token, which must not be used: what a list lacks,
 * a controller takes for deleted.
 */
import { Effect, Option, Result, Schema } from "effect"
import type { KubernetesObject, ResourceType } from "../../api/KubernetesObject.ts"
import {
  Expired,
  Malformed,
  type ObjectList,
  type Reason,
  type Selection,
  type Undecodable
} from "../../ports/Kubernetes.ts"
import type { ApiClient } from "./ApiClient.ts"
import * as ApiPath from "./ApiPath.ts"
import { type Decode, decoderOf } from "./Decoding.ts"

const pageSize = 500
const attemptsMax = 3

const Page = Schema.Struct({
  metadata: Schema.Struct({ resourceVersion: Schema.String, continue: Schema.optional(Schema.String) }),
  items: Schema.NullOr(Schema.Array(Schema.Unknown))
})
type Page = typeof Page.Type
const decodePage = Schema.decodeUnknownOption(Page)

export const list = Effect.fnUntraced(function* <A extends KubernetesObject>(
  api: ApiClient,
  type: ResourceType<A>,
  selection: Selection
) {
  const decode = decoderOf(type)
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const complete = yield* readAll(api, type, selection, decode)
    if (complete !== undefined) return complete
  }
  return yield* Effect.fail<Reason>(new Expired())
})

/** Nothing when a page had expired. */
const readAll = Effect.fnUntraced(function* <A extends KubernetesObject>(
  api: ApiClient,
  type: ResourceType<A>,
  selection: Selection,
  decode: Decode<A>
) {
  const items: Array<A> = []
  const undecodable: Array<Undecodable> = []
  let token: string | undefined
  while (true) {
    const page: Page | undefined = yield* readPage(api, type, selection, token)
    if (page === undefined) return undefined
    for (const json of page.items ?? []) {
      const decoded = decode(json)
      if (Result.isSuccess(decoded)) items.push(decoded.success)
      else undecodable.push(decoded.failure)
    }
    token = page.metadata.continue
    if (token === undefined || token === "") {
      const complete: ObjectList<A> = { items, undecodable, resourceVersion: page.metadata.resourceVersion }
      return complete
    }
  }
})

const readPage = (
  api: ApiClient,
  type: ResourceType<KubernetesObject>,
  selection: Selection,
  token: string | undefined
): Effect.Effect<Page | undefined, Reason> =>
  api
    .exchange({
      method: "list",
      verb: "GET",
      path: ApiPath.collection(type, selection.namespace),
      query: {
        limit: String(pageSize),
        ...ApiPath.selectors(selection),
        ...(token !== undefined && { continue: token })
      }
    })
    .pipe(
      Effect.flatMap((json) =>
        Option.match(decodePage(json), {
          onNone: () => Effect.fail<Reason>(new Malformed({ message: "the reply is no list" })),
          onSome: (page) => Effect.succeed(page)
        })
      ),
      Effect.catchTag("Expired", () => Effect.undefined)
    )
