/** The programs that ship, as the simulation starts them: the same code, other layers. */
import { Effect, Random } from "effect"
import { loadBalancerClass } from "../../api/Names.ts"
import * as Controller from "../../controller/Controller.ts"
import type { Policy } from "../../domain/Candidates.ts"
import { Events } from "../../controller/Events.ts"
import { leaderTimes, profiles } from "../../domain/FailoverTimes.ts"
import * as Operator from "../../operator/Operator.ts"
import type { Ending, OperatorSettings } from "../../operator/Parts.ts"
import type { MachineMetadata } from "../../ports/MachineMetadata.ts"
import type { Peers, Respond } from "../../ports/Peers.ts"
import { ownNamespace } from "./Installation.ts"

export const times = profiles.default

/** A key of its own for each run; nobody else is there to guess it. */
const newKey = Effect.map(Random.nextIntBetween(0, 2 ** 32), (number) => number.toString(16).padStart(64, "0"))

export const controller = (name: string, peers: Peers["Service"], candidates: Policy | undefined) =>
  Effect.gen(function* () {
    const nonce = yield* Random.nextIntBetween(0, 2 ** 32)
    yield* Controller.make({
      // As the command has it: a process that is started again is another candidate.
      identity: `${name}_${nonce.toString(16)}`,
      leaderTimes: leaderTimes.default,
      witness: { peers, newKey },
      settings: {
        podName: name,
        namespace: ownNamespace,
        clusterName: "simulation",
        healthPort: 8080,
        defaultLoadBalancer: true,
        loadBalancerClass,
        ignoreExcludeLabel: false,
        fenceAfterMillis: times.quietMillis,
        renewEveryMillis: times.renewMillis,
        concurrency: 64,
        candidates
      }
    }).pipe(Effect.provideServiceEffect(Events, Events.make("plenuslb-controller", name)))
    return yield* Effect.never
  })

export interface OperatorNode {
  readonly name: string
  readonly address: OperatorSettings["nodeAddresses"][number]
  /** Of the Pod, when it is to end. */
  readonly ending: Ending
  /** Undefined: another program of the machine has the health port. */
  readonly witness: OperatorSettings["witness"]
  readonly listen: (respond: Respond) => void
  readonly metadata: MachineMetadata["Service"]
}

export const operator = (node: OperatorNode) =>
  Effect.gen(function* () {
    const running = yield* Operator.make({
      node: node.name,
      namespace: ownNamespace,
      nodeAddresses: [node.address],
      times,
      keepsKernelLease: true,
      instanceId: node.metadata.instanceId,
      whyEnding: Effect.sync(() => node.ending),
      witness: node.witness
    })
    if (running.respond !== undefined) node.listen(running.respond)
    return yield* Effect.onInterrupt(running.superseded, () => running.shutdown)
  })
