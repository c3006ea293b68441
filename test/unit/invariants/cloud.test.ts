/** What is bought, routed and given back, as S5 and S4 judge it, and L1 and L3 demand it. */
import { assert, describe, it } from "@effect/vitest"
import type { Allocation } from "../../../src/api/IPAllocation.ts"
import type { CloudAddressTruth } from "../../../src/invariants/GroundTruth.ts"
import { rivalryMillis } from "../../../src/invariants/Actors.ts"
import { sweptMillis } from "../../../src/invariants/Clouds.ts"
import { L1 } from "../../../src/invariants/L1.ts"
import { L3 } from "../../../src/invariants/L3.ts"
import { staleMillis } from "../../../src/invariants/Claims.ts"
import { S3 } from "../../../src/invariants/S3.ts"
import { S4 } from "../../../src/invariants/S4.ts"
import { S5 } from "../../../src/invariants/S5.ts"
import { address, allocation, claim, pool, type Row, service, Trial, verdictOf } from "./Trial.ts"

const labels = { "managed-by": "plenuslb", cluster: "c", namespace: "shop", service: "web", claim: "web-a1" }
const bought: CloudAddressTruth = {
  id: "7",
  network: address,
  name: "plenuslb-ephemeral-shop-web-1",
  labels: { ...labels, ownership: "created" },
  node: undefined,
  isBoughtByUs: true
}
const users: CloudAddressTruth = { ...bought, name: "mine", labels: { team: "web" }, isBoughtByUs: false }
const namesake: CloudAddressTruth = { ...users, id: "8", name: bought.name }

const granted: Allocation = claim({ pool: "cloud", cloudProvider: "hetzner", cloudId: "7" })
const another = allocation("api", { claims: [granted] })
const intent: Allocation = { address: "", pool: "cloud", cloudProvider: "hetzner", family: "IPv4" }
const disowned = (trial: Trial) =>
  trial
    .allocation(of([granted]))
    .provider([bought])
    .remove("IPAllocation", "shop/web", "kube-controller-manager")
const of = (claims: ReadonlyArray<Allocation>) => allocation("web", { claims })

const told = (reason: string) => {
  const { status, ...rest } = service()
  const type = "loadbalancing.plenus.io/Served"
  return { ...rest, status: { ...status, conditions: [{ type, status: "False", reason, message: "" }] } }
}

describe("S5: what is bought has a claim, and what is the user's stays", () => {
  it.each<Row>([
    ["bought for an intent", (trial) => trial.allocation(of([intent])).provider([bought]), "FINE"],
    ["bought before it", (trial) => trial.provider([bought]), "no IPAllocation says so"],
    [
      "bought for an intent of the other family",
      (trial) => trial.allocation(of([{ ...intent, family: "IPv6" }])).provider([bought]),
      "no IPAllocation says so"
    ],
    [
      "granted",
      (trial) =>
        trial
          .allocation(of([intent]))
          .provider([bought])
          .allocation(of([granted])),
      "FINE"
    ],
    [
      "forgotten",
      (trial) =>
        trial
          .allocation(of([intent]))
          .provider([bought])
          .allocation(of([])),
      "no IPAllocation says so"
    ],
    [
      "left when its IPAllocation went",
      (trial) =>
        trial
          .allocation(of([granted]))
          .provider([bought])
          .remove("IPAllocation", "shop/web"),
      "no IPAllocation says so"
    ],
    [
      "left when a person had freed its IPAllocation of our finalizer, until the sweep",
      (trial) => disowned(trial).wait(sweptMillis).provider([bought, users]),
      "FINE"
    ],
    [
      "left so for longer",
      (trial) =>
        disowned(trial)
          .wait(sweptMillis + 1)
          .provider([bought, users], "console"),
      "no IPAllocation says so"
    ],
    [
      "left so, seen by the next leader from its beginning on",
      (trial) => {
        const { nowMillis } = disowned(trial)
        return trial.wait(400_000).disown("web-a1", nowMillis).wait(sweptMillis).provider([bought, users], "console")
      },
      "FINE"
    ],
    [
      "left when another one was freed of it, and its own was deleted by us",
      (trial) =>
        trial
          .allocation(allocation("api"))
          .allocation(of([granted]))
          .provider([bought])
          .remove("IPAllocation", "shop/api", "kubectl")
          .remove("IPAllocation", "shop/web"),
      "no IPAllocation says so"
    ],
    [
      "bought while it went so",
      (trial) =>
        trial
          .allocation(of([intent]))
          .remove("IPAllocation", "shop/web", "kube-controller-manager")
          .wait(rivalryMillis)
          .provider([bought]),
      "FINE"
    ],
    [
      "bought long after it went so",
      (trial) =>
        trial
          .allocation(of([intent]))
          .remove("IPAllocation", "shop/web", "kube-controller-manager")
          .wait(rivalryMillis + 1)
          .provider([bought]),
      "no IPAllocation says so"
    ],
    [
      "given back before it",
      (trial) =>
        trial
          .allocation(of([granted]))
          .provider([bought])
          .provider([])
          .allocation(of([]))
          .remove("IPAllocation", "shop/web"),
      "FINE"
    ],
    [
      "bought twice",
      (trial) => trial.allocation(of([intent])).provider([bought, { ...bought, id: "8", network: "192.0.2.11" }]),
      "were bought for one claim"
    ],
    [
      "one of each family",
      (trial) =>
        trial
          .allocation(of([intent, { ...intent, family: "IPv6" }]))
          .provider([bought, { ...bought, id: "8", network: "2001:db8:1:7::/64" }]),
      "FINE"
    ],
    [
      "bought by the leader before, in the moment in which the next one lets it go",
      (trial) =>
        trial
          .allocation(of([intent]))
          .allocation(of([]), "controller-2")
          .provider([bought], "controller-1"),
      "FINE"
    ],
    [
      "bought by it long afterwards",
      (trial) =>
        trial
          .allocation(of([intent]))
          .allocation(of([]), "controller-2")
          .wait(60_000)
          .provider([bought], "controller-1"),
      "no IPAllocation says so"
    ],
    [
      "bought by a try that was not answered, and taken for somebody else's",
      (trial) =>
        trial
          .allocation(of([intent]))
          .provider([bought])
          .service(told("CloudNameTaken"), "controller-1"),
      "shop/web is told that its name is taken, by 192.0.2.10"
    ],
    [
      "of its name, and somebody else's",
      (trial) =>
        trial
          .allocation(of([intent]))
          .provider([users], "console")
          .service(told("CloudNameTaken"), "controller-1"),
      "FINE"
    ],
    [
      "bought by a try that was not answered, while somebody had one of its name",
      (trial) =>
        trial
          .allocation(of([intent]))
          .provider([namesake], "console")
          .provider([bought], "console")
          .wait(60_000)
          .service(told("CloudNameTaken"), "controller-1"),
      "FINE"
    ],
    [
      "bought by a try that was not answered, long after somebody had one of its name",
      (trial) =>
        trial
          .allocation(of([intent]))
          .provider([namesake], "console")
          .provider([bought], "console")
          .wait(60_001)
          .service(told("CloudNameTaken"), "controller-1"),
      "shop/web is told that its name is taken, by 192.0.2.10"
    ],
    [
      "bought by it, and told otherwise",
      (trial) =>
        trial
          .allocation(of([intent]))
          .provider([bought])
          .service(told("CloudReplyLost"), "controller-1"),
      "FINE"
    ],
    ["bought in another project", (trial) => trial.otherProject([], [users]), "bought 192.0.2.10"],
    [
      "labelled in another project",
      (trial) => trial.otherProject([users], [{ ...users, labels }]),
      "changed 192.0.2.10 (mine, id 7) in a project that is not the cluster's"
    ],
    ["deleted in another project", (trial) => trial.otherProject([bought], []), "deleted 192.0.2.10"],
    [
      "changed in another project by its people",
      (trial) => trial.otherProject([users], [{ ...users, node: "node-1" }], "console"),
      "FINE"
    ],
    ["the user's own deleted by us", (trial) => trial.provider([users], "console").provider([]), "which is the user's"],
    [
      "the user's own deleted by the user",
      (trial) => trial.provider([users], "console").provider([], "console"),
      "FINE"
    ],
    [
      "the user's own labelled beside its labels",
      (trial) => trial.provider([users], "console").provider([{ ...users, labels: { ...users.labels, ...labels } }]),
      "FINE"
    ],
    [
      "the user's labels replaced",
      (trial) => trial.provider([users], "console").provider([{ ...users, labels }]),
      "took the label team off"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S5)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

const buying = (trial: Trial) => trial.pool(pool("cloud", { cloudIntegration: {} }), "kubectl", "EphemeralIPPool")

describe("S3: an address that a pool has bought", () => {
  it.each<Row>([
    ["is granted to whom it was bought for", (trial) => trial.provider([bought]).allocation(of([granted])), "FINE"],
    ["is granted to another", (trial) => trial.provider([bought]).allocation(another), "does not list it"],
    ["was never bought", (trial) => trial.allocation(of([granted])), "does not list it"],
    [
      "is granted when somebody has just deleted it",
      (trial) =>
        trial
          .provider([bought])
          .provider([], "console")
          .allocation(of([granted])),
      "FINE"
    ],
    [
      "is granted long after",
      (trial) =>
        trial
          .provider([bought])
          .provider([], "console")
          .wait(staleMillis + 1)
          .allocation(of([granted])),
      "does not list it"
    ],
    [
      "is granted to another when somebody has just deleted it",
      (trial) => trial.provider([bought]).provider([], "console").allocation(another),
      "does not list it"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = buying(new Trial(S3))
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

const onNode = (trial: Trial) =>
  trial
    .service(service())
    .allocation(of([granted]))
    .hold("node-1")
    .provider([bought])

describe("S4: an address of a cloud", () => {
  it.each<Row>([
    [
      "is shown once it is routed",
      (trial) =>
        onNode(trial)
          .provider([{ ...bought, node: "node-1" }])
          .service(service("web", { shown: [address] }), "controller-1"),
      "FINE"
    ],
    [
      "and not before",
      (trial) => onNode(trial).service(service("web", { shown: [address] }), "controller-1"),
      "was routed to no node"
    ],
    [
      "and stays while the route moves",
      (trial) =>
        onNode(trial)
          .provider([{ ...bought, node: "node-1" }])
          .service(service("web", { shown: [address] }), "controller-1")
          .provider([bought], "console"),
      "FINE"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S4)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

const served = () => {
  const trial = new Trial()
    .service(service("web", { shown: [address] }))
    .allocation(of([granted]))
    .hold("node-1")
  const options = { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } }
  trial.pools.set("EphemeralIPPool/cloud", { metadata: { name: "cloud" }, spec: { cloudIntegration: {}, options } })
  return trial
}
const messages = (trial: Trial) => [...L1.unmet(trial), ...L3.unmet(trial)].map(({ message }) => message)

describe("L1 and L3: an address of a cloud", () => {
  it("is routed to its holder", () => {
    assert.deepStrictEqual(messages(served().provider([{ ...bought, node: "node-1" }])), [])
    assert.include(messages(served().provider([{ ...bought, node: "node-2" }])).join(), "is routed to node-2")
    assert.include(messages(served().provider([bought])).join(), "is routed to no server")
  })

  it("is bought anew once it was deleted at the provider, unless it is the user's own", () => {
    assert.include(messages(served()).join(), "could be granted one that cloud buys")
    const own = served()
    own.pools.set("PersistentIPPool/cloud", { metadata: { name: "cloud" }, spec: { addresses: [address] } })
    assert.include(messages(own).join(), "is not in the cloud project")
  })

  it("is labelled for nobody who is gone", () => {
    const adopted = { ...users, labels: { ...users.labels, ...labels, ownership: "adopted" } }
    assert.include(messages(new Trial().provider([adopted])).join(), "is still labelled for web, which is gone")
    assert.deepStrictEqual(messages(new Trial().provider([users])), [])
    const swept = new Trial().provider([adopted]).disown("web-a1").wait(sweptMillis)
    assert.deepStrictEqual(messages(swept), [])
    assert.include(messages(swept.wait(1)).join(), "is still labelled for web, which is gone")
    const others = new Trial().provider([adopted]).disown("api-a1")
    assert.include(messages(others).join(), "is still labelled for web, which is gone")
  })
})
