/** Names and labels of what we buy. */
import { assert, describe, it } from "@effect/vitest"
import * as CloudClaim from "../../../src/domain/CloudClaim.ts"

const claim: CloudClaim.Claim = {
  cluster: "5b1c0a0e-5a11-4f0a-9d2e-1f3a3c1b2d4e",
  clusterName: "prod",
  namespace: "shop",
  service: "web",
  uid: "0a1b2c3d-4e5f-4678-9abc-def012345678",
  family: "IPv4"
}

describe("CloudClaim.nameOf", () => {
  // The ends are the first digits of SHA-256 over "<uid>/<family>", by sha256sum.
  it.each<[string, Partial<CloudClaim.Claim>, string]>([
    ["says whose it is, as v0.4 did", {}, "plenuslb-ephemeral-prod-shop-web-a64b8261"],
    ["needs no name of the cluster", { clusterName: "" }, "plenuslb-ephemeral-shop-web-a64b8261"],
    ["tells the families apart", { family: "IPv6" }, "plenuslb-ephemeral-prod-shop-web-e67a1fad"],
    [
      "tells a Service from its successor of the same name",
      { uid: "ffff2c3d-4e5f-4678-9abc-def012345678" },
      "plenuslb-ephemeral-prod-shop-web-d3fc51e7"
    ],
    ["takes any name of a cluster", { clusterName: "Prod_EU 1" }, "plenuslb-ephemeral-prod-eu-1-shop-web-a64b8261"],
    [
      "is cut in the middle where it is too long, and keeps the cluster and both ends of the Service",
      { namespace: "a".repeat(30), service: "b".repeat(30) },
      `plenuslb-ephemeral-prod-${"a".repeat(14)}-${"b".repeat(14)}-a64b8261`
    ],
    [
      "has no two dashes where it was cut",
      { namespace: `${"c".repeat(13)}-${"a".repeat(17)}`, service: `${"b".repeat(11)}-${"d".repeat(13)}` },
      `plenuslb-ephemeral-prod-${"c".repeat(13)}-${"d".repeat(13)}-a64b8261`
    ],
    [
      "keeps the end of a long name of the cluster",
      { clusterName: `${"e".repeat(30)}-eu-1` },
      `plenuslb-ephemeral-${"e".repeat(14)}-eu-1-shop-web-a64b8261`
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
    const labels: { readonly [key: string]: string } = CloudClaim.labelsOf(claim, "created")
    for (const key of CloudClaim.identifiedBy) assert.isNotEmpty(labels[key])
  })

  it("tells what was bought from what was adopted under the same claim, which is never granted as bought", () => {
    const [created, adopted] = (["created", "adopted"] as const).map((ownership): { readonly [key: string]: string } =>
      CloudClaim.labelsOf(claim, ownership)
    )
    assert.isFalse(CloudClaim.identifiedBy.every((key) => created?.[key] === adopted?.[key]))
  })
})
