/** The operator's process: settings from the environment, health port, and the operator itself. */
import { Effect } from "effect"
import * as HealthServer from "../live/health/HealthServer.ts"
import * as Operator from "../operator/Operator.ts"
import * as Environment from "./Environment.ts"

/** Ends only with an error: superseded by another process, or a wrong setting. Needs Kubernetes and NodeNetwork. */
export const run = Effect.gen(function* () {
  const { times } = yield* Environment.profile
  const node = yield* Environment.required("MY_NODE_NAME", "the name of the Node that this Pod runs on")
  const namespace = yield* Environment.required("MY_POD_NAMESPACE", "the namespace of this Pod")
  const healthPort = yield* Environment.port("HEALTH_PORT", 8080)
  const keepsKernelLease = yield* Environment.flag("KERNEL_LEASE", false)
  const nodeAddresses = yield* Environment.addressList("MY_NODE_IPS")
  const operator = yield* Operator.make({
    node,
    namespace,
    nodeAddresses,
    times,
    keepsKernelLease
  })
  // Before anything is registered: the port is exclusive on the node, so a second operator of one node ends here.
  yield* HealthServer.serve({ port: healthPort, liveness: Effect.succeed(true), readiness: operator.isReady })
  yield* Effect.logInfo("operator started").pipe(Effect.annotateLogs({ healthPort, node }))
  return yield* operator.superseded
}).pipe(Effect.scoped)
