/** Names and labels of what we buy. */
import { assert, describe, it } from "@effect/vitest"
import * as CloudClaim from "../../../src/domain/CloudClaim.ts"

const claim: CloudClaim.Claim = {
  cluster: "5b1c0a0e-5a11-4f0a-9d2e-1f3a3c1b2d4e",
  namespace: "shop",
  service: "web",
  uid: "0a1b2c3d-4e5f-4678-9abc-def012345678",
  family: "IPv4"
}

describe("CloudClaim.nameOf", () => {
  it.each<[string, Partial<CloudClaim.Claim>, string]>([
    ["says whose it is", {}, "plenuslb-shop-web-v4-0a1b2c3d4e5f"],
    ["tells the families apart", { family: "IPv6" }, "plenuslb-shop-web-v6-0a1b2c3d4e5f"],
    [
      "tells a Service from its successor of the same name",
      { uid: "ffff2c3d-4e5f-4678-9abc-def012345678" },
      "plenuslb-shop-web-v4-ffff2c3d4e5f"
    ],
    [
      "is cut where it is too long, and keeps its end",
      { namespace: "a".repeat(30), service: "b".repeat(30) },
      `plenuslb-${"a".repeat(30)}-${"b".repeat(7)}-v4-0a1b2c3d4e5f`
    ],
    [
      "has no two dashes where it was cut",
      { namespace: "a".repeat(30), service: `${"b".repeat(6)}-${"c".repeat(20)}` },
      `plenuslb-${"a".repeat(30)}-${"b".repeat(6)}-v4-0a1b2c3d4e5f`
    ]
  ])("%s", (_, parts, expected) => {
    const name = CloudClaim.nameOf({ ...claim, ...parts })
    assert.strictEqual(name, expected)
    assert.isAtMost(name.length, 63)
  })
})

describe("CloudClaim.labelsOf", () => {
  it("has only values that a label may have, each at most 63 characters", () => {
    const labels = CloudClaim.labelsOf({ ...claim, service: "s".repeat(63) }, "created")
    for (const value of Object.values(labels)) assert.match(value, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
  })

  it("carries all by which one is known again", () => {
    const labels = CloudClaim.labelsOf(claim, "created")
    for (const key of CloudClaim.identifiedBy) assert.isNotEmpty(labels[key])
  })
})
