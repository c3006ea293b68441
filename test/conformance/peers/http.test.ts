import { Effect } from "effect"
import * as HealthServer from "../../../src/live/health/HealthServer.ts"
import * as HttpPeers from "../../../src/live/peers/HttpPeers.ts"
import { Peers } from "../../../src/ports/Peers.ts"
import { peersSuite, type World } from "./suite.ts"

const host = "127.0.0.1"
const yes = Effect.succeed(true)

const listening = (witness?: HealthServer.HealthOptions<never>["witness"]) =>
  HealthServer.serve({ port: 0, host, liveness: yes, readiness: yes, witness }).pipe(
    Effect.map((port) => ({ host, port })),
    Effect.orDie
  )

const makeWorld = Effect.gen(function* () {
  // A port that was free a moment ago.
  const nowhere = yield* Effect.scoped(listening())
  return { peers: yield* Peers, listen: listening, nowhere } satisfies World
}).pipe(Effect.provide(HttpPeers.layer))

peersSuite("HTTP", makeWorld)
