/**
 * Hears on an uplink who says that he has an address, through a `socat` that lives for one probe: heard for ever, each
 * broadcast of a large segment would wake the operator. ARP comes by a packet socket, of which the kernel gives ARP only;
 * neighbour advertisements by a raw ICMPv6 socket, since a packet socket would get every IPv6 packet of the node.
 *
 * The bytes are taken from the dump (`-x`), which says how long each packet was: in a stream a short or padded one would
 * shift all after it.
 */
import { endianness } from "node:os"
import { Effect, type Scope } from "effect"
import type { Family } from "../../domain/Address.ts"
import { advertisementClaimant, arpClaimant, type Claimant } from "../../domain/ProbeAnswers.ts"
import { ToolFailed } from "../../ports/NodeNetwork.ts"
import { misread, quote } from "./Misread.ts"
import * as Socat from "./Socat.ts"
import type { Reason, Toolbox } from "./Tool.ts"

export interface ClaimReader {
  /** Fails when the reader ended by itself. */
  readonly ended: Effect.Effect<never, Reason>
}

const startMaxMillis = 2_000

export interface Reading {
  readonly family: Family
  readonly uplink: { readonly name: string; readonly index: number }
  readonly onClaim: (claimant: Claimant) => void
}

/** Hears from when it is returned, until the scope ends. */
export const open = Effect.fnUntraced(function* (
  toolbox: Toolbox,
  { family, onClaim, uplink }: Reading
): Effect.fn.Return<ClaimReader, Reason, Scope.Scope> {
  const source = family === "IPv4" ? arpOf(uplink.index) : icmpv6Of(uplink.name)
  const claimantIn = family === "IPv4" ? arpClaimant : advertisementClaimant
  const dump = newDump((packet) => {
    const claimant = claimantIn(packet)
    if (claimant !== undefined) onClaim(claimant)
  })
  const printed = { tool: toolbox.socat, args: dumpArguments, expected: dumpExpected }
  const onLine = (line: string) => (dump(line) ? undefined : misread(toolbox, { ...printed, found: quote(line) }))
  const { ended, ready } = yield* Effect.acquireRelease(
    Effect.sync(() =>
      Socat.start(toolbox, [...dumpArguments, source, "STDOUT"], { interfaceName: uplink.name, onLine })
    ),
    ({ process }) => Effect.sync(process.kill)
  )
  yield* Effect.timeoutOrElse(ready, { duration: startMaxMillis, orElse: () => Effect.fail(silent(toolbox)) })
  return { ended }
})

const silent = ({ socat }: Toolbox): Reason =>
  new ToolFailed({ tool: socat, message: `did not say "starting data transfer loop" within ${startMaxMillis} ms` })

/** What it hears must not be passed over: an address that somebody has would seem free. */
const dumpArguments = ["-d", "-d", "-u", "-x"]
const dumpExpected = "packets as a line with length=BYTES, and lines of two-digit bytes"

/**
 * Finds packets in the lines of a dump: `> 2026/11/29 09:50:55.000200989  length=32 from=0 to=31`, then lines of two-digit
 * bytes, and `--` at the end. socat 1.7 and 1.8 print alike. False: a line that is none of these, nor one of the log.
 */
export const newDump = (onPacket: (bytes: Uint8Array) => void): ((line: string) => boolean) => {
  let bytes: Array<number> = []
  let due = 0
  return (line) => {
    const length = /^[<>] .*\blength=(\d+)\b/.exec(line)?.[1]
    if (length !== undefined) {
      bytes = []
      due = Number(length)
      return true
    }
    if (!/^( [0-9a-f]{2})+ *$/.test(line)) return /^(-*|.* socat\[\d+\] [A-Z] .*)$/.test(line)
    if (bytes.length >= due) return true
    bytes.push(...(line.match(/[0-9a-f]{2}/g) ?? []).map((byte) => Number.parseInt(byte, 16)))
    if (bytes.length >= due) onPacket(Uint8Array.from(bytes.slice(0, due)))
    return true
  }
}

/** Numbers of the kernel's structures in the byte order of this machine; protocols in that of the network. */
const native = (value: number, bytes: 2 | 4): string => {
  const buffer = Buffer.alloc(bytes)
  if (endianness() === "LE") buffer.writeUIntLE(value, 0, bytes)
  else buffer.writeUIntBE(value, 0, bytes)
  return buffer.toString("hex")
}

/** AF_PACKET, SOCK_DGRAM, ETH_P_ARP; then a `sockaddr_ll` behind its family (packet(7)): only of this interface. */
const arpOf = (index: number): string => {
  const protocol = endianness() === "LE" ? "0x0608" : "0x0806"
  return `SOCKET-RECV:17:2:${protocol}:x0806${native(index, 4)}${"00".repeat(12)}`
}

/** AF_INET6, SOCK_RAW, ICMPv6, bound to `::` (a `sockaddr_in6` behind its family). */
const icmpv6Of = (name: string): string => `SOCKET-RECV:10:3:58:x${"00".repeat(26)},so-bindtodevice=${name}`
