/** S1, S6, S7, S9, S14, S15: what nodes hold. S16: foreign.test.ts. */
import { assert, describe, it } from "@effect/vitest"
import type { IPAllocation } from "../../../src/api/IPAllocation.ts"
import { nodeLeaseAnnotations, nodeLeaseName } from "../../../src/api/Names.ts"
import { S1 } from "../../../src/invariants/S1.ts"
import { S14 } from "../../../src/invariants/S14.ts"
import { S15 } from "../../../src/invariants/S15.ts"
import { S6 } from "../../../src/invariants/S6.ts"
import { S7 } from "../../../src/invariants/S7.ts"
import { S9 } from "../../../src/invariants/S9.ts"
import { address, allocation, verdictOf, claim, lease, pool, type Row, service, Trial } from "./Trial.ts"

const deleting = { metadata: { deletionTimestamp: "2027-01-15T09:00:00Z" } }
const without = { metadata: { finalizers: [], deletionTimestamp: "2027-01-15T09:00:00Z" } }

describe("S1: at most one node serves an address", () => {
  it.each<Row>([
    ["one holder", (trial) => trial.hold("node-1"), "FINE"],
    ["one after the other", (trial) => trial.hold("node-1").drop("node-1").hold("node-2"), "FINE"],
    ["two holders", (trial) => trial.hold("node-1").hold("node-2"), "192.0.2.10 is served by node-1 and node-2"],
    [
      "a predecessor that a fault hinders: its kernel lets go without it",
      (trial) => trial.hold("node-1").impair("node-1").hold("node-2"),
      "192.0.2.10 is served by node-1 and node-2"
    ],
    [
      "a predecessor without a fence, or whose clock stood still",
      (trial) => trial.hold("node-1").unfence("node-1").hold("node-2"),
      "EXCUSED"
    ],
    [
      "an address that a person put on a node that is hindered",
      (trial) => trial.hold("node-1", address, "person").impair("node-1").hold("node-2"),
      "EXCUSED"
    ],
    [
      "such an address a moment later",
      (trial) => trial.hold("node-1", address, "person").impair("node-1").relieve("node-1").wait(4_000).hold("node-2"),
      "EXCUSED"
    ],
    [
      "such an address after it could have been taken off",
      (trial) =>
        trial
          .hold("node-1", address, "person")
          .impair("node-1")
          .hold("node-2")
          .relieve("node-1")
          .wait(6_000)
          .hold("node-1", "192.0.2.11"),
      "192.0.2.10 is served by node-1 and node-2"
    ],
    [
      "a holder whose IPAllocation went by a person's hand",
      (trial) =>
        trial.allocation(allocation()).hold("node-1").remove("IPAllocation", "shop/web", "kubectl").hold("node-2"),
      "EXCUSED"
    ],
    [
      "such a holder, once it had let go",
      (trial) =>
        trial
          .allocation(allocation())
          .hold("node-1")
          .remove("IPAllocation", "shop/web", "kubectl")
          .drop("node-1")
          .hold("node-2")
          .hold("node-1"),
      "192.0.2.10 is served by node-2 and node-1"
    ],
    [
      "two that two IPAllocations name",
      (trial) => trial.allocation(allocation()).allocation(allocation("api")).hold("node-1").hold("node-2"),
      "192.0.2.10 is served by node-1 and node-2"
    ],
    [
      "two of what a provider routes, in a planned move",
      (trial) =>
        trial
          .allocation(allocation("web", { claims: [claim({ cloudProvider: "hetzner" })] }))
          .hold("node-1")
          .hold("node-2"),
      "FINE"
    ],
    [
      "two of what a provider routed until it was given back",
      (trial) =>
        trial
          .allocation(allocation("web", { claims: [claim({ cloudProvider: "hetzner" })] }))
          .hold("node-1")
          .remove("IPAllocation", "shop/web")
          .hold("node-2"),
      "FINE"
    ],
    [
      "the same, once a pool that no provider routes has it",
      (trial) =>
        trial
          .allocation(allocation("web", { claims: [claim({ cloudProvider: "hetzner" })] }))
          .hold("node-1")
          .remove("IPAllocation", "shop/web")
          .allocation(allocation("api"))
          .hold("node-2"),
      "192.0.2.10 is served by node-1 and node-2"
    ],
    [
      "three, of whom one has no fence",
      (trial) => {
        trial.machine("node-3")
        return trial.hold("node-1").unfence("node-1").hold("node-2").hold("node-3")
      },
      "node-1 and node-2 and node-3"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S1)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

const announce = (trial: Trial, node: string, isStopped = false) =>
  trial.tell({ type: "Announced", node, address, isStopped })
const fenced = (trial: Trial) =>
  trial
    .allocation(allocation())
    .hold("node-1")
    .lease(lease("node-1", "1.aa", "1.aa"))

describe("S6: no outside effect without a committed intent", () => {
  it.each<Row>([
    [
      "intent, then address and frame",
      (trial) => announce(trial.allocation(allocation()).hold("node-1"), "node-1"),
      "FINE"
    ],
    ["an address of no intent", (trial) => trial.hold("node-1"), "no committed intent names it"],
    [
      "a frame of a former registration",
      (trial) => announce(trial.allocation(allocation()).lease(lease("node-1", "2.cc")).wait(6_000), "node-1"),
      "it is not registered under 1.aa"
    ],
    ["a frame that was on its way when the fence came", (trial) => announce(fenced(trial).wait(90), "node-1"), "FINE"],
    [
      "a frame after the fence, whatever hinders the operator",
      (trial) => announce(fenced(trial).impair("node-1").wait(200), "node-1"),
      "1.aa is fenced"
    ],
    ["such a frame of who was stopped", (trial) => announce(fenced(trial).wait(200), "node-1", true), "FINE"],
    ["a frame of no intent", (trial) => announce(trial, "node-1"), "node-1 announces 192.0.2.10"],
    ["an intent for another node", (trial) => trial.allocation(allocation()).hold("node-2"), "no committed intent"],
    [
      "an intent without hold id, as v0.4 left it",
      (trial) =>
        trial
          .allocation(allocation("web", { claims: [{ address, pool: "rack-1", nodeName: "node-1" }] }))
          .hold("node-1"),
      "no committed intent"
    ],
    [
      "an intent for a registration that was fenced",
      (trial) => trial.allocation(allocation()).lease(lease("node-1", "2.cc")).wait(6_000).hold("node-1"),
      "it is not registered under 1.aa"
    ],
    [
      "the same while a fault hinders the operator",
      (trial) =>
        trial.allocation(allocation()).lease(lease("node-1", "2.cc")).wait(6_000).impair("node-1").hold("node-1"),
      "FINE"
    ],
    [
      "an intent that was withdrawn, by a watch that lags",
      (trial) =>
        trial
          .allocation(allocation())
          .allocation(allocation("web", { claims: [] }))
          .wait(1_000)
          .hold("node-1"),
      "FINE"
    ],
    [
      "an intent that was withdrawn long ago",
      (trial) =>
        trial
          .allocation(allocation())
          .allocation(allocation("web", { claims: [] }))
          .wait(300_000)
          .hold("node-1"),
      "no committed intent"
    ],
    ["an address that a person put there", (trial) => trial.hold("node-1", address, "person"), "FINE"]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S6)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

describe("S7: no finalizer is removed before the effects are gone", () => {
  it.each<Row>([
    [
      "released, then finalized",
      (trial) => trial.allocation(allocation()).hold("node-1").drop("node-1").allocation(allocation("web", without)),
      "FINE"
    ],
    [
      "granted without it",
      (trial) => trial.allocation(allocation("web", { metadata: { generation: 1, finalizers: [] } })),
      "controller-1 granted addresses to shop/web"
    ],
    [
      "taken off by a user, and granted more",
      (trial) =>
        trial
          .allocation(allocation("web", { metadata: { generation: 1, finalizers: [] } }), "kubectl")
          .allocation(allocation("web", { metadata: { generation: 2, finalizers: [] } })),
      "without a finalizer"
    ],
    [
      "taken off by a user, and reported about",
      (trial) =>
        trial
          .allocation(allocation("web", { metadata: { generation: 1, finalizers: [] } }), "kubectl")
          .allocation(allocation("web", { metadata: { generation: 1, finalizers: [] } })),
      "FINE"
    ],
    [
      "finalized while held",
      (trial) => trial.allocation(allocation()).hold("node-1").allocation(allocation("web", without)),
      "lost its finalizer while 192.0.2.10 was still on node-1"
    ],
    [
      "removed while held",
      (trial) => trial.allocation(allocation()).hold("node-1").remove("IPAllocation", "shop/web"),
      "still on node-1"
    ],
    [
      "while a hindered node holds it",
      (trial) => trial.allocation(allocation()).hold("node-1").impair("node-1").allocation(allocation("web", without)),
      "EXCUSED"
    ],
    [
      "by force of a user",
      (trial) => trial.allocation(allocation()).hold("node-1").allocation(allocation("web", without), "kubectl"),
      "FINE"
    ],
    [
      "deletion alone",
      (trial) => trial.allocation(allocation()).hold("node-1").allocation(allocation("web", deleting)),
      "FINE"
    ],
    [
      "an address that a person put there",
      (trial) =>
        trial.allocation(allocation()).hold("node-1", address, "person").allocation(allocation("web", without)),
      "FINE"
    ],
    [
      "an address that another one lets the node hold",
      (trial) =>
        trial
          .allocation(allocation())
          .allocation(allocation("api"))
          .hold("node-1")
          .allocation(allocation("web", without)),
      "FINE"
    ],
    [
      "a pool that is unused",
      (trial) =>
        trial
          .pool(pool("rack-1", { metadata: { finalizers: ["loadbalancing.plenus.io/cleanup"] } }))
          .pool(pool(), "controller-1"),
      "FINE"
    ],
    [
      "a pool in use",
      (trial) =>
        trial
          .allocation(allocation())
          .pool(pool("rack-1", { metadata: { finalizers: ["loadbalancing.plenus.io/cleanup"] } }))
          .pool(pool(), "controller-1"),
      "PersistentIPPool/rack-1 lost its finalizer while shop/web"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S7)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

const elsewhere = (trial: Trial) => {
  trial.nodes.get("node-1")?.held.set("203.0.113.1", "dummy0")
  return trial.drop("node-1", "203.0.113.1")
}

describe("S9: nothing of the host's own is touched", () => {
  const change = { type: "HostChanged", node: "node-1", before: "eth0 up 10.0.0.1/16", after: "eth0 up " } as const
  it.each<Row>([
    [
      "an address of ours comes and goes",
      (trial) => trial.allocation(allocation()).hold("node-1").drop("node-1"),
      "FINE"
    ],
    [
      "the machine's own network goes by our hand",
      (trial) => trial.tell({ ...change, by: "operator-node-1" }),
      "operator-node-1 changed node-1"
    ],
    ["the same by a person's", (trial) => trial.tell({ ...change, by: "person" }), "FINE"],
    ["an address that was never ours, elsewhere", elsewhere, "removed 203.0.113.1 from dummy0 of node-1"],
    ["the cleaning of a pool's interface", (trial) => trial.drop("node-1", "203.0.113.1"), "FINE"],
    [
      "a Service's status",
      (trial) => trial.service(service()).service(service("web", { shown: [address] }), "controller-1"),
      "FINE"
    ],
    [
      "a Service's metadata",
      (trial) => trial.service(service()).service(service("web", { metadata: { finalizers: ["x"] } }), "controller-1"),
      "changed more of Service shop/web than its status"
    ],
    [
      "a Node",
      (trial) =>
        trial.tell({
          type: "Written",
          by: "controller-1",
          kind: "Node",
          key: "node-1",
          before: undefined,
          after: undefined
        }),
      "wrote Node node-1, which is not ours"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S9)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

/** Of 6.5 s. */
const announcing = (holdId: string, fenced?: string, bootId = "") => {
  const { metadata } = lease("node-1", holdId, fenced)
  const annotations = {
    ...metadata.annotations,
    [nodeLeaseAnnotations.durationMillis]: "6500",
    [nodeLeaseAnnotations.bootId]: bootId
  }
  return { metadata: { ...metadata, name: nodeLeaseName("node-1"), annotations } }
}

const renewed = (trial: Trial, waitedMillis: number) =>
  trial.lease(announcing("1.aa"), "operator-node-1").wait(waitedMillis)

describe("S14: an address is reused only after its fence is complete", () => {
  const next = allocation("api")
  const next2 = allocation("api", { claims: [claim({ nodeName: "node-2", holdId: "1.bb" })] })
  it.each<Row>([
    [
      "a fence once the lease ran out, by a clock that is 8 % too fast",
      (trial) => renewed(trial, 6_050).lease(announcing("1.aa", "1.aa")),
      "FINE"
    ],
    [
      "a fence before that",
      (trial) => renewed(trial, 5_950).lease(announcing("1.aa", "1.aa")),
      " 5950 ms after its renewal, and it announced 6500 ms"
    ],
    [
      "a fence before that, of a machine that is off",
      (trial) => {
        renewed(trial, 100).machine("node-1", false)
        trial.lease(announcing("1.aa", "1.aa"))
      },
      "FINE"
    ],
    [
      "a fence before that, of a machine that held nothing and was off meanwhile",
      (trial) => {
        renewed(trial, 100).machine("node-1", false)
        trial.allocation(allocation()).machine("node-1")
        trial.lease(announcing("1.aa", "1.aa"))
      },
      "FINE"
    ],
    [
      "a fence before that, of a machine that was off before its renewal",
      (trial) => {
        trial.allocation(allocation()).hold("node-1").machine("node-1", false)
        trial.drop("node-1").wait(100).machine("node-1")
        renewed(trial, 100).lease(announcing("1.aa", "1.aa"))
      },
      " 100 ms after its renewal"
    ],
    [
      "another boot that waited",
      (trial) => renewed(trial, 6_050).lease(announcing("2.bb", undefined, "boot-2"), "operator-node-1"),
      "FINE"
    ],
    [
      "another boot that did not",
      (trial) => renewed(trial, 100).lease(announcing("1.aa", undefined, "boot-2"), "operator-node-1"),
      "operator-node-1 took over from another boot plenuslb/"
    ],
    [
      "another boot that waited since the last renewal, not since the fence, which prolongs nothing",
      (trial) => {
        renewed(trial, 7_000).lease(announcing("1.aa", "1.aa")).wait(10)
        trial.lease(announcing("2.bb", undefined, "boot-2"), "operator-node-1")
      },
      "FINE"
    ],
    [
      "another boot that did not, of a machine that was fenced early, as it was off",
      (trial) => {
        renewed(trial, 100).machine("node-1", false)
        trial.lease(announcing("1.aa", "1.aa")).wait(10)
        trial.lease(announcing("2.bb", undefined, "boot-2"), "operator-node-1")
      },
      " 110 ms after its renewal"
    ],
    [
      "another registration after a fence",
      (trial) =>
        renewed(trial, 7_000).lease(announcing("1.aa", "1.aa")).wait(10).lease(announcing("2.bb"), "operator-node-1"),
      "FINE"
    ],
    ["a first grant", (trial) => trial.allocation(allocation()).hold("node-1"), "FINE"],
    [
      "after the release",
      (trial) =>
        trial
          .allocation(allocation())
          .hold("node-1")
          .drop("node-1")
          .remove("IPAllocation", "shop/web")
          .allocation(next),
      "FINE"
    ],
    [
      "before the release",
      (trial) => trial.allocation(allocation()).hold("node-1").remove("IPAllocation", "shop/web").allocation(next),
      "shop/api (uid api-a1) was granted 192.0.2.10 while node-1 still answered"
    ],
    [
      "while a node answers that has no fence",
      (trial) =>
        trial
          .allocation(allocation())
          .hold("node-1")
          .unfence("node-1")
          .remove("IPAllocation", "shop/web")
          .allocation(next),
      "EXCUSED"
    ],
    [
      "after a person removed what named the holder",
      (trial) =>
        trial.allocation(allocation()).hold("node-1").remove("IPAllocation", "shop/web", "kubectl").allocation(next),
      "EXCUSED"
    ],
    [
      "beside a claim that stands, which is S2's",
      (trial) => trial.allocation(allocation()).hold("node-1").allocation(next),
      "FINE"
    ],
    [
      "when the claim beside it is gone, and its node has let go",
      (trial) =>
        trial
          .allocation(allocation())
          .hold("node-1")
          .allocation(next2)
          .drop("node-1")
          .remove("IPAllocation", "shop/web"),
      "FINE"
    ],
    [
      "when the claim beside it is gone, while its node still answers",
      (trial) => trial.allocation(allocation()).hold("node-1").allocation(next2).remove("IPAllocation", "shop/web"),
      "shop/api (uid api-a1) alone has 192.0.2.10 since shop/web (uid web-a1) lost it while node-1 still answered"
    ],
    [
      "when the claim beside it is gone, which another node was named by",
      (trial) => trial.allocation(next2).hold("node-2").allocation(allocation()).remove("IPAllocation", "shop/web"),
      "FINE"
    ],
    [
      "a planned move",
      (trial) =>
        trial
          .allocation(allocation())
          .hold("node-1")
          .allocation(allocation("web", { claims: [claim({ nodeName: "node-2", epoch: 2 })] })),
      "FINE"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S14)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

const serving = (epoch = 1): IPAllocation => {
  const acknowledgement = { address, node: "node-1", holdId: "1.aa", epoch, phase: "Serving" } as const
  return allocation("web", { claims: [claim({ epoch })], status: { addresses: [acknowledgement] } })
}

const report = (trial: Trial, epoch?: number) => trial.allocation(serving(epoch), "operator-node-1")
const served = (trial: Trial) => report(announce(trial.allocation(allocation()).hold("node-1"), "node-1"))

describe("S15: what is served stays where it is, and was announced", () => {
  it.each<Row>([
    ["put there, announced, said", served, "FINE"],
    ["said before it was announced", (trial) => report(trial.allocation(allocation()).hold("node-1")), "not announced"],
    [
      "said of what is another's by now, that it lies there still",
      (trial) => {
        const spec = allocation("web", { claims: [claim({ nodeName: "node-2", holdId: "1.bb", epoch: 2 })] }).spec
        trial
          .allocation(allocation())
          .hold("node-1")
          .allocation({ ...allocation(), spec })
        return trial.allocation({ ...serving(), spec }, "operator-node-1")
      },
      "FINE"
    ],
    [
      "said of what is being deleted, that it lies there still",
      (trial) => {
        const metadata = { ...allocation().metadata, ...deleting.metadata }
        trial.allocation({ ...allocation(), metadata }).hold("node-1")
        return trial.allocation({ ...serving(), metadata }, "operator-node-1")
      },
      "FINE"
    ],
    [
      "announced before it was put there",
      (trial) => report(announce(trial.allocation(allocation()), "node-1").hold("node-1")),
      "not announced"
    ],
    ["taken off by its operator", (trial) => served(trial).drop("node-1"), "operator-node-1 took off 192.0.2.10"],
    ["taken off by a person", (trial) => served(trial).drop("node-1", address, "person"), "FINE"],
    [
      "taken off once it is another's",
      (trial) =>
        served(trial)
          .allocation(allocation("web", { claims: [claim({ epoch: 2 })] }))
          .drop("node-1"),
      "FINE"
    ],
    [
      "taken off where it is to serve on until a provider has moved the route",
      (trial) => {
        const previous = [{ node: "node-1", holdId: "1.aa", epoch: 1 }]
        const next = { nodeName: "node-2", holdId: "1.bb", epoch: 2, cloudProvider: "hetzner", previous }
        const { spec } = allocation("web", { claims: [claim(next)] })
        served(trial)
          .allocation({ ...serving(), spec })
          .drop("node-1")
      },
      "operator-node-1 took off 192.0.2.10"
    ],
    [
      "taken off after the fence",
      (trial) =>
        served(trial)
          .lease(lease("node-1", "1.aa", "1.aa"))
          .drop("node-1"),
      "FINE"
    ],
    [
      "taken off since it is being deleted",
      (trial) =>
        served(trial)
          .allocation({ ...serving(), metadata: { ...serving().metadata, ...deleting.metadata } })
          .drop("node-1"),
      "FINE"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S15)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})
