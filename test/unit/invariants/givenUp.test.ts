/** A node of which a person says that it is off, and which serves on by its voters' word: what S1 and S6 say of it. */
import { assert, describe, it } from "@effect/vitest"
import { S1 } from "../../../src/invariants/S1.ts"
import { S6 } from "../../../src/invariants/S6.ts"
import { address, allocation, lease, node, type Row, Trial, verdictOf } from "./Trial.ts"

const taint = { key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }

/** It holds the address, and is fenced while it is said to be off, or while nothing is said. */
const fenced = (trial: Trial, taints: ReadonlyArray<typeof taint> = [taint]): Trial => {
  trial.allocation(allocation()).hold("node-1").lease(lease("node-1", "1.aa"))
  trial.nodeObjects.set("node-1", node("node-1", { spec: { taints } }))
  return trial.lease(lease("node-1", "1.aa", "1.aa"), "controller-1")
}

const untainted = (trial: Trial): Trial => {
  trial.nodeObjects.set("node-1", node("node-1"))
  return trial
}

const announce = (trial: Trial): Trial => trial.tell({ type: "Announced", node: "node-1", address, isStopped: false })

describe("a node of which a person says that it is off", () => {
  it.each<Row>([
    ["serves beside its successor", (trial) => fenced(trial).hold("node-2"), "EXCUSED"],
    ["does so also once the person says so no more", (trial) => untainted(fenced(trial)).hold("node-2"), "EXCUSED"],
    [
      "must not, once it has registered anew",
      (trial) => fenced(trial).lease(lease("node-1", "2.cc")).hold("node-2"),
      "192.0.2.10 is served by node-1 and node-2"
    ],
    [
      "must not if nobody said so when it was fenced",
      (trial) => fenced(trial, []).hold("node-2"),
      "192.0.2.10 is served by node-1 and node-2"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S1)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })

  it.each<Row>([
    ["calls clients back", (trial) => announce(fenced(trial).wait(200)), "FINE"],
    ["must not if nobody said so", (trial) => announce(fenced(trial, []).wait(200)), "1.aa is fenced"]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S6)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})
