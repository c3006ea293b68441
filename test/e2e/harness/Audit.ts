/** What was written, by the API server's own log: every write that happened is in it (`blocking-strict`). */
import { open, stat } from "node:fs/promises"
import { auditLog } from "./Lab.ts"
import { namespace as ours } from "./Product.ts"

/** A place in the log. */
export type Mark = number

export const mark = async (): Promise<Mark> => (await stat(auditLog)).size

interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly resource: string
    readonly namespace?: string
    readonly name?: string
    readonly subresource?: string
  }
  readonly responseStatus?: { readonly code?: number }
}

const read = async (since: Mark): Promise<ReadonlyArray<AuditEvent>> => {
  const file = await open(auditLog)
  try {
    const length = (await file.stat()).size - since
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, since)
    // The last line may be half written.
    const lines = buffer.subarray(0, bytesRead).toString().split("\n").slice(0, -1)
    return lines.map((line): AuditEvent => JSON.parse(line))
  } finally {
    await file.close()
  }
}

export interface Write {
  /** `controller` or `operator`. */
  readonly by: string
  /** `patch services/status`, say. */
  readonly what: string
  readonly namespace: string
  readonly name: string
}

const accounts: { readonly [username: string]: string } = {
  [`system:serviceaccount:${ours}:plenuslb`]: "controller",
  [`system:serviceaccount:${ours}:plenuslb-operator`]: "operator"
}

/** Writes of ours that succeeded since the mark, in their order, on Services and IPAllocations, or on what is named. */
export const writesSince = async (
  since: Mark,
  resources: ReadonlyArray<string> = ["services", "ipallocations"]
): Promise<ReadonlyArray<Write>> =>
  (await read(since)).flatMap(({ objectRef, responseStatus, user, verb }) => {
    const by = accounts[user.username]
    const isCounted = objectRef !== undefined && resources.includes(objectRef.resource)
    if (by === undefined || !isCounted || (responseStatus?.code ?? 0) >= 300) return []
    const { name = "", namespace = "", resource, subresource } = objectRef
    return [{ by, what: `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`, namespace, name }]
  })
