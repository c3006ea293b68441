import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as HetznerMetadata from "../../../src/live/metadata/HetznerMetadata.ts"
import { metadataSuite } from "./suite.ts"

const path = "/hetzner/v1/metadata/instance-id"

/** A service that answers so until the scope closes; and its URL. */
const serving = (answer: (url: string, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = createServer((request, response) => answer(request.url ?? "", response))
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}${path}`, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const nowhere = Effect.scoped(
  Effect.map(
    serving(() => {}),
    ({ url }) => url
  )
)

metadataSuite("HTTP", (says) =>
  says === undefined
    ? Effect.map(nowhere, HetznerMetadata.make)
    : Effect.map(
        serving((url, response) => response.writeHead(url === path ? 200 : 404).end(says)),
        ({ url }) => HetznerMetadata.make(url)
      )
)

describe("Hetzner's metadata service", () => {
  it.live.each<[string, (response: ServerResponse) => void]>([
    ["knows no such path, as another provider's", (response) => response.writeHead(404).end("4711")],
    ["answers with a page, as a captive portal", (response) => response.end("<html>".repeat(1_000))],
    ["answers with what is no id", (response) => response.end("i-0abc")],
    ["breaks the connection", (response) => response.destroy()],
    ["accepts and never answers", () => {}]
  ])("that %s says nothing", ([, answer]) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* serving((_, response) => void answer(response))
        assert.isUndefined(yield* HetznerMetadata.make(url).instanceId)
      })
    )
  )
})
