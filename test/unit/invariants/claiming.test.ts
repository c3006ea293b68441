/** S2, S3, S8, S10: what is granted, and to whom. */
import { assert, describe, it } from "@effect/vitest"
import type { Lease } from "../../../src/api/Lease.ts"
import { leaderLeaseName, nodeLeaseName } from "../../../src/api/Names.ts"
import { S10 } from "../../../src/invariants/S10.ts"
import { S2 } from "../../../src/invariants/S2.ts"
import { S3 } from "../../../src/invariants/S3.ts"
import { S8 } from "../../../src/invariants/S8.ts"
import { address, allocation, claim, lease, pool, type Row, service, Trial, verdictOf } from "./Trial.ts"

const of = (claims: ReadonlyArray<ReturnType<typeof claim>>) => allocation("web", { claims })

const both = (trial: Trial) =>
  trial
    .service(service("web", { shown: [address] }))
    .allocation(allocation())
    .allocation(allocation("api"), "controller-2")

describe("S2: one live claim per address, in canonical form", () => {
  it.each<Row>([
    ["one", (trial) => trial.allocation(allocation()), "FINE"],
    [
      "two addresses",
      (trial) =>
        trial.allocation(allocation()).allocation(allocation("api", { claims: [claim({ address: "192.0.2.11" })] })),
      "FINE"
    ],
    [
      "two by one leader",
      (trial) => trial.allocation(allocation()).allocation(allocation("api")),
      "192.0.2.10 is claimed by shop/web (uid web-a1) and shop/api (uid api-a1)"
    ],
    ["two by two leaders at the same time", both, "EXCUSED"],
    [
      "two by two leaders, of which the second could know",
      (trial) => {
        trial.service(service("web", { shown: [address] })).allocation(allocation())
        trial.nowMillis += 11_000
        return trial.allocation(allocation("api"), "controller-2")
      },
      "is claimed by"
    ],
    [
      "two by two leaders, both shown",
      (trial) => both(trial).service(service("api", { shown: [address] }), "controller-2"),
      "is claimed by"
    ],
    [
      "two by two leaders, both said to be served",
      (trial) => {
        const said = { address, node: "node-1", holdId: "1.aa", epoch: 1, phase: "Serving" as const }
        const status = { addresses: [said] }
        return both(trial)
          .allocation(allocation("web", { status }), "operator-node-1")
          .allocation(allocation("api", { status }), "operator-node-1")
      },
      "is claimed by"
    ],
    [
      "beside one that a user wrote",
      (trial) => trial.allocation(allocation(), "kubectl").allocation(allocation("api")),
      "EXCUSED"
    ],
    [
      "another spelling",
      (trial) => trial.allocation(of([claim({ address: "2001:DB8::1" })])),
      "which is not canonical"
    ],
    ["an entry without address, as v0.4 left it", (trial) => trial.allocation(of([claim({ address: "" })])), "FINE"]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S2)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

describe("S3: a granted address was in a pool that listed it and allowed the namespace", () => {
  const gone = { metadata: { deletionTimestamp: "2027-01-15T09:00:00Z" } }
  it.each<Row>([
    ["listed", (trial) => trial.allocation(allocation()), "FINE"],
    [
      "not listed",
      (trial) => trial.allocation(of([claim({ address: "192.0.2.99" })])),
      "from pool rack-1, which does not list it"
    ],
    [
      "no such pool",
      (trial) => trial.allocation(of([claim({ pool: "rack-9" })])),
      "from pool rack-9, which does not exist"
    ],
    [
      "another namespace",
      (trial) => trial.pool(pool("lab", { allowedNamespaces: ["lab"] })).allocation(of([claim({ pool: "lab" })])),
      "does not allow namespace shop"
    ],
    [
      "a namespace that is selected",
      (trial) => {
        trial.namespaces.set("shop", { metadata: { name: "shop", labels: { tier: "edge" } } })
        return trial
          .pool(pool("lab", { allowedNamespaceSelector: { matchLabels: { tier: "edge" } } }))
          .allocation(of([claim({ pool: "lab" })]))
      },
      "FINE"
    ],
    [
      "being deleted",
      (trial) => trial.pool(pool("lab", gone)).allocation(of([claim({ pool: "lab" })])),
      "which is being deleted"
    ],
    [
      "listed when the controller last saw it",
      (trial) =>
        trial
          .pool(pool("rack-1", { addresses: [] }))
          .wait(1_000)
          .allocation(allocation()),
      "FINE"
    ],
    [
      "listed once",
      (trial) =>
        trial
          .pool(pool("rack-1", { addresses: [] }))
          .wait(300_000)
          .allocation(allocation()),
      "does not list it"
    ],
    [
      "kept by a Service whose pool lost it",
      (trial) =>
        trial
          .allocation(allocation())
          .pool(pool("rack-1", { addresses: [] }))
          .wait(300_000)
          .allocation(of([claim({ epoch: 2 })])),
      "FINE"
    ],
    ["written by a user", (trial) => trial.allocation(of([claim({ pool: "rack-9" })]), "kubectl"), "FINE"]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S3)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

const holding = (holdId: string, fenced?: string): Lease => {
  const { metadata } = lease("node-1", holdId, fenced)
  return { metadata: { ...metadata, name: nodeLeaseName("node-1") } }
}

describe("S8: epochs are monotone", () => {
  const moved = claim({ nodeName: "node-2", holdId: "1.bb", epoch: 2 })
  it.each<Row>([
    [
      "a hold id that was fenced is followed by the next",
      (trial) => trial.lease(holding("1.aa", "1.aa"), "operator-node-1").lease(holding("2.bb"), "operator-node-1"),
      "FINE"
    ],
    [
      "a hold id in force is followed by the next",
      (trial) => trial.lease(holding("1.aa"), "operator-node-1").lease(holding("2.bb"), "operator-node-1"),
      "operator-node-1 gave up 1.aa for 2.bb"
    ],
    [
      "a hold id of a lease made anew is followed by one after what allocations name",
      (trial) => trial.lease(holding("1.aa"), "operator-node-1").lease(holding("4.bb"), "operator-node-1"),
      "FINE"
    ],
    ["rises with the holder", (trial) => trial.allocation(of([claim()])).allocation(of([moved])), "FINE"],
    ["falls", (trial) => trial.allocation(of([moved])).allocation(of([claim()])), "fell from 2 to 1"],
    [
      "stays while the holder changes",
      (trial) => trial.allocation(of([claim()])).allocation(of([{ ...moved, epoch: 1 }])),
      "stayed 1 while the holder changed from node-1 to node-2"
    ],
    [
      "begins anew after a release",
      (trial) =>
        trial
          .allocation(of([moved]))
          .allocation(of([]))
          .allocation(of([claim()])),
      "fell from 2 to 1"
    ],
    [
      "begins anew with a new UID",
      (trial) =>
        trial
          .allocation(of([moved]))
          .remove("IPAllocation", "shop/web")
          .allocation(allocation("web", { uid: "web-a2" })),
      "FINE"
    ],
    [
      "comes to what v0.4 left",
      (trial) => trial.allocation(of([{ address, pool: "rack-1", nodeName: "node-1" }])).allocation(of([claim()])),
      "FINE"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S8)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

const leader = (holderIdentity: string): Lease => ({
  metadata: { name: leaderLeaseName, namespace: "plenuslb" },
  spec: { holderIdentity, leaseDurationSeconds: 3 }
})

describe("S10: two active leaders break none of these", () => {
  const fenced = lease("node-1", "1.aa", "1.aa")
  it.each<Row>([
    [
      "each epoch names one holder",
      (trial) =>
        trial.allocation(of([claim()])).allocation(of([claim({ nodeName: "node-2", epoch: 2 })]), "controller-2"),
      "FINE"
    ],
    [
      "one epoch names two",
      (trial) =>
        trial
          .allocation(of([claim()]))
          .allocation(of([]))
          .allocation(of([claim({ nodeName: "node-2" })]), "controller-2"),
      "epoch 1 of 192.0.2.10 was given to node-1 under 1.aa by controller-1, and to node-2"
    ],
    ["a fence", (trial) => trial.lease(fenced), "FINE"],
    [
      "a fence is taken back",
      (trial) => trial.lease(fenced).lease(lease("node-1", "1.aa"), "controller-2"),
      "controller-2 took back the fence of 1.aa"
    ],
    [
      "a registration is taken back",
      (trial) => trial.lease(lease("node-1", "2.cc"), "operator-node-1").lease(lease("node-1", "1.aa"), "controller-2"),
      "took back the registration"
    ],
    [
      "an operator takes its fence back",
      (trial) => trial.lease(fenced).lease(lease("node-1", "1.aa"), "operator-node-1"),
      "operator-node-1 took back the fence of 1.aa"
    ],
    [
      "an operator registers anew",
      (trial) => trial.lease(fenced).lease(lease("node-1", "2.cc"), "operator-node-1"),
      "FINE"
    ],
    [
      "who leads has let the lease run out, by a clock that is 8 % too fast",
      (trial) => trial.lease(leader("one")).wait(2_800).lease(leader("another"), "controller-2"),
      "FINE"
    ],
    [
      "who leads has let go",
      (trial) => trial.lease(leader("one")).wait(100).lease(leader("")).lease(leader("another"), "controller-2"),
      "FINE"
    ],
    [
      "who leads is driven out",
      (trial) => trial.lease(leader("one")).wait(2_700).lease(leader("another"), "controller-2"),
      "controller-2 took the lead from one, who renewed 2700 ms before"
    ],
    [
      "a person gives the lead to another",
      (trial) => trial.lease(leader("one")).wait(100).lease(leader("another"), "kubectl"),
      "FINE"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S10)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})
