/** The operator's process: settings from the environment, health port, and the operator itself. */
import { Effect } from "effect"
import { pods } from "../api/Pod.ts"
import * as HealthServer from "../live/health/HealthServer.ts"
import * as KeyFile from "../live/peers/KeyFile.ts"
import * as Operator from "../operator/Operator.ts"
import type { Ending } from "../operator/Parts.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import { MachineMetadata } from "../ports/MachineMetadata.ts"
import { Peers } from "../ports/Peers.ts"
import * as Environment from "./Environment.ts"

/** Where the chart mounts Secret `plenuslb-witness`, which may come later or never. */
const keyFile = "/etc/plenuslb/witness/key"

/**
 * A Pod that is marked for deletion is replaced by its DaemonSet; one that is ended otherwise goes down with its node. A chart
 * of before did not let operators look.
 */
const whyEnding = Effect.fnUntraced(function* (namespace: string, name: string) {
  const kubernetes = yield* Kubernetes
  return yield* kubernetes.get(pods, { namespace, name }).pipe(
    Effect.map(({ metadata }): Ending => (metadata.deletionTimestamp === undefined ? "leaving" : "replaced")),
    Effect.timeout("2 seconds"),
    Effect.catch((error) =>
      Effect.succeed<Ending>(error._tag === "KubernetesError" && error.isGone ? "replaced" : "unknown")
    )
  )
})

/** Ends only with an error: superseded by another process, or a wrong setting. Needs Kubernetes, NodeNetwork, Peers and MachineMetadata. */
export const run = Effect.gen(function* () {
  const { times } = yield* Environment.profile
  const node = yield* Environment.required("MY_NODE_NAME", "the name of the Node that this Pod runs on")
  const namespace = yield* Environment.required("MY_POD_NAMESPACE", "the namespace of this Pod")
  const healthPort = yield* Environment.port("HEALTH_PORT", 8080)
  const keepsKernelLease = yield* Environment.flag("KERNEL_LEASE", true)
  const nodeAddresses = yield* Environment.addressList("MY_NODE_IPS")
  const hasWitness = yield* Environment.witness
  const key = KeyFile.read(yield* Environment.optional("WITNESS_KEY_FILE", keyFile))
  const peers = yield* Peers
  const kubernetes = yield* Kubernetes
  const { instanceId } = yield* MachineMetadata
  const podName = yield* Environment.optional("MY_POD_NAME", "")
  const operator = yield* Operator.make({
    node,
    namespace,
    nodeAddresses,
    times,
    keepsKernelLease,
    instanceId,
    witness: hasWitness ? { serveMillis: times.serveMillis, port: healthPort, peers, key } : undefined,
    whyEnding:
      podName === ""
        ? Effect.succeed("unknown")
        : Effect.provideService(whyEnding(namespace, podName), Kubernetes, kubernetes)
  })
  // Before anything is registered: the port is exclusive on the node, so a second operator of one node ends here.
  yield* HealthServer.serve({
    port: healthPort,
    liveness: Effect.succeed(true),
    readiness: operator.isReady,
    witness: operator.respond
  })
  yield* Effect.logInfo("operator started").pipe(Effect.annotateLogs({ healthPort, node }))
  return yield* Effect.onInterrupt(operator.superseded, () => operator.shutdown)
}).pipe(Effect.scoped)
