import { assert, describe, it } from "@effect/vitest"
import { type Evidence, evidenceIn, holdingsOf, overlapMillis } from "../e2e/harness/captured.ts"

const OUTGOING = 4
const INCOMING = 0

interface Frame {
  readonly at: number
  readonly type: number
  readonly ifindex: number
  readonly way: number
  readonly packet: Buffer
}

/** A file of libpcap with one record for each frame: LINUX_SLL2 header, and the packet. */
const fileOf = (frames: ReadonlyArray<Frame>): Buffer => {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4)
  const records = frames.map(({ at, ifindex, packet, type, way }) => {
    const record = Buffer.alloc(36)
    record.writeUInt32LE(Math.floor(at / 1000))
    record.writeUInt32LE((at % 1000) * 1000, 4)
    record.writeUInt32LE(20 + packet.length, 8)
    record.writeUInt32LE(20 + packet.length, 12)
    record.writeUInt16BE(type, 16)
    record.writeUInt32BE(ifindex, 20)
    record.writeUInt8(way, 26)
    return Buffer.concat([record, packet])
  })
  return Buffer.concat([header, ...records])
}

const ip = (text: string) => Buffer.from(text.split(".").map(Number))

const arp = (operation: 1 | 2, sender: string, target: string): Buffer => {
  const packet = Buffer.from(`000108000604000${operation}`, "hex")
  return Buffer.concat([packet, Buffer.alloc(6), ip(sender), Buffer.alloc(6), ip(target)])
}

const udp4 = (source: string, destination: string, ports: readonly [number, number], body: string): Buffer => {
  const header = Buffer.alloc(28)
  header.writeUInt8(0x45)
  header.writeUInt8(17, 9)
  ip(source).copy(header, 12)
  ip(destination).copy(header, 16)
  header.writeUInt16BE(ports[0], 20)
  header.writeUInt16BE(ports[1], 22)
  return Buffer.concat([header, Buffer.from(body)])
}

const address = "172.30.0.200"
const client = "172.30.0.100"
const key6 = "fd00:0172:0030:0000:0000:0000:0001:0150"

const advertisement = (): Buffer => {
  const packet = Buffer.alloc(64)
  packet.writeUInt8(0x60)
  packet.writeUInt8(58, 6)
  packet.writeUInt8(136, 40)
  Buffer.from(key6.replaceAll(":", ""), "hex").copy(packet, 48)
  return packet
}

const ARP = 0x0806
const portOf = (ifindex: number) => (ifindex > 10 ? ifindex : undefined)
const read = (frames: ReadonlyArray<Frame>) =>
  evidenceIn(fileOf(frames), new Set([address, key6]), portOf).map(
    ({ atMillis, kind, port }) => `${kind} ${port} ${atMillis}`
  )

describe("evidenceIn", () => {
  // oxfmt-ignore
  it.each([
    ["an ARP reply of a node is an answer", [{ at: 5, type: ARP, ifindex: 11, way: INCOMING, packet: arp(2, address, client) }], ["answer 11 5"]],
    ["so is an announcement", [{ at: 5, type: ARP, ifindex: 12, way: INCOMING, packet: arp(1, address, address) }], ["answer 12 5"]],
    ["a question is none", [{ at: 5, type: ARP, ifindex: 11, way: INCOMING, packet: arp(1, client, address) }], []],
    ["nor is a reply that goes to the node", [{ at: 5, type: ARP, ifindex: 11, way: OUTGOING, packet: arp(2, address, client) }], []],
    ["nor is one at another port", [{ at: 5, type: ARP, ifindex: 3, way: INCOMING, packet: arp(2, address, client) }], []],
    ["a neighbour advertisement is an answer", [{ at: 5, type: 0x86dd, ifindex: 11, way: INCOMING, packet: advertisement() }], ["answer 11 5"]],
    [
      "a datagram was accepted when it came, if it was answered",
      [
        { at: 5, type: 0x0800, ifindex: 11, way: OUTGOING, packet: udp4(client, address, [4000, 80], "17") },
        { at: 6, type: 0x0800, ifindex: 11, way: OUTGOING, packet: udp4(client, address, [4000, 80], "18") },
        { at: 9, type: 0x0800, ifindex: 11, way: INCOMING, packet: udp4(address, client, [80, 4000], "echo-1 17") }
      ],
      ["accept 11 5"]
    ]
  ] as const)("%s", (_, frames, expected) => {
    assert.deepStrictEqual(read(frames), [...expected])
  })
})

const evidence = (text: string): ReadonlyArray<Evidence> =>
  text.split(" ").map((each) => {
    const [port, at] = each.split("@").map(Number)
    return { port: port ?? 0, atMillis: at ?? 0, address, kind: "answer" }
  })

describe("overlapMillis", () => {
  // oxfmt-ignore
  it.each([
    ["one node", "11@1 11@9", 0],
    ["one after the other", "11@1 11@9 12@10 12@20", 0],
    ["the former holder once more, long after the next began", "11@1 12@10 12@20 11@110", 100],
    ["three nodes, the first beside the third", "11@1 12@10 13@20 11@25", 15]
  ])("%s", (_, text, expected) => {
    assert.strictEqual(overlapMillis(evidence(text)), expected)
  })

  it("goes by the first evidence of each node", () => {
    assert.deepStrictEqual(
      holdingsOf(evidence("12@5 11@7 12@9")).map(({ port }) => port),
      [12, 11]
    )
  })
})
