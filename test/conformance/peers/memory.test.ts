import { Effect } from "effect"
import * as MemoryPeers from "../../../src/memory/peers/MemoryPeers.ts"
import { peersSuite, type World } from "./suite.ts"

const makeWorld = Effect.sync((): World => {
  const memory = MemoryPeers.make()
  let port = 8080
  return {
    peers: memory.peers(),
    listen: (respond) =>
      Effect.sync(() => {
        const peer = { host: "10.0.0.1", port: port++ }
        memory.listen(peer, respond)
        return peer
      }),
    nowhere: { host: "10.0.0.1", port: 1 }
  }
})

peersSuite("memory", makeWorld)
