/** What a request that got no reply has done: nothing, or nobody knows. */
import type { HttpClientError } from "effect/http"

/**
 * A connection that was never made carried nothing: refused, unreachable, unresolved, or no TLS session. Whatever is not
 * known to have failed so early counts as sent.
 */
export const mayHaveBeenSent = (error: HttpClientError.HttpClientError): boolean => {
  if (error.reason._tag === "InvalidUrlError" || error.reason._tag === "EncodeError") return false
  return error.reason._tag !== "TransportError" || !failedBeforeConnected(error.reason.cause)
}

const beforeConnected = new Set(["connect", "getaddrinfo", "socket", "bind"])

const failedBeforeConnected = (cause: unknown): boolean => {
  if (!(cause instanceof Error)) return false
  // Several addresses were tried (RFC 8305): all attempts must have failed early.
  if (cause instanceof AggregateError) return cause.errors.every(failedBeforeConnected)
  if ("syscall" in cause && typeof cause.syscall === "string") return beforeConnected.has(cause.syscall)
  if (cause.message.startsWith("Client network socket disconnected before secure TLS")) return true
  return "code" in cause && typeof cause.code === "string" && isTlsRefusal(cause.code)
}

/** OpenSSL's verification results as Node spells them, and its own. */
const isTlsRefusal = (code: string): boolean =>
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS_|ERR_SSL_)/.test(code)

export const describe = (cause: unknown): string => {
  if (cause instanceof AggregateError && cause.message === "") return cause.errors.map(describe).join(", ")
  if (cause instanceof Error) return cause.message
  return cause === undefined ? "the connection failed" : String(cause)
}
