/** The operators, deployed: what all of them are told, and their DaemonSet. */
import { Effect } from "effect"
import { daemonSetName } from "../api/Names.ts"
import type { Kubernetes, KubernetesError } from "../ports/Kubernetes.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import * as Reflector from "../reconcile/Reflector.ts"
import type * as WorkQueue from "../reconcile/WorkQueue.ts"
import type { Adoption } from "./Adoption.ts"
import type { Books } from "./Books.ts"
import { Caches } from "./Caches.ts"
import * as CandidateChoice from "./CandidateChoice.ts"
import { LATE_MILLIS } from "./CandidateList.ts"
import * as Members from "./Members.ts"
import type { NodeBook } from "./NodeBook.ts"
import * as NodeConfigWriter from "./NodeConfigWriter.ts"
import type * as NodeFailure from "./NodeFailure.ts"
import * as OperatorDaemonSet from "./OperatorDaemonSet.ts"
import type { ControllerSettings } from "./Settings.ts"

/** How soon to look again whether a node that is silent is to be named no more. */
const SILENT_LOOK_MILLIS = 10_000

export interface Deploying {
  readonly settings: ControllerSettings
  readonly books: Books
  readonly nodeBook: NodeBook
  readonly witness: NodeFailure.Asking | undefined
}

/** Only candidates may be voters: others renew so seldom that they do not notice what they would be asked. */
const nodesOf = (
  registered: ReadonlyArray<Members.RegisteredNode>,
  { names }: CandidateChoice.Choice,
  { books, nodeBook, witness }: Pick<Deploying, "books" | "nodeBook" | "witness">
): NodeConfigWriter.Nodes => {
  const [fenced, macs] = [nodeBook.fencedHoldIds(), nodeBook.macs()]
  const voting = registered.filter(({ content }) => names?.includes(content.node) ?? true)
  return {
    ...(names === undefined ? {} : { candidates: names }),
    ...(macs.length === 0 ? {} : { macs }),
    ...(witness === undefined ? {} : { members: Members.membersOf(voting) }),
    ...(witness === undefined || fenced.length === 0 ? {} : { fenced }),
    ...(books.clouds.haveSaidIds() ? { nodesSayIds: true } : {})
  }
}

/** Said when it is news: a node that changes, or is silent, has it found again each time. */
class MissingTemplate {
  private told: string | undefined

  tell(message: string | undefined) {
    const isNews = message !== this.told
    this.told = message
    return message !== undefined && isNews
      ? Effect.logError("operators cannot be deployed").pipe(Effect.annotateLogs({ reason: message }))
      : Effect.void
  }
}

/** The ConfigMap comes first: an operator that starts must find what it may clean. And what it must keep (Adoption). */
const deploy = Effect.fnUntraced(function* (
  deploying: Deploying,
  adoption: Adoption,
  missingTemplate: MissingTemplate
): Effect.fn.Return<WorkQueue.Outcome, KubernetesError, Kubernetes | Caches> {
  const { nodeBook, settings, witness } = deploying
  const caches = yield* Caches
  const nowMillis = yield* monotonicMillis
  const registered = nodeBook.registered(nowMillis)
  const candidates = CandidateChoice.choose({ ...deploying, ...settings }, registered, nowMillis)
  const wanted = yield* NodeConfigWriter.write(settings.namespace, nodesOf(registered, candidates, deploying))
  if (wanted && witness !== undefined) yield* witness.secret.ensure
  const ref = { namespace: settings.namespace, name: OperatorDaemonSet.templateConfigMapName }
  const present = caches.daemonSets.get(Reflector.keyOf({ namespace: settings.namespace, name: daemonSetName }))
  const template = caches.configMaps.get(Reflector.keyOf(ref))
  const change = OperatorDaemonSet.plan(wanted, template, present, settings.namespace)
  const isSilent = witness !== undefined && registered.some((each) => each.isSilent)
  const lookMillis = candidates.isPending ? LATE_MILLIS : SILENT_LOOK_MILLIS
  const settled = isSilent || candidates.isPending ? { afterMillis: lookMillis } : "settled"
  const isMissing = change?._tag === "TemplateMissing"
  yield* missingTemplate.tell(isMissing ? change.message : undefined)
  if (change === undefined || isMissing) return settled
  const starts = change._tag === "Create" || change._tag === "Replace"
  const afterMillis = starts ? adoption.millisToWait(yield* monotonicMillis) : 0
  if (afterMillis > 0) return { afterMillis }
  const written = yield* OperatorDaemonSet.apply(change)
  if (written !== undefined) caches.daemonSets.absorb(written)
  yield* Effect.logInfo("operators deployed").pipe(Effect.annotateLogs({ change: change._tag }))
  const left = starts ? adoption.pending() : []
  if (left.length > 0) {
    yield* Effect.logWarning("operators deployed before these were adopted").pipe(
      Effect.annotateLogs({ allocations: left.slice(0, 20).join(" "), count: left.length })
    )
  }
  return settled
})

export const step = (deploying: Deploying, adoption: Adoption) => {
  const missingTemplate = new MissingTemplate()
  return () => deploy(deploying, adoption, missingTemplate)
}
