/** The programs that ship, as the simulation starts them: the same code, other layers. */
import { Effect, Random } from "effect"
import { loadBalancerClass } from "../../api/Names.ts"
import * as Controller from "../../controller/Controller.ts"
import { Events } from "../../controller/Events.ts"
import { leaderTimes, profiles } from "../../domain/FailoverTimes.ts"
import * as Operator from "../../operator/Operator.ts"
import type { Ending, OperatorSettings } from "../../operator/Parts.ts"
import { ownNamespace } from "./Installation.ts"

export const times = profiles.default

export const controller = (name: string) =>
  Effect.gen(function* () {
    const nonce = yield* Random.nextIntBetween(0, 2 ** 32)
    yield* Controller.make({
      // As the command has it: a process that is started again is another candidate.
      identity: `${name}_${nonce.toString(16)}`,
      leaderTimes: leaderTimes.default,
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
        concurrency: 64
      }
    }).pipe(Effect.provideServiceEffect(Events, Events.make("plenuslb-controller", name)))
    return yield* Effect.never
  })

export interface OperatorNode {
  readonly name: string
  readonly address: OperatorSettings["nodeAddresses"][number]
  /** Of the Pod, when it is to end. */
  readonly ending: Ending
}

export const operator = (node: OperatorNode) =>
  Effect.gen(function* () {
    const running = yield* Operator.make({
      node: node.name,
      namespace: ownNamespace,
      nodeAddresses: [node.address],
      times,
      keepsKernelLease: true,
      whyEnding: Effect.sync(() => node.ending)
    })
    return yield* Effect.onInterrupt(running.superseded, () => running.shutdown)
  })
