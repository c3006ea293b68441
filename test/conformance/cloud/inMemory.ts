/** A case over the project in memory, in virtual time; `around` stands between the adapter and the project. */
import { Clock, Effect, Layer, Redacted } from "effect"
import * as HetznerCloud from "../../../src/cloud/hetzner/HetznerCloud.ts"
import * as HetznerExchange from "../../../src/memory/hetzner/HetznerExchange.ts"
import { make } from "../../../src/memory/hetzner/HetznerProject.ts"
import { Cloud } from "../../../src/ports/Cloud.ts"
import { HttpExchange } from "../../../src/ports/HttpExchange.ts"
import { type Case, tokens } from "./cases.ts"

export const endpoint = "https://api.hetzner.cloud/v1"

type Around = (exchange: HttpExchange["Service"]) => HttpExchange["Service"]

export const play = (
  { floatingIpsMax = 10, moves = "direct", play: program }: Case,
  around: Around = (exchange) => exchange
) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const project = make({
      nowMillis: () => clock.currentTimeMillisUnsafe(),
      tokens: [
        { secret: tokens.write, name: "write", mayWrite: true },
        { secret: tokens.read, name: "read", mayWrite: false }
      ],
      moves,
      floatingIpsMax
    })
    const layer = Layer.provide(
      HetznerCloud.layer({ endpoint, userAgent: "conformance" }),
      Layer.succeed(HttpExchange, around(HetznerExchange.make(project)))
    )
    yield* Effect.gen(function* () {
      const { open } = yield* Cloud
      const opened = (token: string) => open(Redacted.make(token))
      yield* program({ project, cloud: yield* opened(tokens.write), open: opened })
    }).pipe(Effect.provide(layer))
  })
