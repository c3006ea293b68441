/** The contract of a Cloud, over HTTP on loopback and the fake that the vendor's own clients drive. */
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as HetznerCloud from "../../../src/cloud/hetzner/HetznerCloud.ts"
import * as NodeHttpExchange from "../../../src/live/http/NodeHttpExchange.ts"
import { Cloud } from "../../../src/ports/Cloud.ts"
import { serve } from "../../hetzner-fake/Server.ts"
import { type Case, cases, tokens } from "./cases.ts"

const play = ({ floatingIpsMax = 10, moves = "direct", play: program }: Case) =>
  Effect.gen(function* () {
    const { baseUrl, project } = yield* serve({
      listen: "127.0.0.1",
      port: 0,
      tokens: [
        { secret: tokens.write, name: "write", mayWrite: true },
        { secret: tokens.read, name: "read", mayWrite: false }
      ],
      moves,
      floatingIpsMax,
      actionTime: { millis: 50 }
    })
    const layer = Layer.provide(
      HetznerCloud.layer({ endpoint: baseUrl, userAgent: "conformance" }),
      NodeHttpExchange.layer
    )
    yield* Effect.gen(function* () {
      const { open } = yield* Cloud
      const opened = (token: string) => open(Redacted.make(token))
      yield* program({ project, cloud: yield* opened(tokens.write), open: opened })
    }).pipe(Effect.provide(layer))
  }).pipe(Effect.scoped)

describe("the cloud over HTTP", () => {
  for (const each of cases) it.live(each.name, () => play(each))
})
