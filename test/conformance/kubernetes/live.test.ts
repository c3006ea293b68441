/** The contract, on a real API server with our adapter. */
import { Layer } from "effect"
import { layerLive, Loopback, skipReason } from "../loopback.ts"
import { kubernetesSuite } from "./suite.ts"

const controllers = skipReason({ controllers: true }) === undefined
const server = controllers ? Loopback.layerControllers : Loopback.layer

kubernetesSuite("Kubernetes of a real API server", layerLive.pipe(Layer.provide(server)), {
  controllers,
  unavailable: skipReason()
})
