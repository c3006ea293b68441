/** What the Services are told of which the IPAllocations claim one address: two leaders granted it, or a hand wrote one. */
import * as Hold from "../domain/Hold.ts"
import type { Lack } from "../domain/PlanInput.ts"
import * as Refusal from "../domain/Refusal.ts"
import type { ServiceRequest } from "../domain/ServiceRequest.ts"
import type { Claims } from "./Claims.ts"

interface About {
  /** `shop/web`. */
  readonly key: string
  readonly request: ServiceRequest
  readonly acknowledgements: ReadonlyArray<Hold.Acknowledgement>
}

/** The other one has it: of these entries this Service lets go. */
export const lost = ({ key, request }: About, claims: Claims, entries: ReadonlyArray<Hold.Entry>): Lack | undefined => {
  const [first] = entries
  const rival = first === undefined ? undefined : claims.rivalOf(first.address, key)
  if (first === undefined || rival === undefined) return undefined
  const holder = { namespace: rival.namespace, name: rival.name }
  return {
    reason: "AddressGrantedTwice",
    message: `${Refusal.describe(request, { reason: "AddressTaken", address: first.address, holder })} (It was granted to both.)`
  }
}

/** This Service has it, and its node refuses to serve it until the other one has let go (failover R8). */
export const contested = (
  { acknowledgements, key }: About,
  claims: Claims,
  entries: ReadonlyArray<Hold.Entry>
): Lack | undefined => {
  for (const entry of entries) {
    const other = claims.loserTo(entry.address, key)
    if (other === undefined || Hold.isServed(entry, acknowledgements)) continue
    return {
      reason: "AddressClaimedTwice",
      message:
        `${entry.address} was granted to ${other.key}, too, which has to let go of it before a node serves it here. ` +
        `If that lasts, look at kubectl get ipa -n ${other.namespace} ${other.name}.`
    }
  }
  return undefined
}
