/**
 * Tells on the pools, which is where users look, on which nodes no operator runs and why. A rollout looks the same for a
 * moment, hence the patience.
 */
import { Effect } from "effect"
import { events } from "../api/Event.ts"
import { daemonSetName, daemonSetSelector } from "../api/Names.ts"
import { pods } from "../api/Pod.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { keyOf } from "../reconcile/Reflector.ts"
import type { Outcome } from "../reconcile/WorkQueue.ts"
import { Caches } from "./Caches.ts"
import * as OperatorTroubles from "./OperatorTroubles.ts"

/** For how long a node must be in trouble before anybody is told; and how often to look while something is wrong. */
const PATIENCE_MILLIS = 15_000
/** The DaemonSet changes with every Pod that starts, and each look reads all of them. */
const LOOK_MILLIS = 3_000

export class OperatorPods {
  /** For the pools' condition. */
  message: string | undefined
  /** By node. */
  private since = new Map<string, number>()

  /** True if the message changed. */
  note(troubles: ReadonlyArray<OperatorTroubles.Trouble>, namespace: string, nowMillis: number): boolean {
    this.since = new Map(troubles.map(({ where }) => [where, this.since.get(where) ?? nowMillis]))
    const lasting = troubles.filter(({ where }) => nowMillis - (this.since.get(where) ?? nowMillis) >= PATIENCE_MILLIS)
    const before = this.message
    this.message = OperatorTroubles.describe(lasting, namespace)
    return this.message !== before
  }

  /** Until the next one has lasted long enough. */
  patienceMillis(nowMillis: number): number {
    const waiting = [...this.since.values()].map((since) => since + PATIENCE_MILLIS - nowMillis)
    return Math.min(PATIENCE_MILLIS, ...waiting.filter((millis) => millis > 0))
  }
}

export interface Options {
  readonly operatorPods: OperatorPods
  readonly isLeader: Effect.Effect<boolean>
  readonly namespace: string
  /** The message changed. */
  readonly onChange: () => void
}

const labelSelector = Object.entries(daemonSetSelector)
  .map(([label, value]) => `${label}=${value}`)
  .join(",")

/** Pods and events are read while the DaemonSet counts fewer that are ready than there should be, and not followed. */
export const step = ({ isLeader, namespace, onChange, operatorPods }: Options) => {
  let nextLookMillis = Number.NEGATIVE_INFINITY
  return Effect.fnUntraced(function* (): Effect.fn.Return<Outcome, KubernetesError, Kubernetes | Caches> {
    if (!(yield* isLeader)) return "settled"
    const caches = yield* Caches
    const daemonSet = caches.daemonSets.get(keyOf({ namespace, name: daemonSetName }))
    const { desiredNumberScheduled: desired = 0, numberReady = 0 } = daemonSet?.status ?? {}
    const nowMillis = yield* monotonicMillis
    if (daemonSet === undefined || numberReady >= desired) {
      if (operatorPods.note([], namespace, nowMillis)) onChange()
      return "settled"
    }
    if (nowMillis < nextLookMillis) return { afterMillis: nextLookMillis - nowMillis }
    nextLookMillis = nowMillis + LOOK_MILLIS
    const kubernetes = yield* Kubernetes
    const { items: present } = yield* kubernetes.list(pods, { namespace, labelSelector })
    const { items: told } = yield* kubernetes.list(events, { namespace })
    const nodes = [...caches.nodes.values()]
    const troubles = OperatorTroubles.troublesOf({ daemonSet, pods: present, nodes, events: told })
    if (operatorPods.note(troubles, namespace, nowMillis)) onChange()
    return { afterMillis: operatorPods.patienceMillis(nowMillis) }
  })
}
