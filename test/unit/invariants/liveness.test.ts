/** L1, L2, L3, S13: what must be so in the end. */
import { assert, describe, it } from "@effect/vitest"
import type { Lease } from "../../../src/api/Lease.ts"
import { nodeLeaseAnnotations } from "../../../src/api/Names.ts"
import type { Liveness } from "../../../src/invariants/GroundTruth.ts"
import { L1 } from "../../../src/invariants/L1.ts"
import { L2 } from "../../../src/invariants/L2.ts"
import { L3 } from "../../../src/invariants/L3.ts"
import { announcedBeyondMillis, announcedMillis } from "../../../src/invariants/Registrations.ts"
import { S13 } from "../../../src/invariants/S13.ts"
import { address, allocation, verdictOf, claim, lease, node, pool, type Row, service, Trial } from "./Trial.ts"

const shown = service("web", { shown: [address] })
const served = (trial: Trial) => trial.service(shown).allocation(allocation()).hold("node-1")
const leftByV04 = (trial: Trial) => {
  const { epoch: _epoch, holdId: _holdId, ...known } = claim()
  return trial.service(shown).allocation(allocation("web", { claims: [known] }))
}
/** Served, and clients ask `node-2`, which let go of the address late; the IPAllocation says so, or knows nothing of it. */
const leftLate = (trial: Trial, isSaid = false) => {
  const released = { address, node: "node-2", holdId: "1.bb", epoch: 1, phase: "Released" } as const
  trial.neighbours.set(address, "node-2")
  trial.leftLate.set(address, { node: "node-2", atMillis: trial.nowMillis })
  const granted = allocation("web", { status: { addresses: isSaid ? [released] : [] } })
  return trial.service(shown).allocation(granted).hold("node-1")
}
const asks = (text: string, parts: Parameters<typeof service>[1] = {}) =>
  service("web", { ...parts, spec: { externalIPs: [text], ...parts.spec } })

const judged = (liveness: Liveness, rows: ReadonlyArray<Row>) => {
  it.each<Row>(rows)("%s", (_, play, verdict) => {
    const trial = new Trial()
    play(trial)
    assert.include(verdictOf(liveness.unmet(trial)), verdict)
  })
}

describe("L1: what can be served is granted, live on one healthy node and shown", () => {
  judged(L1, [
    ["no Service", () => undefined, "FINE"],
    ["served", served, "FINE"],
    [
      "not granted, though an address is free",
      (trial) => trial.service(service()),
      "could be granted 192.0.2.10 or another, and is not"
    ],
    [
      "not granted the address it asks for",
      (trial) => trial.service(asks("192.0.2.12")),
      "could be granted 192.0.2.12, and is not"
    ],
    ["asks for what another has", (trial) => trial.service(asks(address)).allocation(allocation("api")), "FINE"],
    ["asks for what no pool has", (trial) => trial.service(asks("192.0.2.99")), "FINE"],
    [
      "asks for any, and all are taken",
      (trial) =>
        trial
          .service(service())
          .allocation(allocation("api", { claims: [10, 11, 12].map((last) => claim({ address: `192.0.2.${last}` })) })),
      "FINE"
    ],
    [
      "asks for any, and one of them is a Node's own",
      (trial) => {
        const own = {
          status: { addresses: [{ type: "InternalIP", address }], conditions: [{ type: "Ready", status: "True" }] }
        }
        trial.nodeObjects.set("node-1", node("node-1", own))
        return trial.pool(pool("rack-1", { addresses: [address] })).service(service())
      },
      "FINE"
    ],
    [
      "asks for a family that no pool has",
      (trial) => trial.service(service("web", { spec: { ipFamilies: ["IPv6"] } })),
      "FINE"
    ],
    [
      "the namespace is not allowed",
      (trial) => trial.pool(pool("rack-1", { allowedNamespaces: ["lab"] })).service(service()),
      "FINE"
    ],
    ["the pool is disabled", (trial) => trial.pool(pool("rack-1", { disabled: true })).service(service()), "FINE"],
    [
      "the pool gives nothing unasked",
      (trial) => trial.pool(pool("rack-1", { autoAssign: false })).service(service()),
      "FINE"
    ],
    [
      "a pool is named that gives nothing unasked",
      (trial) =>
        trial
          .pool(pool("rack-1", { autoAssign: false }))
          .service(service("web", { metadata: { annotations: { "loadbalancing.plenus.io/pool": "rack-1" } } })),
      "could be granted"
    ],
    [
      "an older pool that refuses it has the address",
      (trial) =>
        trial
          .pool(pool("old", { allowedNamespaces: ["lab"], metadata: { creationTimestamp: "2026-01-15T08:00:00Z" } }))
          .service(asks(address)),
      "FINE"
    ],
    [
      "a Service of another class",
      (trial) => trial.service(service("web", { spec: { loadBalancerClass: "example.com/other" } })),
      "FINE"
    ],
    ["a Service of another type", (trial) => trial.service(service("web", { spec: { type: "ClusterIP" } })), "FINE"],
    ["on no node", (trial) => trial.service(shown).allocation(allocation()), "192.0.2.10 is on 0 nodes"],
    ["on two nodes", (trial) => served(trial).hold("node-2"), "is on 2 nodes"],
    ["on two nodes, of which a fault hinders one", (trial) => served(trial).hold("node-2").impair("node-2"), "FINE"],
    [
      "on the assigned node, which a fault hindered until now",
      (trial) => served(trial).impair("node-1").relieve("node-1"),
      "FINE"
    ],
    [
      "on the assigned node, and on one that was hindered until now",
      (trial) => served(trial).hold("node-2").impair("node-2").relieve("node-2"),
      "FINE"
    ],
    ["on the assigned node, which a fault hinders", (trial) => served(trial).impair("node-1"), "not healthy"],
    [
      "on another node than assigned",
      (trial) => trial.service(shown).allocation(allocation()).hold("node-2"),
      "is on node-2, and assigned to node-1"
    ],
    [
      "on a node without power",
      (trial) => {
        served(trial)
        trial.machine("node-1", false)
      },
      "not healthy"
    ],
    [
      "with clients that know another node",
      (trial) => {
        served(trial)
        trial.neighbours.set(address, "node-2")
      },
      "does not answer a client"
    ],
    [
      "with clients that know a node which let go of it late, unknown to its holder",
      (trial) => leftLate(trial),
      "FINE"
    ],
    [
      "with clients that could have forgotten such a node",
      (trial) => {
        leftLate(trial)
        trial.nowMillis += 46_000
      },
      "does not answer a client"
    ],
    [
      "with clients that know such a node, of which its holder was told",
      (trial) => leftLate(trial, true),
      "does not answer a client"
    ],
    [
      "not shown",
      (trial) => trial.service(service()).allocation(allocation()).hold("node-1"),
      "192.0.2.10 is not in its status"
    ],
    [
      "no node can hold it",
      (trial) => {
        for (const name of ["node-1", "node-2"])
          trial.nodeObjects.set(name, node(name, { spec: { unschedulable: true } }))
        return trial.service(shown).allocation(allocation())
      },
      "FINE"
    ],
    [
      "no node can hold it, and somebody took it out of the status",
      (trial) => {
        for (const name of ["node-1", "node-2"])
          trial.nodeObjects.set(name, node(name, { spec: { unschedulable: true } }))
        return trial.service(service()).allocation(allocation())
      },
      "FINE"
    ],
    ["left by v0.4 on a node that could take it over", leftByV04, "is on 0 nodes"],
    ["left by v0.4 on a node whose operator is away", (trial) => leftByV04(trial).impair("node-1"), "FINE"],
    [
      "granted, and its pool refuses the Service by now",
      (trial) =>
        served(trial)
          .pool(pool("rack-1", { disabled: true }))
          .drop("node-1"),
      "is on 0 nodes"
    ],
    [
      "granted, and its pool lists it no more",
      (trial) =>
        served(trial)
          .pool(pool("rack-1", { addresses: [] }))
          .drop("node-1"),
      "FINE"
    ],
    [
      "a dual-stack Service with one of two",
      (trial) =>
        trial
          .pool(pool("rack-1", { addresses: ["192.0.2.10", "2001:db8::/124"] }))
          .service(service("web", { shown: [address], spec: { ipFamilies: ["IPv4", "IPv6"] } }))
          .allocation(allocation())
          .hold("node-1"),
      "could be granted 2001:db8:: or another"
    ]
  ])
})

const waiting = (state: "pending" | "success", message: string) =>
  allocation("web", { claims: [], status: { state, message } })

describe("L2: what cannot be served says why", () => {
  judged(L2, [
    ["served", served, "FINE"],
    ["could be granted, which is L1's", (trial) => trial.service(service()), "FINE"],
    [
      "nothing is said",
      (trial) => trial.service(asks("192.0.2.99")),
      "cannot have 192.0.2.99, of no pool, and its state is absent"
    ],
    [
      "a reason is given",
      (trial) => trial.service(asks("192.0.2.99")).allocation(waiting("pending", "no pool lists it")),
      "FINE"
    ],
    [
      "called served",
      (trial) => trial.service(asks("192.0.2.99")).allocation(waiting("success", "Allocated")),
      "its state is success"
    ],
    [
      "says only that it waits",
      (trial) => trial.service(asks("192.0.2.99")).allocation(waiting("pending", "Waiting for allocator")),
      "nothing says so"
    ],
    ["what nobody can read", (trial) => trial.service(asks("192.0.2.099")), '"192.0.2.099", which is no address'],
    [
      "a second family that is only preferred",
      (trial) =>
        served(trial).service(
          service("web", {
            shown: [address],
            spec: { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "PreferDualStack" }
          })
        ),
      "FINE"
    ]
  ])
})

describe("L3: what was deleted is gone", () => {
  const gone = { metadata: { deletionTimestamp: "2027-01-15T09:00:00Z" } }
  judged(L3, [
    ["served", served, "FINE"],
    ["an IPAllocation without Service", (trial) => trial.allocation(allocation()), "has no Service any more"],
    [
      "one of a Service that is ours no more",
      (trial) => trial.service(service("web", { spec: { type: "ClusterIP" } })).allocation(allocation()),
      "has no Service any more"
    ],
    [
      "one of a predecessor",
      (trial) => trial.service(service("web", { uid: "web-2" })).allocation(allocation()),
      "is of another Service"
    ],
    [
      "one that is being deleted",
      (trial) => trial.service(service()).allocation(allocation("web", gone)),
      "is being deleted and still there"
    ],
    ["an address that nobody assigned", (trial) => trial.hold("node-1"), "node-1 still holds 192.0.2.10"],
    ["an address that is another node's", (trial) => served(trial).hold("node-2"), "node-2 still holds 192.0.2.10"],
    ["an address that a person put there", (trial) => trial.hold("node-1", "203.0.113.1", "person"), "FINE"],
    ["an address on a node that a fault hinders", (trial) => trial.hold("node-1").impair("node-1"), "FINE"],
    [
      "a pool that is unused",
      (trial) => trial.pool(pool("rack-1", gone)),
      "PersistentIPPool/rack-1 is deleted, unused, and there"
    ],
    ["a pool in use", (trial) => served(trial).pool(pool("rack-1", gone)), "FINE"],
    [
      "a Service with our finalizer",
      (trial) => trial.service(service("web", { metadata: { finalizers: ["loadbalancing.plenus.io/cleanup"] } })),
      "carries our finalizer"
    ]
  ])
})

describe("S13: one bad object is reported", () => {
  const bad = { addresses: ["224.0.0.5"] }
  const condition = {
    type: "Degraded",
    status: "True",
    reason: "InvalidAddress",
    message: "224.0.0.5 …",
    lastTransitionTime: ""
  } as const
  judged(S13, [
    ["good pools", () => undefined, "FINE"],
    [
      "in silence",
      (trial) => trial.pool(pool("typo", bad)),
      'PersistentIPPool/typo lists "224.0.0.5", and does not say so'
    ],
    ["aloud", (trial) => trial.pool(pool("typo", { ...bad, status: { conditions: [condition] } })), "FINE"]
  ])
})

const announcing = (durationMillis: number, { metadata }: Lease = lease("node-1", "1.aa")): Lease => {
  const annotations = { ...metadata.annotations, [nodeLeaseAnnotations.durationMillis]: String(durationMillis) }
  return { metadata: { ...metadata, annotations } }
}

describe("By how much longer than its profile's time a silent node may be waited for", () => {
  it.each<readonly [string, ReadonlyArray<Lease>, number]>([
    ["not at all, as it announced just that", [announcing(6_500)], 0],
    ["until what it announced for a handover is over", [announcing(6_500), announcing(60_000)], 53_500],
    ["not at all once it is fenced", [announcing(60_000, lease("node-1", "1.aa", "1.aa"))], 0],
    [
      "as before, when the fence was for its former hold id",
      [announcing(60_000, lease("node-1", "2.bb", "1.aa"))],
      53_500
    ],
    ["not for what is no node's lease", [announcing(60_000, { metadata: { name: "leader" } })], 0],
    ["not for one that announced nothing", [lease("node-1", "1.aa")], 0]
  ])("%s", (_, leases, millis) => {
    assert.strictEqual(announcedBeyondMillis(leases, 6_500), millis)
  })
})

describe("How long a machine that boots may wait for its former lease", () => {
  it.each<readonly [string, ReadonlyArray<Lease>, number]>([
    ["for the longest that was announced", [announcing(6_500), announcing(60_000)], 60_000],
    ["also once that is fenced", [announcing(60_000, lease("node-1", "1.aa", "1.aa"))], 60_000],
    ["not for what is no node's lease", [announcing(60_000, { metadata: { name: "leader" } })], 0],
    ["not where there is none", [], 0]
  ])("%s", (_, leases, millis) => {
    assert.strictEqual(announcedMillis(leases), millis)
  })
})
