import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { addressLabel, nodeHash, nodeLabel, nodeLeaseName, operatorFieldManager } from "../../../src/api/Names.ts"
import * as Address from "../../../src/domain/Address.ts"

const label = (text: string) => addressLabel(Result.getOrThrow(Address.parse(text)))

describe("Names", () => {
  it("takes the first 16 hex digits of SHA-256 (FIPS 180-2, example B.1)", () => {
    assert.strictEqual(nodeHash("abc"), "ba7816bf8f01cfea")
    assert.strictEqual(nodeLabel("abc"), "node.loadbalancing.plenus.io/ba7816bf8f01cfea")
    assert.strictEqual(nodeLeaseName("abc"), "plenuslb-node-ba7816bf8f01cfea")
    assert.strictEqual(operatorFieldManager("abc"), "plenuslb-operator-ba7816bf8f01cfea")
  })

  it("writes an address as a label name: 8 or 32 hex digits, no colon", () => {
    assert.strictEqual(label("192.0.2.10"), "address.loadbalancing.plenus.io/c000020a")
    assert.strictEqual(label("2001:db8::10"), "address.loadbalancing.plenus.io/20010db8000000000000000000000010")
    assert.strictEqual(label("2001:DB8:0::10"), label("2001:db8::10"))
  })

  it("keeps label names within the 63 characters that Kubernetes allows", () => {
    const name = nodeLabel("n".repeat(253)).split("/")[1] ?? ""
    assert.strictEqual(name.length, 16)
  })
})
