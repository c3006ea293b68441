/**
 * What is known of the clouds of all pools: which project, its servers and addresses as last read, and what went wrong. Kept
 * by the queues that talk to the clouds, read synchronously by every decision, so that none waits for a provider.
 */
import type { Address } from "../../domain/Address.ts"
import * as CloudClaim from "../../domain/CloudClaim.ts"
import type { Lack } from "../../domain/PlanInput.ts"
import type { PoolRef } from "../../domain/Pool.ts"
import { Absences } from "./Absences.ts"
import { readOnlyOf, type Trouble } from "./CloudTrouble.ts"
import * as ProjectTrust from "./ProjectTrust.ts"
import type {
  CloudAddress,
  CloudError,
  CloudProject,
  CloudServer,
  NodeIdentity,
  Resolution,
  Unreadable
} from "../../ports/Cloud.ts"

const { labelNames } = CloudClaim

/** One would do; others may be machines of which the provider knows nothing. */
const departedMax = 20

export const poolKeyOf = ({ kind, name }: PoolRef): string => `${kind}/${name}`

/** As last read. */
export interface ProjectView {
  readonly project: CloudProject
  /** Of the pool through which it was looked at. */
  readonly edition: string
  readonly servers: ReadonlyArray<CloudServer>
  readonly addresses: ReadonlyArray<CloudAddress>
  /** Beside these and the servers. */
  readonly unreadable: ReadonlyArray<Unreadable>
  /** By node name. */
  readonly resolutions: ReadonlyMap<string, Resolution>
  /** Granted by the pool, and deleted at the provider. */
  readonly deleted: ReadonlySet<Address>
}

export interface KnownServer {
  readonly project: CloudProject
  readonly id: string
}

export class CloudBook {
  /** UID of namespace kube-system; empty until it is known. */
  cluster = ""
  /** `CLUSTER_NAME`. */
  clusterName = ""
  /** By node name. */
  readonly identities = new Map<string, NodeIdentity>()
  /** By node name, what the machine itself says of it. */
  readonly instanceIds = new Map<string, string>()
  /** The Service whose IPAllocation has this UID and grants or intends anything; undefined: there is none. */
  holderOf: (claim: string) => string | undefined = () => undefined
  /** Addresses of clouds that an IPAllocation says are to be on this node. */
  addressesOn: (node: string) => ReadonlySet<Address> = () => new Set()
  /** Ids of addresses that are being routed, or may have been by what was not answered: no list tells where they are. */
  readonly underWay = new Set<string>()
  /** Ids of addresses that are being given back: they are there, and nobody's to grant any more. */
  readonly returning = new Set<string>()
  readonly absences = new Absences()
  /** By node name: its server, by the id that the Node says, in the project that had it at some time. */
  private readonly serversByNode = new Map<string, KnownServer>()
  /** Some Node has said its id, now or before, also to a controller before this one. */
  private saysIds = false
  onSaidIds: () => void = () => {}
  /** Nodes that left since a project was read, with what they said of themselves. */
  private departed: ReadonlyArray<NodeIdentity> = []
  private readonly views = new Map<string, ProjectView>()
  /** Of each view, what was told of it: an operation's list may have shown by the way what others did meanwhile. */
  private readonly told = new Map<string, string>()
  private readonly poolTroubles = new Map<string, Trouble>()
  /** Apart from `poolTroubles`: nothing is asked while there is one of those, and only a write tells that it may. */
  private readonly readOnly = new Map<CloudProject, Trouble>()
  /** Whether its token may write is another by now. */
  onRight: (poolKeys: ReadonlyArray<string>, mayWrite: boolean) => void = () => {}
  private readonly serviceTroubles = new Map<string, Trouble>()
  /** What was asked of a cloud for a Service and is tried again by itself, by its key. */
  private readonly retried = new Map<string, string>()

  viewOf(pool: PoolRef): ProjectView | undefined {
    return this.views.get(poolKeyOf(pool))
  }

  editionOf(poolKey: string): string | undefined {
    return this.views.get(poolKey)?.edition
  }

  /** What was known of it by the same token. */
  viewOfProject(poolKey: string, project: CloudProject): ProjectView | undefined {
    const view = this.views.get(poolKey)
    return view?.project === project ? view : undefined
  }

  /** True: it is not as it was told. */
  see(poolKey: string, view: ProjectView): boolean {
    const [before, now] = [this.told.get(poolKey), textOf(view)]
    this.views.set(poolKey, view)
    this.learnServers(view)
    this.told.set(poolKey, now)
    return before !== now
  }

  serverOfNode(node: string): KnownServer | undefined {
    return this.serversByNode.get(node)
  }

  /** One that is gone is remembered: that its project had it once is what tells it from another project's. */
  private learnServers({ project, resolutions }: ProjectView): void {
    for (const [node, resolution] of resolutions) {
      const known = this.serversByNode.get(node)
      if (resolution.type === "server" && resolution.isById) {
        this.serversByNode.set(node, { project, id: resolution.server.id })
      } else if (known?.project === project && !(resolution.type === "gone" && resolution.id === known.id)) {
        this.serversByNode.delete(node)
      }
    }
  }

  /** After an operation: every pool of the project sees it. */
  seeAddresses(project: CloudProject, addresses: ReadonlyArray<CloudAddress>): void {
    for (const [poolKey, view] of this.views) {
      if (view.project === project) this.views.set(poolKey, { ...view, addresses })
    }
  }

  /** Pools of one project, this one first: an address may go from one to another (promotion). */
  keysSharing(poolKey: string): ReadonlyArray<string> {
    const project = this.views.get(poolKey)?.project
    const others = [...this.views].filter(([key, view]) => key !== poolKey && view.project === project)
    return [poolKey, ...others.map(([key]) => key)]
  }

  /** Names of these. */
  poolsSharing(poolKey: string): ReadonlyArray<string> {
    return this.keysSharing(poolKey).map((key) => key.slice(key.indexOf("/") + 1))
  }

  /** What this cluster has bought in the project of the pool. */
  boughtIn(pool: PoolRef): ReadonlyArray<CloudAddress> {
    return this.labelledIn(pool).filter((each) => CloudClaim.ownershipOf(each.labels) === "created")
  }

  /** What this cluster has bought there, as its labels say, or its name where these are not understood either. */
  boughtUnreadableIn(pool: PoolRef): ReadonlyArray<Unreadable> {
    const { addresses = [], unreadable = [] } = this.viewOf(pool) ?? {}
    return unreadable.filter(({ id, kind, labels, name = "" }) => {
      if (kind !== "address" || addresses.some((each) => each.id === id)) return false
      if (labels === undefined) return name.startsWith(CloudClaim.namePrefix)
      return labels[labelNames.cluster] === this.cluster && CloudClaim.ownershipOf(labels) === "created"
    })
  }

  /** What is this cluster's for the time being: bought, or its user's. */
  labelledIn(pool: PoolRef): ReadonlyArray<CloudAddress> {
    return (this.viewOf(pool)?.addresses ?? []).filter(
      ({ labels }) => labels[labelNames.cluster] === this.cluster && CloudClaim.ownershipOf(labels) !== undefined
    )
  }

  /**
   * Another has led since projects were read, and may have bought and routed; what kept us from reading may be over, and what
   * was refused to us may have been done.
   */
  beginTerm(): void {
    this.views.clear()
    this.told.clear()
    this.poolTroubles.clear()
    this.serversByNode.clear()
    this.absences.clear()
    this.serviceTroubles.clear()
    this.retried.clear()
  }

  identityOf(node: string): NodeIdentity | undefined {
    const identity = this.identities.get(node)
    return identity === undefined ? undefined : { ...identity, instanceId: this.instanceIds.get(node) }
  }

  /** That it said an id counts for the next read, which may be the first: names prove less from then on. */
  forgetNode(node: string): void {
    const identity = this.identityOf(node)
    if (identity !== undefined && !this.saysIds) this.departed = [...this.departed, identity].slice(-departedMax)
    this.identities.delete(node)
  }

  /** Names prove no project from now on. */
  noteSaidIds(): void {
    if (this.saysIds) return
    this.saysIds = true
    this.onSaidIds()
  }

  haveSaidIds(): boolean {
    return this.saysIds
  }

  /** What is to be resolved beside the Nodes there are, to learn whether Nodes say ids. */
  departedNodes(): ReadonlyArray<NodeIdentity> {
    return this.departed
  }

  /** By the evidence that there is now; that Nodes say ids is kept, for while those that do are away. */
  trust(
    addresses: ProjectTrust.Seen["addresses"],
    resolutions: ReadonlyMap<string, Resolution>,
    ofDeparted: ReadonlyArray<Resolution>
  ): ProjectTrust.Trust {
    const all = [...resolutions.values()]
    if ([...all, ...ofDeparted].some(ProjectTrust.saysId)) this.noteSaidIds()
    this.departed = []
    return ProjectTrust.trustIn({ addresses, resolutions: all, cluster: this.cluster, saysIds: this.saysIds })
  }

  /** What its token opened is nothing to go by any more. */
  forgetView(poolKey: string): void {
    this.views.delete(poolKey)
    this.told.delete(poolKey)
  }

  forget(poolKey: string): void {
    this.views.delete(poolKey)
    this.told.delete(poolKey)
    this.poolTroubles.delete(poolKey)
  }

  /** Why the project of a pool cannot be used. */
  poolTrouble(pool: PoolRef): Lack | undefined {
    return lackIn(this.poolTroubles, poolKeyOf(pool))
  }

  /** True: that is news. */
  setPoolTrouble(poolKey: string, trouble: Trouble | undefined): boolean {
    return setOrDelete(this.poolTroubles, poolKey, trouble)
  }

  /** Why the token of a pool whose project is known may not write. */
  readOnlyTrouble(pool: PoolRef): Lack | undefined {
    const project = this.viewOf(pool)?.project
    return project && lackIn(this.readOnly, project)
  }

  /** What became of writes there by now. */
  learnRight(project: CloudProject, refused: CloudError | undefined): void {
    const isNews = setOrDelete(this.readOnly, project, refused && readOnlyOf(refused))
    const poolKeys = [...this.views].flatMap(([key, view]) => (view.project === project ? [key] : []))
    if (isNews) this.onRight(poolKeys, refused === undefined)
  }

  /** Why the last thing that was asked of a cloud for this Service was not done. */
  serviceTrouble(key: string): Lack | undefined {
    return lackIn(this.serviceTroubles, key)
  }

  setServiceTrouble(key: string, trouble: Trouble | undefined): boolean {
    return setOrDelete(this.serviceTroubles, key, trouble)
  }

  /** Of Services with such a trouble. */
  refusedKeys(): Iterable<string> {
    return this.serviceTroubles.keys()
  }

  /** `asked` undefined: nothing is. */
  setRetried(key: string, asked: string | undefined): void {
    if (asked === undefined) this.retried.delete(key)
    else this.retried.set(key, asked)
  }

  /** The provider has refused this very thing, and its pause must not be cut short by our own looking at the Service. */
  isRetried(key: string, asked: string): boolean {
    return this.retried.get(key) === asked
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
const textOf = ({ addresses, deleted, resolutions, servers, unreadable }: ProjectView): string =>
  JSON.stringify([
    addresses,
    unreadable,
    servers.map((server) => ({ ...server, families: [...server.families] })),
    [...deleted],
    ...resolutions
  ])

const lackIn = <K>(troubles: ReadonlyMap<K, Trouble>, key: K): Lack | undefined => {
  const trouble = troubles.get(key)
  return trouble && { reason: trouble.reason, message: trouble.message }
}

const setOrDelete = <K>(troubles: Map<K, Trouble>, key: K, trouble: Trouble | undefined): boolean => {
  if (trouble === undefined) return troubles.delete(key)
  if (troubles.get(key)?.essence === trouble.essence) return false
  troubles.set(key, trouble)
  return true
}
