/** The Cloud port over the API of Hetzner Cloud: one project for each token, for as long as the layer lives. */
import { Effect, Layer, Redacted, Scope } from "effect"
import { Cloud, type CloudProject } from "../../ports/Cloud.ts"
import { HttpExchange } from "../../ports/HttpExchange.ts"
import * as HetznerProject from "./HetznerProject.ts"

export interface HetznerOptions {
  /** With the version: `https://api.hetzner.cloud/v1`. */
  readonly endpoint: string
  readonly userAgent: string
}

/** For as long as the scope: what its actions are polled by ends with it. */
export const make = Effect.fnUntraced(function* (
  options: HetznerOptions
): Effect.fn.Return<Cloud["Service"], never, HttpExchange | Scope.Scope> {
  const exchange = yield* HttpExchange
  const scope = yield* Scope.Scope
  const projects = new Map<string, CloudProject>()

  const open = Effect.fnUntraced(function* (token: Redacted.Redacted) {
    const known = projects.get(Redacted.value(token))
    if (known !== undefined) return known
    const project = yield* HetznerProject.make({ ...options, token }).pipe(
      Effect.provideService(HttpExchange, exchange),
      Effect.provideService(Scope.Scope, scope)
    )
    projects.set(Redacted.value(token), project)
    return project
  })

  return Cloud.of({ open })
})

export const layer = (options: HetznerOptions): Layer.Layer<Cloud, never, HttpExchange> =>
  Layer.effect(Cloud, make(options))
