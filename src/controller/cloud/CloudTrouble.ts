/** What a provider's refusal means to users, with the provider's own words and what to do. */
import type { Lack } from "../../domain/PlanInput.ts"
import type { CloudError } from "../../ports/Cloud.ts"

/** By the tag of the error's reason. */
const meanings: { readonly [Tag in CloudError["reason"]["_tag"]]: { readonly reason: string; readonly cure: string } } =
  {
    Unauthorized: {
      reason: "CloudUnauthorized",
      cure: "The token is refused: put a valid one into the Secret that the pool names."
    },
    Forbidden: {
      reason: "CloudForbidden",
      cure: "The token may only read, or the project may not do this: use a token that may read and write."
    },
    NotFound: { reason: "CloudNotFound", cure: "It is not in the project of this token any more." },
    NameTaken: {
      reason: "CloudNameTaken",
      cure: "Rename the one that has this name; it is not this Service's."
    },
    Conflict: { reason: "CloudConflict", cure: "Something else changed it meanwhile; it is tried again." },
    Locked: { reason: "CloudLocked", cure: "Another operation works on it; it is tried again." },
    Assigned: { reason: "CloudAssigned", cure: "It is unassigned first; it is tried again." },
    Protected: { reason: "CloudProtected", cure: "Take off its delete protection if it may be deleted." },
    QuotaExceeded: {
      reason: "CloudQuotaExceeded",
      cure: "Ask the provider for a higher limit, or delete addresses that nobody uses."
    },
    OutOfStock: {
      reason: "CloudOutOfStock",
      cure: "The provider has none there now; spec.homeLocation of the pool can name another place."
    },
    RateLimited: {
      reason: "CloudRateLimited",
      cure: "All requests of the project are used up, perhaps by another program; it is tried again."
    },
    Refused: { reason: "CloudRefused", cure: "The provider refuses it as it was asked." },
    OperationFailed: { reason: "CloudOperationFailed", cure: "The provider began and failed; it is tried again." },
    Unavailable: { reason: "CloudUnavailable", cure: "The provider cannot be reached now; it is tried again." },
    ReplyLost: { reason: "CloudReplyLost", cure: "What became of it is looked up, then it goes on." },
    Malformed: {
      reason: "CloudMalformed",
      cure:
        "Is the endpoint (hetzner.endpoint of the chart) the provider's API? If it is, this version does not know what it " +
        "says: nothing is done with it, and a newer version may know."
    }
  }

/** A lack, and what of it is the same each time that it happens. */
export interface Trouble extends Lack {
  readonly essence: string
}

/** The correlation id is another each time, and no news. */
export const troubleOf = (error: CloudError): Trouble => {
  const { cure, reason } = meanings[error.reason._tag]
  const essence = `${reason} ${error.request} ${error.code} ${error.detail}`
  return { reason, message: `the cloud says: ${error.message}. ${cure}`, essence }
}

/** Of the whole pool: nothing can be bought, routed or given back with its token. The same, whichever write was refused. */
export const readOnlyOf = (error: CloudError): Trouble => ({
  reason: "TokenReadOnly",
  message:
    `the token may only read. The cloud says: ${error.message}. Put one that may read and write into the Secret that ` +
    "the pool names; no restart is needed. Until then what is served stays, and each write is tried again by itself.",
  essence: `${error.code} ${error.detail}`
})

export const lasting = (lack: Lack): Trouble => ({ ...lack, essence: `${lack.reason} ${lack.message}` })
