/**
 * The provider's word that a server is off or gone, as evidence that its node is dead: it skips the time for which a lease
 * must have been silent, never the compare-and-set (failover, "Fast paths").
 *
 * It must be younger than the lease version that is fenced, or a node that has booted since would be fenced alive: the server
 * is asked when the lease is silent already, and never looked up in a list. A server that is only called like the Node may
 * be another machine; and that there is none of an id says something only where the project had it before.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import type { CloudServer } from "../../ports/Cloud.ts"
import type { Kubernetes } from "../../ports/Kubernetes.ts"
import { forkForEver } from "../../reconcile/ForEver.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"
import type { KnownLease, Silence } from "../LeaseBook.ts"
import type { NodeBook } from "../NodeBook.ts"
import * as NodeFailure from "../NodeFailure.ts"
import type { CloudBook } from "./CloudBook.ts"

export interface Options extends NodeFailure.FenceOptions {
  readonly book: CloudBook
  /** Whether some IPAllocation names the node: for others nobody spends a request. */
  readonly isNamed: (node: string) => boolean
}

const evidenceIn = (server: CloudServer | undefined): string | undefined => {
  if (server === undefined || server.state === "gone") return "the provider has no such server any more"
  return server.state === "off" ? "the provider says that its server is off" : undefined
}

const isUnchanged = (nodeBook: NodeBook, { content, lease }: KnownLease): boolean =>
  nodeBook.leases.byNode.get(content.node)?.lease.metadata.resourceVersion === lease.metadata.resourceVersion

const ask = Effect.fnUntraced(
  function* (known: KnownLease, options: Options) {
    const { book, isLeader, nodeBook } = options
    const server = book.serverOfNode(known.content.node)
    if (server === undefined) return
    const evidence = evidenceIn(yield* server.project.server(server.id, "failover"))
    // It may have waited for its turn, while the node renewed.
    if (evidence === undefined || !isUnchanged(nodeBook, known) || !(yield* isLeader)) return
    yield* NodeFailure.tryFence(known, evidence, options)
  },
  (effect, { content }) =>
    Effect.catchTag(effect, "CloudError", (error) =>
      Effect.logInfo("server not asked").pipe(Effect.annotateLogs({ node: content.node, error: error.message }))
    )
)

/** Of one lease version: at which silence its server was asked last. A longer one costs few more requests. */
class Asked {
  private readonly byNode = new Map<string, { readonly version: string; readonly quietMillis: number }>()
  private readonly underWay = new Set<string>()

  isDue({ known: { content, lease }, quietMillis }: Silence): boolean {
    const last = this.byNode.get(content.node)
    if (this.underWay.has(content.node)) return false
    const isSame = last !== undefined && last.version === lease.metadata.resourceVersion
    return !isSame || quietMillis >= 2 * last.quietMillis
  }

  whileAsking<A, E, R>({ known: { content, lease }, quietMillis }: Silence, effect: Effect.Effect<A, E, R>) {
    this.byNode.set(content.node, { version: lease.metadata.resourceVersion ?? "", quietMillis })
    this.underWay.add(content.node)
    return Effect.ensuring(
      effect,
      Effect.sync(() => void this.underWay.delete(content.node))
    )
  }
}

/** Beside the takeover, which must not wait for a provider. */
export const run = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<void, never, Kubernetes | Scope.Scope> {
  const { book, isLeader, isNamed, nodeBook } = options
  const asked = new Asked()
  const round = Effect.gen(function* () {
    const silences = nodeBook.leases
      .silences(yield* monotonicMillis)
      .filter((each) => isNamed(each.known.content.node) && book.serverOfNode(each.known.content.node) !== undefined)
    for (const silence of silences.filter((each) => asked.isDue(each))) {
      if (yield* isLeader) yield* Effect.forkScoped(asked.whileAsking(silence, ask(silence.known, options)))
    }
    yield* Effect.sleep(nodeBook.leases.counts.periodMillis / 2)
  })
  yield* forkForEver("evidence of servers", round)
})
