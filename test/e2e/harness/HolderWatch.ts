/**
 * Who answers for an IPv4 address on the client's segment, asked fifty times a second: ARP replies and announcements in the
 * order of the wire, by one packet socket. Written from RFC 826 and not from the product's own frames.
 */
import { spawn } from "node:child_process"
import { onTestFinished } from "vitest"
import { eventually } from "./eventually.ts"
import { nodeNames, networkOf, onClient, onNode } from "./Lab.ts"

const ASK_MILLIS = 20
const FRAME_BYTES = 42
const device = "eth0"

export interface HolderWatch {
  /** Nodes in the order of their answers, one entry for each row of answers of the same node. */
  readonly turns: () => ReadonlyArray<string>
  /** Waits until this node answers. */
  readonly answers: (node: string) => Promise<unknown>
}

interface Link {
  readonly ifindex: number
  readonly address: string
  readonly addr_info: ReadonlyArray<{ readonly family: string; readonly local: string }>
}

const linkOf = async (read: (...args: ReadonlyArray<string>) => Promise<string>): Promise<Link> => {
  const [link]: ReadonlyArray<Link> = JSON.parse(await read("ip", "-j", "address", "show", "dev", device))
  if (link === undefined) throw new Error(`there is no ${device}`)
  return link
}

const bytesOfMac = (mac: string) => Buffer.from(mac.replaceAll(":", ""), "hex")
const bytesOfAddress = (address: string) => Buffer.from(address.split(".").map(Number))

/** RFC 826: "who has `address`", from the client to all. */
const question = ({ addr_info, address: mac }: Link, address: string): Buffer => {
  const own = addr_info.find(({ family }) => family === "inet")?.local ?? "0.0.0.0"
  return Buffer.concat([
    Buffer.from("ffffffffffff", "hex"),
    bytesOfMac(mac),
    Buffer.from("08060001080006040001", "hex"),
    bytesOfMac(mac),
    bytesOfAddress(own),
    Buffer.alloc(6),
    bytesOfAddress(address)
  ])
}

/** PF_PACKET, SOCK_RAW, ETH_P_ARP in network order; sockaddr_ll without its family: protocol, interface, the rest zero. */
const arpSocket = (ifindex: number): string => {
  const index = Buffer.alloc(4)
  index.writeInt32LE(ifindex)
  return `SOCKET-RECV:17:3:1544:x0806${index.toString("hex")}${"00".repeat(12)}`
}

const inClient = (...args: ReadonlyArray<string>) =>
  spawn("nsenter", [networkOf("client"), "socat", "-u", ...args], { stdio: ["pipe", "pipe", "inherit"] })

export const watchHolders = async (address: string): Promise<HolderWatch> => {
  const macs = new Map<string, string>()
  for (const node of nodeNames) macs.set((await linkOf((...args) => onNode(node, ...args))).address, node)
  const client = await linkOf(onClient)
  const receiver = inClient("-b", "65536", arpSocket(client.ifindex), "STDOUT")
  const sender = inClient("-b", `${FRAME_BYTES}`, "STDIN", `INTERFACE:${device}`)
  const asking = setInterval(() => void sender.stdin.write(question(client, address)), ASK_MILLIS)
  onTestFinished(() => {
    clearInterval(asking)
    receiver.kill()
    sender.stdin.end()
  })
  const turns: Array<string> = []
  let answersCount = 0
  let rest: Buffer = Buffer.alloc(0)
  receiver.stdout.on("data", (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    for (; rest.length >= FRAME_BYTES; rest = rest.subarray(FRAME_BYTES)) {
      if (!rest.subarray(28, 32).equals(bytesOfAddress(address))) continue
      const mac = rest
        .subarray(22, 28)
        .toString("hex")
        .replaceAll(/(..)(?=.)/g, "$1:")
      const node = macs.get(mac) ?? mac
      answersCount++
      if (turns.at(-1) !== node) turns.push(node)
    }
  })
  const answers = (node: string) => {
    const before = answersCount
    return eventually(`${node} answers for ${address}`, async () => answersCount > before && turns.at(-1) === node)
  }
  return { turns: () => [...turns], answers }
}
