/** The contract, on a real API server with our adapter. */
import { Layer } from "effect"
import * as Loopback from "../loopback.ts"
import { kubernetesSuite } from "./suite.ts"

const layer = Loopback.layerLive.pipe(Layer.provide(Loopback.Loopback.layer))

kubernetesSuite("Kubernetes of a real API server", layer, {
  // test/lab/loopback.sh starts these beside the API server when it is told which.
  controllers: (process.env["LOOPBACK_CONTROLLERS"] ?? "").includes("garbage-collector-controller"),
  unavailable: Loopback.skipReason()
})
