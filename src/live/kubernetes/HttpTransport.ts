/** The one pool of connections to the API server. */
import { Context, Effect, Layer } from "effect"
import { make, type PooledClient } from "../http/PooledClient.ts"
import { ClusterAccess } from "./ClusterAccess.ts"

export class HttpTransport extends Context.Service<HttpTransport, PooledClient>()(
  "plenuslb/live/kubernetes/HttpTransport"
) {}

export const layer: Layer.Layer<HttpTransport, never, ClusterAccess> = Layer.effect(
  HttpTransport,
  Effect.gen(function* () {
    const { tls } = yield* ClusterAccess
    return yield* make(tls)
  })
)
