/**
 * `plenuslb move NAMESPACE/NAME NODE`: asks for a planned move of one Service's addresses, or of one of them. The controller
 * moves it as it does for a drain: the holder lets go and says so, then the next one begins.
 */
import { Data, Effect } from "effect"
import { acknowledgementsOf, entriesOf } from "../api/AllocationEntries.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import { moveTo } from "../api/Names.ts"
import { nodes } from "../api/Node.ts"
import * as Hold from "../domain/Hold.ts"
import * as MoveRequest from "../domain/MoveRequest.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"

const PATIENCE_MILLIS = 15_000
const POLL_MILLIS = 200

export class NotMoved extends Data.TaggedError("NotMoved")<{ readonly message: string }> {}

export interface Move {
  /** `shop/web`. */
  readonly service: string
  readonly node: string
  /** Absent: all of the Service's. */
  readonly address?: string | undefined
}

const read = Effect.fnUntraced(function* ({ service }: Move) {
  const kubernetes = yield* Kubernetes
  const [namespace = "", name = ""] = service.split("/")
  if (namespace === "" || name === "") {
    return yield* new NotMoved({ message: `"${service}" is no Service: write NAMESPACE/NAME.` })
  }
  return yield* kubernetes.get(ipAllocations, { namespace, name }).pipe(
    Effect.catchIf(
      ({ isGone }) => isGone,
      () => new NotMoved({ message: `Service ${service} has no address: there is no IPAllocation of that name.` })
    )
  )
})

const mustExist = Effect.fnUntraced(function* (node: string) {
  const kubernetes = yield* Kubernetes
  yield* kubernetes.get(nodes, { name: node }).pipe(
    Effect.catchIf(
      ({ isGone }) => isGone,
      () => new NotMoved({ message: `There is no Node ${node}.` })
    )
  )
})

/** Held by an operator: what it names, and under which epoch. */
const heldBy = (entries: ReadonlyArray<Hold.Entry>, { address }: Move) =>
  entries.flatMap((entry) => {
    const holder = Hold.holderOf(entry)
    const isMeant = address === undefined || entry.address === address
    return holder === undefined || entry.interfaceName === undefined || !isMeant ? [] : [{ ...holder, entry }]
  })

const isDone = Effect.fnUntraced(function* (move: Move) {
  const allocation = yield* read(move)
  const said = acknowledgementsOf(allocation)
  return heldBy(entriesOf(allocation), move).every(
    ({ entry, node }) => node === move.node && Hold.isServed(entry, said)
  )
})

/** Answers with a sentence. */
export const run = Effect.fnUntraced(function* (move: Move) {
  const kubernetes = yield* Kubernetes
  const allocation = yield* read(move)
  yield* mustExist(move.node)
  const held = heldBy(entriesOf(allocation), move)
  if (held.length === 0) {
    const what = move.address === undefined ? "no address that a node holds" : `no address ${move.address} on a node`
    return yield* new NotMoved({ message: `Service ${move.service} has ${what}.` })
  }
  const requests = held
    .filter(({ node }) => node !== move.node)
    .map(({ entry, epoch }) => ({ address: entry.address, node: move.node, epoch }))
  const told = held.map(({ entry }) => entry.address).join(", ")
  if (requests.length === 0) return `${told} is on ${move.node} already.`
  const { name, namespace, resourceVersion } = allocation.metadata
  yield* kubernetes.patch(
    ipAllocations,
    { name, namespace },
    { metadata: { resourceVersion, annotations: { [moveTo]: MoveRequest.format(requests) } } }
  )
  const moved = Effect.repeat(Effect.andThen(Effect.sleep(POLL_MILLIS), isDone(move)), { until: (done) => done })
  yield* Effect.timeoutOrElse(moved, {
    duration: PATIENCE_MILLIS,
    orElse: () =>
      new NotMoved({
        message:
          `${told} has not moved to ${move.node} within ${PATIENCE_MILLIS / 1_000} s: that node may not hold it, or the holder ` +
          "does not let go. It moves as soon as it can; to take the request back, remove the annotation " +
          `${moveTo} of IPAllocation ${move.service}. Why a node may hold nothing: docs/troubleshooting.md.`
      })
  })
  return `${told} is served by ${move.node}.`
})
