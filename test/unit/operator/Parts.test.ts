import { assert, describe, it } from "@effect/vitest"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import * as Parts from "../../../src/operator/Parts.ts"
import { leaseContent } from "./LeaseContent.ts"

const content = { ...leaseContent, ...NodeLease.noWitness }

/** X = 5 s; renewed at 1000. */
const stateWith = (some: Partial<Parts.State>): Parts.State => ({
  serveMillis: 5000,
  registered: { lease: { metadata: { name: "lease" } }, content },
  renewedAtMillis: 1000,
  keptUntilMillis: undefined,
  mayKeepUntilMillis: undefined,
  answeredAtMillis: undefined,
  lastHoldId: undefined,
  able: true,
  isLeaving: false,
  ...some
})

describe("until when this node may serve", () => {
  // oxfmt-ignore
  it.each<[string, Partial<Parts.State>, number, number]>([
    // name                                                       state                                                      at     until
    ["is X after the renewal",                                     {},                                                        2000,  6000],
    ["is as the voters keep it, for a write before it has run out", { mayKeepUntilMillis: 9000 },                             5999,  9000],
    ["is over: what has run out is not kept",                      { mayKeepUntilMillis: 9000 },                              6000,  6000],
    ["is as the voters kept it before",                            { keptUntilMillis: 8000 },                                 7000,  8000],
    ["is kept on while they go on",                                { keptUntilMillis: 8000, mayKeepUntilMillis: 12_000 },     7999,  12_000],
    ["is not kept on once that is over",                           { keptUntilMillis: 8000, mayKeepUntilMillis: 12_000 },     8000,  8000],
    ["is not shortened by old evidence",                           { renewedAtMillis: 9000, mayKeepUntilMillis: 12_000 },     9500,  14_000],
    ["is never without a registration",                            { registered: undefined, mayKeepUntilMillis: 9000 },       2000,  Number.NEGATIVE_INFINITY]
  ])("%s", (_, some, at, until) => {
    const state = stateWith(some)
    assert.strictEqual(Parts.untilMillisForWrite(state, at), until)
    assert.strictEqual(Parts.untilMillis(state), until)
  })

  it("is X after the renewal, whatever the voters say, for what lives by renewals alone", () => {
    const state = stateWith({ keptUntilMillis: 8000, mayKeepUntilMillis: 12_000 })
    assert.deepStrictEqual([Parts.untilMillisForWrite(state, 7000), Parts.renewedUntilMillis(state)], [12_000, 6000])
    assert.strictEqual(Parts.renewedUntilMillis(stateWith({ registered: undefined })), Number.NEGATIVE_INFINITY)
  })

  it("is kept by no mere look", () => {
    const state = stateWith({ mayKeepUntilMillis: 9000 })
    assert.strictEqual(Parts.untilMillisForWrite(state, Number.POSITIVE_INFINITY), 6000)
    assert.strictEqual(Parts.untilMillisForWrite(state, 5000), 9000)
  })
})
