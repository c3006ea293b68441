/**
 * Hetzner's metadata service (docs.hetzner.cloud, "Server Metadata"): plain HTTP on a link-local address, a text for each
 * question. On other machines the address leads nowhere, or to another provider's service, which knows no such path.
 */
import { request } from "node:http"
import { Effect, Layer } from "effect"
import { MachineMetadata } from "../../ports/MachineMetadata.ts"

const instanceIdUrl = "http://169.254.169.254/hetzner/v1/metadata/instance-id"

/** It answers within some milliseconds where it is; packets to it vanish where it is not. */
const answerMillisMax = 2_000
/** An id has at most 16 digits. */
const bytesMax = 64

/** Undefined: no such text. */
const get = (url: string): Effect.Effect<string | undefined> =>
  Effect.callback<string | undefined>((resume) => {
    const nothing = () => resume(Effect.succeed(undefined))
    const sent = request(url, { agent: false }, (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => {
        text += chunk
        if (text.length > bytesMax) sent.destroy(new Error("the answer is too long"))
      })
      response.on("end", () => resume(Effect.succeed(response.statusCode === 200 ? text : undefined)))
      response.on("error", nothing)
    })
    sent.on("error", nothing)
    sent.end()
    return Effect.sync(() => sent.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: answerMillisMax, orElse: () => Effect.succeed(undefined) }))

const id = /^[1-9][0-9]{0,15}$/

export const make = (url: string): MachineMetadata["Service"] =>
  MachineMetadata.of({
    instanceId: Effect.map(get(url), (text = "") => (id.test(text.trim()) ? text.trim() : undefined))
  })

export const layer: Layer.Layer<MachineMetadata> = Layer.succeed(MachineMetadata, make(instanceIdUrl))
