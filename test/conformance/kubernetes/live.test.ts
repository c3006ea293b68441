/** The contract, on a real API server with our adapter. */
import { describe } from "@effect/vitest"
import { Layer } from "effect"
import { layerLive, Loopback, skipReason } from "../loopback.ts"
import { kubernetesSuite } from "./suite.ts"

const reason = skipReason()
if (reason !== undefined) console.log(`Kubernetes of a real API server: ${reason}`)

const controllers = skipReason({ controllers: true }) === undefined
const server = controllers ? Loopback.layerControllers : Loopback.layer

describe.skipIf(reason !== undefined)("live", () => {
  kubernetesSuite("Kubernetes of a real API server", layerLive.pipe(Layer.provide(server)), { controllers })
})
