/** Packets at every node's port of the LAN's bridge, whatever the node's own kernel says; and the questions that make holders answer. */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { onTestFinished } from "vitest"
import { address6, type Evidence, evidenceIn } from "./captured.ts"
import { command, lanAddressOf, networkOf, nodeNames, onClient } from "./Lab.ts"

const ASK_MILLIS = 20
const SNAP_BYTES = 192

const groups = (text: string) => text.split(":").filter((each) => each !== "")

export const bytesOf6 = (address: string): Buffer => {
  const [left = "", right] = address.split("::")
  const [before, after] = [groups(left), groups(right ?? "")]
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => "0"), ...after]
  return Buffer.from(all.map((each) => each.padStart(4, "0")).join(""), "hex")
}

/** As it stands in the evidence. */
export const keyOf = (address: string): string => (address.includes(":") ? address6(bytesOf6(address)) : address)

export interface Capture {
  /** Ends it. */
  readonly evidence: () => Promise<ReadonlyArray<Evidence>>
}

/** Nodes are known by the last byte of their hardware address: node2 is 12. */
export const nodeOf = (port: number): string => `node${port - 10}`

const ports = async (): Promise<ReadonlyMap<number, number>> => {
  const links: ReadonlyArray<{ readonly ifname: string; readonly ifindex: number }> = JSON.parse(
    await command("ip", "-j", "link", "show")
  )
  return new Map(
    links.flatMap(({ ifindex, ifname }) => {
      const node = nodeNames.find((each) => ifname === `v-${each}`)
      return node === undefined ? [] : [[ifindex, Number(node.replace("node", "")) + 10] as const]
    })
  )
}

/**
 * With `LAB_KEEP_CAPTURES` set the file stays, in the folder for temporary files, for whoever looks for a packet that was lost.
 *
 * Of what `tcpdump` filters by: answers for addresses, and the probes. A port that is made anew gets another number.
 */
export const capture = async (addresses: ReadonlyArray<string>): Promise<Capture> => {
  const folder = mkdtempSync(join(tmpdir(), "plenuslb-capture-"))
  const file = join(folder, "lan.pcap")
  const filter = "arp or (icmp6 and ip6[40] = 136) or (udp and port 80)"
  const options = ["-i", "any", "-n", "-U", "-B", "8192", "-s", `${SNAP_BYTES}`, "-Z", "root", "-w", file]
  // It reads nothing that would end with us: a run that is killed must not leave it behind.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "tcpdump", ...options, filter], {
    stdio: ["ignore", "ignore", "pipe"]
  })
  let said = ""
  const begun = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      said += `${line}\n`
      if (line.includes("listening on")) resolve()
    })
    child.once("error", reject)
    child.once("close", () => reject(new Error(`tcpdump ended: ${said}`)))
  })
  begun.catch(() => {})
  onTestFinished(() => {
    child.kill()
    if (process.env["LAB_KEEP_CAPTURES"] === undefined) rmSync(folder, { recursive: true, force: true })
  })
  const known = new Map(await ports())
  const looking = setInterval(() => {
    ports().then(
      (now) => now.forEach((port, ifindex) => known.set(ifindex, port)),
      () => {}
    )
  }, 1_000)
  onTestFinished(() => clearInterval(looking))
  await begun
  const evidence = async () => {
    const ended = new Promise((resolve) => child.once("close", resolve))
    child.kill("SIGINT")
    await ended
    clearInterval(looking)
    if (!/\n0 packets dropped by kernel/.test(said)) throw new Error(`the capture has holes: ${said}`)
    const wanted = new Set(addresses.map(keyOf))
    return evidenceIn(readFileSync(file), wanted, (ifindex) => known.get(ifindex))
  }
  return { evidence }
}

interface Link {
  readonly address: string
  readonly addr_info: ReadonlyArray<{ readonly family: string; readonly scope: string; readonly local: string }>
}

const macBytes = (mac: string) => Buffer.from(mac.replaceAll(":", ""), "hex")
const bytesOf4 = (address: string) => Buffer.from(address.split(".").map(Number))

/** RFC 826: "who has `address`", to all. */
const arpQuestion = (mac: Buffer, own: string, address: string): Buffer =>
  Buffer.concat([
    Buffer.from("ffffffffffff", "hex"),
    mac,
    Buffer.from("08060001080006040001", "hex"),
    mac,
    bytesOf4(own),
    Buffer.alloc(6),
    bytesOf4(address)
  ])

const checksumOf = (bytes: Buffer): number => {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** RFC 4861 4.3: a neighbour solicitation to the solicited-node multicast address of `address`. */
const neighborQuestion = (mac: Buffer, own: string, address: string): Buffer => {
  const target = bytesOf6(address)
  const destination = Buffer.concat([bytesOf6("ff02::1:ff00:0").subarray(0, 13), target.subarray(13)])
  const message = Buffer.concat([Buffer.from("8700000000000000", "hex"), target, Buffer.from("0101", "hex"), mac])
  const pseudo = Buffer.alloc(8)
  pseudo.writeUInt32BE(message.length)
  pseudo.writeUInt8(ICMPV6, 7)
  message.writeUInt16BE(checksumOf(Buffer.concat([bytesOf6(own), destination, pseudo, message])), 2)
  const header = Buffer.from("60000000000000ff", "hex")
  header.writeUInt16BE(message.length, 4)
  header.writeUInt8(ICMPV6, 6)
  const ethernet = Buffer.concat([
    Buffer.from("3333", "hex"),
    destination.subarray(12),
    mac,
    Buffer.from("86dd", "hex")
  ])
  return Buffer.concat([ethernet, header, bytesOf6(own), destination, message])
}

const ICMPV6 = 58

/** Fifty times a second, from the client, who holds each of these. */
export const askWhoHolds = async (addresses: ReadonlyArray<string>): Promise<void> => {
  const [link]: ReadonlyArray<Link> = JSON.parse(await onClient("ip", "-j", "address", "show", "dev", "eth0"))
  if (link === undefined) throw new Error("the client has no eth0")
  const mac = macBytes(link.address)
  const own = (family: string) =>
    link.addr_info.find((each) => each.family === family && each.scope === "global")?.local ?? ""
  const [four, six] = [addresses.filter((each) => !each.includes(":")), addresses.filter((each) => each.includes(":"))]
  const rows = [
    four.map((each) => arpQuestion(mac, own("inet"), each)),
    six.map((each) => neighborQuestion(mac, own("inet6"), each))
  ]
  for (const frames of rows) {
    const [first] = frames
    if (first === undefined) continue
    const sender = spawn(
      "nsenter",
      [networkOf("client"), "socat", "-u", "-b", `${first.length}`, "STDIN", "INTERFACE:eth0"],
      { stdio: ["pipe", "ignore", "inherit"] }
    )
    const asking = setInterval(() => void sender.stdin.write(Buffer.concat(frames)), ASK_MILLIS)
    onTestFinished(() => {
      clearInterval(asking)
      sender.stdin.end()
    })
  }
}

/**
 * A client that has heard of no move: what it sends from `sourcePort` to `address` goes to this node, whoever holds it. For as
 * long as the test lasts.
 */
export const stalePath = async (node: string, address: string, sourcePort: number): Promise<void> => {
  const family = address.includes(":") ? "-6" : "-4"
  const table = `${sourcePort}`
  const rule = ["ipproto", "udp", "sport", `${sourcePort}`, "lookup", table]
  const via = lanAddressOf(node, family)
  await onClient("ip", family, "route", "replace", address, "via", via, "dev", "eth0", "onlink", "table", table)
  await onClient("ip", family, "rule", "add", ...rule)
  onTestFinished(async () => {
    await onClient("ip", family, "rule", "delete", ...rule).catch(() => "")
  })
}
