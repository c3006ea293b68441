/**
 * `plenuslb fence NODE`: a person says that a node which is silent is off, for the version of its lease that stands there now.
 * Then nobody need promise that it does not serve any more; the leader still waits until the silence has lasted for the time
 * that the lease announces, and fences by compare-and-set, so that a node that renews meanwhile keeps everything.
 */
import { Data, Effect } from "effect"
import { leases } from "../api/Lease.ts"
import { fenceRequested, nodeLeaseName } from "../api/Names.ts"
import { nodes } from "../api/Node.ts"
import * as NodeLease from "../api/NodeLease.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"

/** Three periods of the slowest profile: a node that lives renews within them. */
const WATCH_MILLIS = 6_000

export class NotFenced extends Data.TaggedError("NotFenced")<{ readonly message: string }> {}

const read = Effect.fnUntraced(function* (node: string, namespace: string) {
  const kubernetes = yield* Kubernetes
  const lease = yield* kubernetes.get(leases, { namespace, name: nodeLeaseName(node) }).pipe(
    Effect.catchIf(
      ({ isGone }) => isGone,
      () =>
        new NotFenced({
          message:
            `Node ${node} has no lease in namespace ${namespace}: it holds no address, or PlenusLB is in another ` +
            "namespace. Name that one with --namespace."
        })
    )
  )
  const content = NodeLease.read(lease)
  if (content === undefined) {
    return yield* new NotFenced({ message: `Lease ${namespace}/${lease.metadata.name} is no lease of a node.` })
  }
  if (content.fenced === content.holdId) {
    return yield* new NotFenced({ message: `Node ${node} is fenced already: nothing need be done.` })
  }
  return lease
})

/** Answers with a sentence. */
export const run = Effect.fnUntraced(function* (node: string, namespace: string) {
  const kubernetes = yield* Kubernetes
  const { metadata, spec } = yield* read(node, namespace)
  yield* Effect.sleep(WATCH_MILLIS)
  const { resourceVersion } = (yield* read(node, namespace)).metadata
  if (resourceVersion !== metadata.resourceVersion) {
    return yield* new NotFenced({
      message: `Node ${node} has renewed its lease a moment ago: it lives, and keeps its addresses. Cordon or drain it.`
    })
  }
  yield* kubernetes
    .patch(nodes, { name: node }, { metadata: { annotations: { [fenceRequested]: resourceVersion } } })
    .pipe(
      Effect.catchIf(
        ({ isGone }) => isGone,
        () =>
          new NotFenced({
            message: `There is no Node ${node}, which could say so. See HolderGone in docs/troubleshooting.md.`
          })
      )
    )
  return (
    `Node ${node} may be taken over as of its renewal of ${spec?.renewTime ?? "unknown time"} (its own clock), lease version ` +
    `${resourceVersion}. Should it renew after all, this says nothing.`
  )
})
