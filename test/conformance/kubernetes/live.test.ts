/** The contract, on a real API server with our adapter. */
import { it } from "@effect/vitest"
import { Layer } from "effect"
import * as Loopback from "../loopback.ts"
import { kubernetesSuite } from "./suite.ts"

const reason = Loopback.skipReason()
if (reason !== undefined) it.skip(reason, () => {})
else
  kubernetesSuite("Kubernetes of a real API server", Loopback.layerLive.pipe(Layer.provide(Loopback.Loopback.layer)), {
    // test/lab/loopback.sh starts these beside the API server when it is told which.
    controllers: (process.env["LOOPBACK_CONTROLLERS"] ?? "").includes("garbage-collector-controller")
  })
