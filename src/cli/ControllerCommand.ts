/** `plenuslb controller`: settings from the environment, health port, and the controller itself. */
import { bytesToHex, randomBytes } from "@noble/hashes/utils.js"
import { Effect, Random } from "effect"
import { loadBalancerClass } from "../api/Names.ts"
import * as Controller from "../controller/Controller.ts"
import { Events } from "../controller/Events.ts"
import type { ControllerSettings } from "../controller/Settings.ts"
import * as HealthServer from "../live/health/HealthServer.ts"
import { Peers } from "../ports/Peers.ts"
import * as Environment from "./Environment.ts"

const settings = Effect.gen(function* () {
  const { leader, times } = yield* Environment.profile
  const controller: ControllerSettings = {
    podName: yield* Environment.required("MY_POD_NAME", "the name of this Pod"),
    namespace: yield* Environment.required("MY_POD_NAMESPACE", "the namespace of this Pod"),
    clusterName: yield* Environment.optional("CLUSTER_NAME", ""),
    healthPort: yield* Environment.port("HEALTH_PORT", 8080),
    defaultLoadBalancer: yield* Environment.flag("DEFAULT_LOAD_BALANCER", true),
    loadBalancerClass: yield* Environment.optional("LOAD_BALANCER_CLASS", loadBalancerClass),
    ignoreExcludeLabel: yield* Environment.flag("IGNORE_EXCLUDE_LABEL", false),
    fenceAfterMillis: times.quietMillis,
    renewEveryMillis: times.renewMillis,
    concurrency: 64
  }
  return { controller, leader, hasWitness: yield* Environment.witness }
})

/** 256 bits. */
const newKey = Effect.sync(() => bytesToHex(randomBytes(32)))

/** Never ends by itself; needs the ports Kubernetes, Cloud and Peers. */
export const run = Effect.gen(function* () {
  const { controller, hasWitness, leader } = yield* settings
  const peers = yield* Peers
  const nonce = (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0")
  const { isReady, measure } = yield* Controller.make({
    settings: controller,
    identity: `${controller.podName}_${nonce}`,
    leaderTimes: leader,
    witness: hasWitness ? { peers, newKey } : undefined
  }).pipe(Effect.provideServiceEffect(Events, Events.make("plenuslb-controller", controller.podName)))
  yield* HealthServer.serve({
    port: controller.healthPort,
    liveness: Effect.succeed(true),
    readiness: isReady,
    measure
  })
  yield* Effect.logInfo("controller started").pipe(
    Effect.annotateLogs({ healthPort: controller.healthPort, namespace: controller.namespace })
  )
  return yield* Effect.never
}).pipe(Effect.scoped)
