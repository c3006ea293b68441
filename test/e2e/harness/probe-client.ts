/**
 * `node probe-client.ts TARGETS`, in the client's network namespace: numbered questions to each target of the JSON array, at its
 * period. For each line on standard input one JSON line with a `ProbeReport` for each target: "report", "finish" (asks no
 * more and waits for what is on its way) or "restart" (forgets what was so far, and answers nothing). A program of its own, so
 * that no test's work delays it.
 */
import { createSocket } from "node:dgram"
import { connect } from "node:net"
import { createInterface } from "node:readline"

export interface Target {
  /** `udp`: one socket, so one source port. `tcp`: one connection that must live on. `http`: a new connection each time. */
  readonly kind: "udp" | "tcp" | "http"
  readonly address: string
  readonly port: number
  readonly periodMillis: number
  readonly sourcePort?: number
}

export interface ProbeReport {
  /** Since the restart; those on their way at this moment count as sent. */
  readonly sent: number
  readonly received: number
  /** Without an answer when everybody had time for one; nothing is asked twice. Until "finish", those on their way are not among them. */
  readonly lost: number
  /** Sequence numbers of the first few of them. */
  readonly lostNumbers: ReadonlyArray<number>
  readonly perSecond: number
  /** Since the restart, between two replies, or since the last reply: an outage that goes on counts. */
  readonly longestGapMillis: number
  /** From the sending of the first that was lost to that of the first answered after it, the longest such row. */
  readonly outageMillis: number
  /** From the sending of the first that was lost to that of the last. */
  readonly troubleMillis: number
  /** By how much the sending was late at worst: a client that was not run sees gaps that are its own. */
  readonly latestMillis: number
  /** Sequence number of the newest probe that was answered. */
  readonly lastAnswered: number
  /** Of `tcp`: the connection was reset or closed. */
  readonly isBroken: boolean
}

/** What is not answered in this time is lost, unless its answer comes after all. */
const PATIENCE_MILLIS = 1_000
const NAMED_MAX = 12

interface Asker {
  readonly ask: (sequence: number) => void
  readonly isBroken: () => boolean
}

/** Bytes; the kernel gives what net.core.rmem_max allows, so that no answer is lost to a machine that is out of breath. */
const RECEIVED_AT_ONCE = 1 << 20

const udp = ({ address, port, sourcePort }: Target, answered: (sequence: number) => void): Asker => {
  const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4", recvBufferSize: RECEIVED_AT_ONCE })
  if (sourcePort !== undefined) socket.bind(sourcePort)
  socket.on("message", (reply) => answered(Number(reply.toString().split(" ").at(-1))))
  // Unreachable for a while is what is measured.
  socket.on("error", () => {})
  return { ask: (sequence) => socket.send(String(sequence), port, address, () => {}), isBroken: () => false }
}

const tcp = ({ address, port }: Target, answered: (sequence: number) => void): Asker => {
  let isBroken = false
  const socket = connect({ host: address, port, noDelay: true })
  socket.on("error", () => {})
  socket.on("close", () => (isBroken = true))
  createInterface({ input: socket })
    .on("line", (line) => answered(Number(line)))
    .on("error", () => {})
  return { ask: (sequence) => void (isBroken || socket.write(`${sequence}\n`)), isBroken: () => isBroken }
}

const http = ({ address, port }: Target, answered: (sequence: number) => void): Asker => ({
  isBroken: () => false,
  ask: (sequence) => {
    const socket = connect({ host: address, port })
    socket.setTimeout(PATIENCE_MILLIS, () => socket.destroy())
    socket.on("error", () => {})
    socket.on("connect", () => socket.write("GET / HTTP/1.0\r\n\r\n"))
    socket.once("data", (bytes) => {
      if (bytes.includes(" 200 OK")) answered(sequence)
      socket.destroy()
    })
  }
})

const askers = { udp, tcp, http }

const probing = (target: Target) => {
  const started = performance.now()
  const sentAt: Array<number> = []
  const seen = new Set<number>()
  let lastAnswered = -1
  let lastReplyAt = started
  let longestGapMillis = 0
  let latestMillis = 0
  /** Sequence number of the first probe that counts. */
  let first = 0
  const noteGap = (now: number) => {
    longestGapMillis = Math.max(longestGapMillis, now - lastReplyAt)
  }
  const asker = askers[target.kind](target, (sequence) => {
    const now = performance.now()
    if (!Number.isInteger(sequence)) return
    if (sequence >= first) seen.add(sequence)
    noteGap(now)
    lastReplyAt = now
    lastAnswered = Math.max(lastAnswered, sequence)
  })
  const timer = setInterval(() => {
    // Timers come late on a busy machine: what is due is sent all the same.
    const now = performance.now()
    const due = Math.floor((now - started) / target.periodMillis)
    if (sentAt.length >= first) {
      latestMillis = Math.max(latestMillis, now - started - (sentAt.length + 1) * target.periodMillis)
    }
    while (sentAt.length < due) {
      sentAt.push(now)
      asker.ask(sentAt.length - 1)
    }
  }, target.periodMillis)

  const report = (): ProbeReport => {
    const now = performance.now()
    noteGap(now)
    const lost: Array<number> = []
    let outageMillis = 0
    let troubleMillis = 0
    let rowBegan: number | undefined
    for (let sequence = first; sequence < sentAt.length; sequence++) {
      const at = sentAt[sequence] ?? 0
      const isLost = !seen.has(sequence) && now - at > PATIENCE_MILLIS
      if (isLost) {
        lost.push(sequence)
        troubleMillis = at - (sentAt[lost[0] ?? sequence] ?? at)
        rowBegan ??= at
      }
      if (rowBegan !== undefined) outageMillis = Math.max(outageMillis, at - rowBegan)
      if (!isLost) rowBegan = undefined
    }
    return {
      sent: sentAt.length - first,
      received: seen.size,
      lost: lost.length,
      lostNumbers: lost.slice(0, NAMED_MAX).map((sequence) => sequence - first),
      perSecond: Math.round((sentAt.length / (now - started)) * 1000),
      longestGapMillis: Math.round(longestGapMillis),
      outageMillis: Math.round(outageMillis),
      troubleMillis: Math.round(troubleMillis),
      latestMillis: Math.round(latestMillis),
      lastAnswered,
      isBroken: asker.isBroken()
    }
  }

  const restart = () => {
    first = sentAt.length
    seen.clear()
    longestGapMillis = 0
    latestMillis = 0
  }

  return { report, restart, stop: () => clearInterval(timer) }
}

const targets: ReadonlyArray<Target> = JSON.parse(process.argv[2] ?? "[]")
const probes = targets.map(probing)
const tell = () => console.log(JSON.stringify(probes.map(({ report }) => report())))

createInterface({ input: process.stdin })
  .on("line", (line) => {
    if (line === "restart") probes.forEach(({ restart }) => restart())
    else if (line === "finish") {
      probes.forEach(({ stop }) => stop())
      // A little more, for the last to be older than the patience.
      setTimeout(tell, PATIENCE_MILLIS + 100)
    } else tell()
  })
  .on("close", () => process.exit(0))
