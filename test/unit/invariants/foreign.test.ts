/** S16: what a foreign machine has. */
import { assert, describe, it } from "@effect/vitest"
import { S16 } from "../../../src/invariants/S16.ts"
import { address, allocation, claim, type Row, service, Trial, verdictOf } from "./Trial.ts"

const announced = (trial: Trial, node = "node-1", isStopped = false): Trial =>
  trial.hold(node).tell({ type: "Announced", node, address, isStopped })

const foreign = (trial: Trial): Trial => {
  trial.foreignSince.set(address, trial.nowMillis)
  return trial
}

const wrong = "node-1 uses 192.0.2.10 for the first time, which a foreign machine has"

describe("S16: what a foreign machine answers for is not used", () => {
  it.each<Row>([
    ["an address that nobody has", (trial) => announced(trial.allocation(allocation())), "FINE"],
    [
      "one that a foreign machine has",
      (trial) => announced(foreign(trial).allocation(allocation()).wait(3_001)),
      wrong
    ],
    [
      "one that it took a moment ago",
      (trial) => announced(foreign(trial).allocation(allocation()).wait(3_000)),
      "FINE"
    ],
    [
      "one that was used before it came",
      (trial) => announced(foreign(announced(trial.allocation(allocation()))).wait(60_000)),
      "FINE"
    ],
    [
      "one that another node used before it came",
      (trial) => {
        foreign(announced(trial.allocation(allocation())))
        announced(
          trial.allocation(allocation("web", { claims: [claim({ nodeName: "node-2" })] })).wait(60_000),
          "node-2"
        )
      },
      "FINE"
    ],
    [
      "one that another Service used before",
      (trial) => {
        foreign(announced(trial.allocation(allocation()))).remove("IPAllocation", "shop/web")
        announced(trial.allocation(allocation("api")).wait(60_000))
      },
      wrong
    ],
    [
      "one that the Service shows while its IPAllocation is made anew",
      (trial) =>
        announced(
          foreign(trial)
            .service(service("web", { shown: [address] }))
            .allocation(allocation())
            .wait(9_000)
        ),
      "FINE"
    ],
    [
      "one that v0.4 has left there",
      (trial) => {
        const { epoch: _, holdId: __, ...left } = claim()
        announced(
          foreign(trial)
            .allocation(allocation("web", { claims: [left] }))
            .allocation(allocation())
            .wait(9_000)
        )
      },
      "FINE"
    ],
    [
      "one that a provider routes",
      (trial) => {
        const claims = [claim({ cloudProvider: "hetzner" })]
        announced(foreign(trial).allocation(allocation("web", { claims })).wait(9_000))
      },
      "FINE"
    ],
    [
      "one that the node cannot have heard of: a cable was out until a moment ago",
      (trial) => {
        foreign(trial).allocation(allocation()).wait(60_000)
        const record = trial.nodes.get("node-1")
        if (record !== undefined) record.reachesSince = trial.nowMillis - 1_000
        announced(trial)
      },
      "FINE"
    ],
    [
      "one of which the operator knew what it knew before it was stopped",
      (trial) => announced(foreign(trial).allocation(allocation()).wait(9_000), "node-1", true),
      "FINE"
    ],
    [
      "one that a person put there",
      (trial) =>
        foreign(trial)
          .allocation(allocation())
          .wait(9_000)
          .hold("node-1", address, "person")
          .tell({ type: "Announced", node: "node-1", address, isStopped: false }),
      "FINE"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S16)
    play(trial)
    assert.strictEqual(verdictOf(trial.found), verdict)
  })
})
