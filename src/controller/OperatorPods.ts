/**
 * Whether the operators' Pods exist. Where Pod Security or a quota refuses them, the DaemonSet counts nodes that should
 * run one and has made none (`FailedCreate`); users look at the pool. A rollout looks the same for a moment, hence the
 * patience.
 */
import { daemonSetName } from "../api/Names.ts"
import type { DaemonSet } from "../api/DaemonSet.ts"

const PATIENCE_MILLIS = 15_000

export interface Shortage {
  /** Undefined: not long enough to tell anybody; ask again after `afterMillis`. */
  readonly message: string | undefined
  readonly afterMillis: number
}

export class OperatorPods {
  private sinceMillis: number | undefined

  /** Undefined: every node that should run an operator has its Pod, or nobody counts yet. */
  shortage(daemonSet: DaemonSet | undefined, nowMillis: number): Shortage | undefined {
    const { currentNumberScheduled: current = 0, desiredNumberScheduled: desired = 0 } = daemonSet?.status ?? {}
    if (daemonSet === undefined || current >= desired) {
      this.sinceMillis = undefined
      return undefined
    }
    this.sinceMillis ??= nowMillis
    const afterMillis = this.sinceMillis + PATIENCE_MILLIS - nowMillis
    if (afterMillis > 0) return { message: undefined, afterMillis }
    const { namespace = "" } = daemonSet.metadata
    const message =
      `DaemonSet ${namespace}/${daemonSetName}: ${desired - current} of ${desired} nodes have no operator Pod, so no ` +
      `address can be held there. Look at its events (kubectl -n ${namespace} describe daemonset ${daemonSetName}): the ` +
      "namespace must allow the capabilities NET_ADMIN and NET_RAW and the host network."
    return { message, afterMillis: 0 }
  }
}
