/**
 * Whether this node's fence is gone round, for its log and its NodeLease, and whether its kernel drops clients, for its log. It
 * is said and no more: addresses are served all the same. A node that has just started may have an operator before it has
 * kube-proxy, hence what is told was found twice in a row.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import { bypassOf, type PacketPath } from "../domain/FenceBypass.ts"
import * as ReversePath from "../domain/ReversePath.ts"
import type { NodeNetworkError } from "../ports/NodeNetwork.ts"
import { forkForEver } from "../reconcile/ForEver.ts"

/** Six to ten short processes each. */
const CHECK_MILLIS = 30_000

export interface Options {
  /** Where clients come from, as the fence knows it. */
  readonly uplinks: () => ReadonlyArray<string>
  readonly packetPath: (uplinks: ReadonlyArray<string>) => Effect.Effect<PacketPath, NodeNetworkError>
}

/** Logged when it was found twice in a row, and again when it changes. */
const newNotice = (warning: string, ended: string) => {
  let found: string | undefined
  let told: string | undefined
  const note = (now: string | undefined) => {
    const isLasting = now === found
    found = now
    if (!isLasting || now === told) return Effect.void
    told = now
    return now === undefined
      ? Effect.logInfo(ended)
      : Effect.logWarning(warning).pipe(Effect.annotateLogs({ found: now }))
  }
  return { note, told: () => told }
}

/** What cannot be looked at leaves what was known. */
export const follow = Effect.fnUntraced(function* ({
  packetPath,
  uplinks
}: Options): Effect.fn.Return<() => string | undefined, never, Scope.Scope> {
  let failed: string | undefined
  const bypass = newNotice("FenceBypassed", "the fence is not bypassed any more")
  const reverse = newNotice("an uplink may drop clients", "no uplink drops clients any more")
  const note = (path: PacketPath) => {
    failed = undefined
    return Effect.andThen(bypass.note(bypassOf(path)), reverse.note(ReversePath.describe(path.strictUplinks)))
  }
  const notSeen = ({ message }: NodeNetworkError) => {
    if (message === failed) return Effect.void
    failed = message
    return Effect.logWarning("not seen whether the fence is bypassed").pipe(Effect.annotateLogs({ error: message }))
  }
  const look = Effect.suspend(() => packetPath(uplinks())).pipe(
    Effect.matchEffect({ onSuccess: note, onFailure: notSeen })
  )
  // Not before the first rounds, which tell the fence by which interfaces clients come.
  yield* forkForEver("preflight", Effect.andThen(Effect.sleep(CHECK_MILLIS), look))
  return bypass.told
})

/** Where the kernel keeps no lease there is no fence to go round. */
export const none = Effect.succeed((): string | undefined => undefined)
