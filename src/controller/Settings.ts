/** What the controller is told by its environment, decoded and checked once at start. */
import type { Policy } from "../domain/Candidates.ts"

export interface ControllerSettings {
  readonly podName: string
  /** Our own namespace: leases, operators, secrets. */
  readonly namespace: string
  /** Part of the names of floating IPs; empty where no cloud is used. */
  readonly clusterName: string
  readonly healthPort: number
  /** Services without class are ours, as in v0.4. */
  readonly defaultLoadBalancer: boolean
  readonly loadBalancerClass: string
  /** Serve from nodes that carry `exclude-from-external-load-balancers` too (small clusters of control planes). */
  readonly ignoreExcludeLabel: boolean
  /** Own L: how long a NodeLease must be seen unchanged before its node may be fenced. */
  readonly fenceAfterMillis: number
  /** p: how often operators renew. */
  readonly renewEveryMillis: number
  /** Services in work at once. */
  readonly concurrency: number
  /** Which nodes renew every p; absent: as the design has it. */
  readonly candidates?: Policy | undefined
}
