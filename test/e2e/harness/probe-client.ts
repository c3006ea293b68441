/**
 * `node probe-client.ts ADDRESS PORT PERIOD_MILLIS`, in the client's network namespace: one numbered datagram per period,
 * one JSON line of `ProbeReport` for each line "report" on standard input; "restart" forgets the gaps so far. A program of its
 * own, so that no test's work delays it.
 */
import { createSocket } from "node:dgram"
import { createInterface } from "node:readline"

export interface ProbeReport {
  /** Since the restart; those on their way at this moment count as sent. */
  readonly sent: number
  readonly received: number
  readonly perSecond: number
  /** Since the restart, between two replies, or since the last reply: an outage that goes on counts. */
  readonly longestGapMillis: number
  /** Sequence number of the newest probe that was answered. */
  readonly lastAnswered: number
}

const [address = "", port = "", period = ""] = process.argv.slice(2)
const periodMillis = Number(period)
const socket = createSocket(address.includes(":") ? "udp6" : "udp4")
const started = performance.now()
const seen = new Set<number>()
let sent = 0
let lastAnswered = -1
let lastReplyAt = started
let longestGapMillis = 0
/** Sequence number of the first probe that counts. */
let first = 0

const noteGap = (now: number) => {
  longestGapMillis = Math.max(longestGapMillis, now - lastReplyAt)
}

socket.on("message", (reply) => {
  const sequence = Number(reply.toString().split(" ").at(-1))
  if (!Number.isInteger(sequence)) return
  if (sequence >= first) seen.add(sequence)
  const now = performance.now()
  noteGap(now)
  lastReplyAt = now
  lastAnswered = Math.max(lastAnswered, sequence)
})
// Unreachable for a while is what is measured.
socket.on("error", () => {})

setInterval(() => {
  // Timers come late on a busy machine: what is due is sent all the same.
  const due = Math.floor((performance.now() - started) / periodMillis)
  while (sent < due) socket.send(String(sent++), Number(port), address, () => {})
}, periodMillis)

const report = (): ProbeReport => {
  const now = performance.now()
  noteGap(now)
  return {
    sent: sent - first,
    received: seen.size,
    perSecond: Math.round((sent / (now - started)) * 1000),
    longestGapMillis: Math.round(longestGapMillis),
    lastAnswered
  }
}

const restart = () => {
  first = sent
  seen.clear()
  longestGapMillis = 0
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    if (line === "restart") restart()
    else console.log(JSON.stringify(report()))
  })
  .on("close", () => process.exit(0))
