#!/usr/bin/env node
/** The operator's entry, apart from `main.ts` so that its bundle stays small: it runs on every node. */
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import * as Environment from "./cli/Environment.ts"
import { reportFailure } from "./cli/ErrorReport.ts"
import * as OperatorCommand from "./cli/OperatorCommand.ts"
import * as Logging from "./live/Logging.ts"
import * as ClusterAccess from "./live/kubernetes/ClusterAccess.ts"
import * as LiveKubernetes from "./live/kubernetes/LiveKubernetes.ts"
import * as LinuxNodeNetwork from "./live/linux/LinuxNodeNetwork.ts"
import * as HetznerMetadata from "./live/metadata/HetznerMetadata.ts"
import * as HttpPeers from "./live/peers/HttpPeers.ts"

const Cluster = LiveKubernetes.layer().pipe(Layer.provide(ClusterAccess.inCluster()))

Environment.logLevel.pipe(
  Effect.andThen(OperatorCommand.run),
  Effect.provide(Layer.mergeAll(Cluster, LinuxNodeNetwork.layer(), HttpPeers.layer, HetznerMetadata.layer)),
  reportFailure,
  Effect.provide(Logging.layer(Environment.logLevel)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
