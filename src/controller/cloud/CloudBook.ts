/**
 * What is known of the clouds of all pools: which project, its servers and addresses as last read, and what went wrong. Kept
 * by the queues that talk to the clouds, read synchronously by every decision, so that none waits for a provider.
 */
import { labelNames } from "../../domain/CloudClaim.ts"
import type { Lack } from "../../domain/PlanInput.ts"
import type { PoolRef } from "../../domain/Pool.ts"
import type { CloudAddress, CloudProject, CloudServer, NodeIdentity, Resolution } from "../../ports/Cloud.ts"

export const poolKeyOf = ({ kind, name }: PoolRef): string => `${kind}/${name}`

/** As last read. */
export interface ProjectView {
  readonly project: CloudProject
  /** Of the pool through which it was looked at. */
  readonly edition: string
  readonly servers: ReadonlyArray<CloudServer>
  readonly addresses: ReadonlyArray<CloudAddress>
  /** By node name. */
  readonly resolutions: ReadonlyMap<string, Resolution>
}

export class CloudBook {
  /** UID of namespace kube-system; empty until it is known. */
  cluster = ""
  /** `CLUSTER_NAME`. */
  clusterName = ""
  /** By node name. */
  readonly identities = new Map<string, NodeIdentity>()
  private readonly views = new Map<string, ProjectView>()
  private readonly poolTroubles = new Map<string, Lack>()
  private readonly serviceTroubles = new Map<string, Lack>()

  viewOf(pool: PoolRef): ProjectView | undefined {
    return this.views.get(poolKeyOf(pool))
  }

  editionOf(poolKey: string): string | undefined {
    return this.views.get(poolKey)?.edition
  }

  /** True: it is not as it was. */
  see(poolKey: string, view: ProjectView): boolean {
    const before = this.views.get(poolKey)
    this.views.set(poolKey, view)
    return before === undefined || textOf(before) !== textOf(view)
  }

  /** After an operation: every pool of the project sees it. */
  seeAddresses(project: CloudProject, addresses: ReadonlyArray<CloudAddress>): void {
    for (const [poolKey, view] of this.views) {
      if (view.project === project) this.views.set(poolKey, { ...view, addresses })
    }
  }

  /** What this cluster has bought in the project of the pool. */
  boughtIn(pool: PoolRef): ReadonlyArray<CloudAddress> {
    const { cluster, ownership } = labelNames
    return (this.viewOf(pool)?.addresses ?? []).filter(
      ({ labels }) => labels[cluster] === this.cluster && labels[ownership] === "created"
    )
  }

  forget(poolKey: string): void {
    this.views.delete(poolKey)
    this.poolTroubles.delete(poolKey)
  }

  /** Why the project of a pool cannot be used. */
  poolTrouble(pool: PoolRef): Lack | undefined {
    return this.poolTroubles.get(poolKeyOf(pool))
  }

  /** True: that is news. */
  setPoolTrouble(poolKey: string, trouble: Lack | undefined): boolean {
    return setOrDelete(this.poolTroubles, poolKey, trouble)
  }

  /** Why the last thing that was asked of a cloud for this Service was not done. */
  serviceTrouble(key: string): Lack | undefined {
    return this.serviceTroubles.get(key)
  }

  setServiceTrouble(key: string, trouble: Lack | undefined): boolean {
    return setOrDelete(this.serviceTroubles, key, trouble)
  }

  /** Servers of nodes of this cluster, in any pool's project. */
  nodeOf(view: ProjectView, server: string): string | undefined {
    for (const [node, resolution] of view.resolutions) {
      if (resolution.type === "server" && resolution.server.id === server) return node
    }
    return undefined
  }
}

/** Everything but the project, to compare. */
const textOf = ({ addresses, resolutions, servers }: ProjectView): string =>
  JSON.stringify([addresses, servers.map((server) => ({ ...server, families: [...server.families] })), ...resolutions])

const setOrDelete = (troubles: Map<string, Lack>, key: string, trouble: Lack | undefined): boolean => {
  const before = troubles.get(key)
  if (trouble === undefined) return troubles.delete(key)
  troubles.set(key, trouble)
  return before?.reason !== trouble.reason || before.message !== trouble.message
}
