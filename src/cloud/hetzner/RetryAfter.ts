/**
 * `Retry-After` (RFC 9110, 10.2.3), which the API does not send and what stands before it may. More than some minutes is
 * taken for a mistake: addresses of dead nodes wait for it, too.
 */
import type { HttpReply } from "../../ports/HttpExchange.ts"

const millisMax = 300_000
const seconds = /^[0-9]+$/

/** `wallMillis`: the time of day, as dates are relative to it. 0: nothing is said, or nothing that can be read. */
export const millisOf = ({ headers }: Pick<HttpReply, "headers">, wallMillis: number): number => {
  const text = headers["retry-after"]?.trim() ?? ""
  const millis = seconds.test(text) ? Number(text) * 1_000 : Date.parse(text) - wallMillis
  return Number.isNaN(millis) ? 0 : Math.min(millisMax, Math.max(0, millis))
}
