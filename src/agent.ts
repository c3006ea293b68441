#!/usr/bin/env node
/** The operator's entry, apart from `main.ts` so that its bundle stays small: it runs on every node. */
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Logger, References } from "effect"
import * as Environment from "./cli/Environment.ts"
import * as OperatorCommand from "./cli/OperatorCommand.ts"
import * as ClusterAccess from "./live/kubernetes/ClusterAccess.ts"
import * as LiveKubernetes from "./live/kubernetes/LiveKubernetes.ts"
import * as LinuxNodeNetwork from "./live/linux/LinuxNodeNetwork.ts"

const Logging = Layer.unwrap(
  Effect.map(Environment.logLevel, (level) =>
    Layer.mergeAll(Logger.layer([Logger.consoleJson]), Layer.succeed(References.MinimumLogLevel, level))
  )
)
const Cluster = LiveKubernetes.layer().pipe(Layer.provide(ClusterAccess.inCluster()))

OperatorCommand.run.pipe(
  Effect.provide(Layer.mergeAll(Cluster, LinuxNodeNetwork.layer(), Logging)),
  NodeRuntime.runMain
)
