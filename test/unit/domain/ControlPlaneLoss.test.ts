import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parse } from "../../../src/domain/Address.ts"
import { type ControlPlaneLoss, lossesOf, lossOf } from "../../../src/domain/ControlPlaneLoss.ts"

describe("what becomes of a pool's addresses when the control plane is lost", () => {
  // oxfmt-ignore
  it.each<[string, ControlPlaneLoss | undefined, boolean, ControlPlaneLoss]>([
    // name                                                        written    routed  holds
    ["is left to the voters where nothing is written",             undefined, false,  "auto"],
    ["is left to the voters where that is written",                "auto",    false,  "auto"],
    ["is that they go where that is written",                      "release", false,  "release"],
    ["is never that they stay where no provider routes them",      "keep",    false,  "auto"],
    ["is that they stay where a provider routes them",             undefined, true,   "keep"],
    ["is that they stay where that is written, too",               "keep",    true,   "keep"],
    ["is left to the voters there, if that is written",            "auto",    true,   "auto"],
    ["is that they go there, if that is written",                  "release", true,   "release"]
  ])("%s", (_, written, isRouted, holds) => {
    assert.strictEqual(lossOf(written, isRouted), holds)
  })
})

const address = Result.getOrThrow(parse("192.0.2.10"))
const rack = { pool: "rack" }
const cloud = { pool: "cloud", isRouted: true }

describe("what becomes of an address on a node that was told of pools", () => {
  // oxfmt-ignore
  it.each<[string, Parameters<typeof lossesOf>[1], Pick<Parameters<typeof lossesOf>[1][number], "pool"> & { isRouted: boolean }, ControlPlaneLoss]>([
    // name                                                    told of                                                       the address is of                        holds
    ["is what is usual for its pool",                          [rack, cloud],                                                { pool: "rack", isRouted: false },       "auto"],
    ["is what is usual for its pool in a cloud",               [rack, cloud],                                                { pool: "cloud", isRouted: true },       "keep"],
    ["is what its pool says",                                  [rack, { ...cloud, onControlPlaneLoss: "release" }],          { pool: "cloud", isRouted: true },       "release"],
    ["is not what a cloud's pool of the same name says",       [{ pool: "rack", isRouted: true }, rack],                     { pool: "rack", isRouted: false },       "auto"],
    ["is what its own pool of two says",                       [{ pool: "rack", isRouted: true }, { ...rack, onControlPlaneLoss: "release" }], { pool: "rack", isRouted: false }, "release"],
    ["is not kept by a pool that no provider routes any more", [rack],                                                       { pool: "rack", isRouted: true },        "auto"],
    ["is not kept before its IPAllocation says who routes it", [cloud],                                                      { pool: "cloud", isRouted: false },      "auto"],
    ["is left to the voters where no pool is known",           [],                                                           { pool: "cloud", isRouted: true },       "auto"]
  ])("%s", (_, told, held, holds) => {
    assert.strictEqual(lossesOf([{ address, ...held }], told)(address), holds)
  })
})
