import { assert, describe, it } from "@effect/vitest"
import * as SetBatch from "../../../../src/live/linux/SetBatch.ts"

const lease = { family: "inet", table: "plenuslb", set: "lease" } as const
const ipv4 = { text: "ipv4", key: Uint8Array.of(2), timeoutMillis: 5_000 }
const changes: ReadonlyArray<SetBatch.Change> = [
  { ...lease, act: "flush", elements: [] },
  { ...lease, act: "add", elements: [ipv4, { text: "ipv6", key: Uint8Array.of(10) }] },
  {
    family: "arp",
    table: "plenuslb",
    set: "owner",
    act: "delete",
    elements: [{ text: "0x7", key: SetBatch.native32(7) }]
  }
]

/** The heads of the messages in it: type, flags and sequence number, and where each ends. */
const headsIn = (bytes: Uint8Array) => {
  const buffer = Buffer.from(bytes)
  const heads: Array<readonly [type: number, flags: number, sequence: number]> = []
  for (let offset = 0; offset < buffer.length; offset += buffer.readUInt32LE(offset)) {
    heads.push([buffer.readUInt16LE(offset + 4), buffer.readUInt16LE(offset + 6), buffer.readUInt32LE(offset + 8)])
  }
  return heads
}

/** NLMSG_ERROR, as the kernel sends it: the head of the message that it is about comes behind the error. */
const answer = (sequence: number, errno: number): Buffer => {
  const buffer = Buffer.alloc(36)
  buffer.writeUInt32LE(buffer.length, 0)
  buffer.writeUInt16LE(2, 4)
  buffer.writeUInt32LE(sequence, 8)
  buffer.writeInt32LE(-errno, 16)
  return buffer
}

describe("a batch of changes of sets", () => {
  it("is one transaction, of which the last change alone is answered when all is well", () => {
    assert.deepStrictEqual(headsIn(SetBatch.encode(changes, 7)), [
      [0x10, 1, 7],
      [0x0a0e, 1, 8],
      [0x0a0c, 0x401, 9],
      [0x0a0e, 5, 10],
      [0x11, 1, 11]
    ])
  })

  it("names table and set, and keys and times as the kernel has them", () => {
    const text = Buffer.from(SetBatch.encode(changes, 7)).toString("hex")
    assert.include(text, `0d000100${Buffer.from("plenuslb\0").toString("hex")}000000`)
    assert.include(text, `0a000200${Buffer.from("lease\0").toString("hex")}0000`)
    assert.include(text, "0c00018005000100020000000c0004000000000000001388")
    assert.include(text, "0c000180050001000a000000")
    assert.include(text, "0c0001800800010007000000")
  })

  it("is told to nft in its own words", () => {
    assert.strictEqual(
      SetBatch.textOf(changes),
      "flush set inet plenuslb lease; add element inet plenuslb lease { ipv4 timeout 5000ms, ipv6 }; " +
        "delete element arp plenuslb owner { 0x7 }"
    )
  })
})

describe("answers of the kernel", () => {
  const said = [
    { sequence: 8, errno: 2 },
    { sequence: 10, errno: 0 }
  ]
  const bytes = Buffer.concat(said.map(({ errno, sequence }) => answer(sequence, errno)))

  it("are read in whatever pieces they come", () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const first = SetBatch.decode(bytes.subarray(0, cut))
      const second = SetBatch.decode(Buffer.concat([first.rest, bytes.subarray(cut)]))
      assert.deepStrictEqual([...first.answers, ...second.answers], said)
      assert.strictEqual(second.rest.length, 0)
    }
  })

  it("are none in what is no message", () => {
    assert.deepStrictEqual(SetBatch.decode(Buffer.from("socat: no such address, and nothing else")).answers, [])
  })
})
