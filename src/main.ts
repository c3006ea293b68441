#!/usr/bin/env node
/** All commands of `plenuslb`, and the only place where their layers are composed. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as ControllerCommand from "./cli/ControllerCommand.ts"
import * as CrdsCommand from "./cli/CrdsCommand.ts"
import { reportFailure, withUsageExitCode } from "./cli/ErrorReport.ts"
import * as Environment from "./cli/Environment.ts"
import * as FenceCommand from "./cli/FenceCommand.ts"
import * as MoveCommand from "./cli/MoveCommand.ts"
import * as PlaygroundCommand from "./cli/playground/PlaygroundCommand.ts"
import * as UninstallCommand from "./cli/UninstallCommand.ts"
import * as HetznerCloud from "./cloud/hetzner/HetznerCloud.ts"
import * as NodeHttpExchange from "./live/http/NodeHttpExchange.ts"
import * as Logging from "./live/Logging.ts"
import * as Kubeconfig from "./live/kubernetes/Kubeconfig.ts"
import * as LiveKubernetes from "./live/kubernetes/LiveKubernetes.ts"
import * as HttpPeers from "./live/peers/HttpPeers.ts"
import type { Kubernetes } from "./ports/Kubernetes.ts"
import { version } from "./cli/Version.ts"

const Cluster = LiveKubernetes.layer().pipe(Layer.provide(Kubeconfig.detect()))

const onCluster = <A, E>(program: Effect.Effect<A, E, Kubernetes>) =>
  Environment.logLevel.pipe(
    Effect.andThen(program),
    Effect.provide(Cluster),
    reportFailure,
    Effect.provide(Logging.layer(Environment.logLevel))
  )

/** `HCLOUD_ENDPOINT`, as the provider's own tools have it. */
const HetznerApi = Layer.unwrap(
  Effect.map(Environment.optional("HCLOUD_ENDPOINT", "https://api.hetzner.cloud/v1"), (endpoint) =>
    HetznerCloud.layer({ endpoint, userAgent: `plenuslb/${version}` })
  )
).pipe(Layer.provide(NodeHttpExchange.layer))

const controller = Command.make("controller", {}, () =>
  onCluster(Effect.provide(ControllerCommand.run, Layer.mergeAll(HetznerApi, HttpPeers.layer)))
).pipe(Command.withDescription("Run the controller: two replicas, one of which leads"))

const crdsApply = Command.make("apply", {}, () => onCluster(CrdsCommand.apply)).pipe(
  Command.withDescription("Apply the custom resource definitions; never deletes any")
)
const crds = Command.make("crds").pipe(
  Command.withDescription("Custom resource definitions"),
  Command.withSubcommands([crdsApply])
)

const uninstall = Command.make("uninstall", {}, () => onCluster(UninstallCommand.run)).pipe(
  Command.withDescription(
    "Release every address and take our finalizers off; what the chart's hook runs before it goes"
  )
)

const fence = Command.make(
  "fence",
  {
    node: Argument.String("node").pipe(Argument.withDescription("Name of the Node")),
    namespace: Flag.String("namespace").pipe(
      Flag.withDescription("Where PlenusLB is installed"),
      Flag.withDefault("plenuslb")
    )
  },
  ({ namespace, node }) => onCluster(Effect.flatMap(FenceCommand.run(node, namespace), Console.log))
).pipe(Command.withDescription("Say that a silent node is off, for certain: its addresses may move without its voters"))

const move = Command.make(
  "move",
  {
    service: Argument.String("service").pipe(Argument.withDescription("NAMESPACE/NAME of the Service")),
    node: Argument.String("node").pipe(Argument.withDescription("Name of the Node that is to hold its addresses")),
    address: Flag.String("address").pipe(
      Flag.withDescription("One of its addresses; all of them unless given"),
      Flag.withDefault("")
    )
  },
  ({ address, node, service }) => {
    const asked = { service, node, ...(address === "" ? {} : { address }) }
    return onCluster(Effect.flatMap(MoveCommand.run(asked), Console.log))
  }
).pipe(Command.withDescription("Move a Service's addresses to a node, as planned: the holder lets go first"))

const plenuslb = Command.make("plenuslb").pipe(
  Command.withDescription("Load balancer for Kubernetes clusters that have none"),
  Command.withSubcommands([controller, crds, fence, move, uninstall, PlaygroundCommand.command])
)

plenuslb.pipe(
  Command.run({ version }),
  withUsageExitCode,
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
