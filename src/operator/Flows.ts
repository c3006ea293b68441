/**
 * Has the kernel forget what it knows of UDP flows to addresses that come or go. A client that sends from one port all the time
 * keeps an old entry alive, and with it an old translation: to an endpoint that was, or to none. TCP is left alone: Pods of this
 * node have connections to the address whoever holds it, and those would break.
 */
import { Effect, type Scope } from "effect"
import type { PoolNetwork } from "../api/NodeConfig.ts"
import type { Address } from "../domain/Address.ts"
import { hostPrefixLength } from "../domain/HostAddress.ts"
import type { Change } from "../domain/InterfacePlan.ts"
import type { Duty } from "../domain/NodeDuty.ts"
import { NodeNetwork } from "../ports/NodeNetwork.ts"

/**
 * Addresses that arrive under an epoch under which this node has not served, and those that leave it. What somebody took off and
 * is put back has flows that are in use.
 */
export const concerned = (
  changes: ReadonlyArray<Change>,
  duties: ReadonlyArray<Duty>,
  pools: ReadonlyArray<Pick<PoolNetwork, "interfaceName" | "flushConntrack">>
): ReadonlyArray<Address> => {
  const kept = new Set(pools.flatMap((each) => (each.flushConntrack === false ? [each.interfaceName] : [])))
  const own = new Map(duties.map(({ address, isSaid }) => [address, isSaid]))
  const isConcerned = (change: Change) =>
    change._tag === "Add"
      ? own.get(change.address) === false
      : !own.has(change.address) && change.prefixLength === hostPrefixLength(change.address)
  return changes
    .filter((change) => !kept.has(change.interfaceName) && isConcerned(change))
    .map(({ address }) => address)
}

/** Beside the rounds: with many addresses it takes a second, and none of them waits for it. */
export const make: Effect.Effect<
  (addresses: ReadonlyArray<Address>) => Effect.Effect<void>,
  never,
  NodeNetwork | Scope.Scope
> = Effect.gen(function* () {
  const network = yield* NodeNetwork
  const scope = yield* Effect.scope
  return (addresses) =>
    addresses.length === 0
      ? Effect.void
      : network.forgetFlows(addresses).pipe(
          Effect.catch(({ message }) =>
            Effect.logWarning("flows not forgotten").pipe(Effect.annotateLogs({ error: message }))
          ),
          Effect.forkIn(scope),
          Effect.asVoid
        )
})
