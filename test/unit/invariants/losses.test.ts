/** S17, and of S14 what is to be answered by a node that is fenced: what pools say of a lost control plane. */
import { assert, describe, it } from "@effect/vitest"
import { nodeLeaseAnnotations, nodeLeaseName } from "../../../src/api/Names.ts"
import type { ControlPlaneLoss } from "../../../src/domain/ControlPlaneLoss.ts"
import { staleMillis } from "../../../src/invariants/Claims.ts"
import { S14 } from "../../../src/invariants/S14.ts"
import { S17 } from "../../../src/invariants/S17.ts"
import { address, allocation, claim, lease, node, pool, type Row, Trial, verdictOf } from "./Trial.ts"

const onInterface = { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } }
const hetzner = { hetzner: { token: "t" } }
const rack = (onControlPlaneLoss: ControlPlaneLoss) => pool("lab", { options: { ...onInterface, onControlPlaneLoss } })
const cloudPool = (onControlPlaneLoss?: ControlPlaneLoss) =>
  pool("lab", {
    cloudIntegration: hetzner,
    options: { ...onInterface, ...(onControlPlaneLoss && { onControlPlaneLoss }) }
  })
const ofRack = allocation("web", { claims: [claim({ pool: "lab" })] })
const ofCloud = allocation("web", { claims: [claim({ pool: "lab", cloudProvider: "hetzner" })] })

/** Of 6.5 s unless it announces more. */
const announcing = (fenced?: string, durationMillis = 6_500) => {
  const { metadata } = lease("node-1", "1.aa", fenced)
  const annotations = {
    ...metadata.annotations,
    [nodeLeaseAnnotations.durationMillis]: String(durationMillis),
    [nodeLeaseAnnotations.bootId]: ""
  }
  return { metadata: { ...metadata, name: nodeLeaseName("node-1"), annotations } }
}
const renew = (trial: Trial, durationMillis?: number) =>
  trial.lease(announcing(undefined, durationMillis), "operator-node-1")
/** Something happens elsewhere. */
const look = (trial: Trial) => trial.hold("node-2", "192.0.2.99")
const held = (trial: Trial) => renew(trial.allocation(ofRack).hold("node-1"))
const lost = (trial: Trial) => trial.drop("node-1", address, "lease")
const fence = (trial: Trial) => renew(trial).wait(7_000).lease(announcing("1.aa"))
const tooLong = "node-1 answers for 192.0.2.10, which its pool releases, 6019 ms after its last renewal"

describe("S17: what a pool says of a lost control plane is done", () => {
  // oxfmt-ignore
  it.each<Row>([
    ["a pool that releases, before the lease may have run out", (t) => look(held(t.pool(rack("release"))).wait(6_018)), "FINE"],
    ["such a pool afterwards", (t) => look(held(t.pool(rack("release"))).wait(6_019)), tooLong],
    ["such a pool when the kernel has let go", (t) => look(lost(held(t.pool(rack("release"))).wait(5_000)).wait(9_000)), "FINE"],
    ["such a pool when the lease was renewed", (t) => look(renew(held(t.pool(rack("release"))).wait(5_000)).wait(5_000)), "FINE"],
    ["a renewal that a controller made", (t) => look(held(t.pool(rack("release"))).wait(5_000).lease(announcing()).wait(1_019)), tooLong],
    ["a handover, which announces more", (t) => look(renew(held(t.pool(rack("release"))), 60_000).wait(50_000)), "FINE"],
    ["a node without a fence", (t) => look(held(t.pool(rack("release"))).unfence("node-1").wait(9_000)), "FINE"],
    [
      "an address that a person put there",
      (t) => look(renew(t.pool(rack("release")).allocation(ofRack).hold("node-1", address, "person")).wait(9_000)),
      "FINE"
    ],
    ["a cloud's pool that releases", (t) => look(renew(t.pool(cloudPool("release")).allocation(ofCloud).hold("node-1")).wait(6_019)), tooLong],
    ["a pool that leaves it to the voters", (t) => look(held(t).wait(90_000)), "FINE"],
    ["a pool that said so from a while ago", (t) => look(held(t.pool(rack("auto")).pool(rack("release"))).wait(staleMillis)), "FINE"],
    ["a pool that said so from long ago", (t) => look(held(t.pool(rack("auto")).pool(rack("release"))).wait(staleMillis + 1)), "its pool releases"],
    ["a pool that was deleted and made anew", (t) => look(held(t.pool(rack("release")).remove("Pool", "PersistentIPPool/lab").pool(rack("release"))).wait(9_000)), "FINE"],
    ["a kernel that lets go of what its pool keeps", (t) => lost(t.pool(cloudPool()).allocation(ofCloud).hold("node-1")), "the kernel of node-1 let go of 192.0.2.10, which its pool keeps"],
    ["one that lets go of what is left to the voters there", (t) => lost(t.pool(cloudPool("auto")).allocation(ofCloud).hold("node-1")), "FINE"],
    ["an operator that takes off what its pool keeps", (t) => t.pool(cloudPool()).allocation(ofCloud).hold("node-1").drop("node-1"), "FINE"],
    ["a kernel that lets go of what no provider routes, whatever is written", (t) => lost(held(t.pool(rack("keep")))), "FINE"]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S17)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

const answered = "controller-1 fenced node-1 while node-1 still answered for it"

describe("S14: when a node is fenced its kernel answers for nothing but what its pool keeps", () => {
  const taint = { key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }
  // oxfmt-ignore
  it.each<Row>([
    ["a node that answers for nothing", (t) => fence(t.allocation(ofRack)), "FINE"],
    ["one that answers for what no provider routes", (t) => fence(t.allocation(ofRack).hold("node-1")), answered],
    ["such a one whose operator is hindered", (t) => fence(t.allocation(ofRack).hold("node-1").impair("node-1")), answered],
    ["one that answers for what nobody claims", (t) => fence(t.hold("node-1")), "FINE"],
    ["one without a fence in its kernel", (t) => fence(t.allocation(ofRack).hold("node-1").unfence("node-1")), "EXCUSED"],
    ["one whose address a person put there", (t) => fence(t.allocation(ofRack).hold("node-1", address, "person")), "FINE"],
    ["one that answers for what a provider routes and its pool keeps", (t) => fence(t.pool(cloudPool()).allocation(ofCloud).hold("node-1")), "FINE"],
    ["one that answers for what its cloud's pool leaves to the voters", (t) => fence(t.pool(cloudPool("auto")).allocation(ofCloud).hold("node-1")), answered],
    [
      "such a one whose operator is hindered, though a provider routes it",
      (t) => fence(t.pool(cloudPool("auto")).allocation(ofCloud).hold("node-1").impair("node-1")),
      answered
    ],
    [
      "one that a person says is off",
      (t) => {
        t.nodeObjects.set("node-1", node("node-1", { spec: { taints: [taint] } }))
        return fence(t.allocation(ofRack).hold("node-1"))
      },
      "FINE"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S14)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })

  const next = allocation("api", { claims: [claim({ pool: "lab", cloudProvider: "hetzner" })] })
  const regranted = (trial: Trial) => trial.remove("IPAllocation", "shop/web").allocation(next)
  // oxfmt-ignore
  it.each<Row>([
    [
      "a cloud's address is granted anew while a hindered node, which is not fenced, answers for it",
      (t) => regranted(t.pool(cloudPool("auto")).allocation(ofCloud).hold("node-1").impair("node-1")),
      "EXCUSED"
    ],
    [
      "it is while such a node is fenced, and its pool keeps it",
      (t) => regranted(fence(t.pool(cloudPool()).allocation(ofCloud).hold("node-1").impair("node-1"))),
      "EXCUSED"
    ],
    [
      "it is while such a node is fenced, and its pool does not keep it",
      (t) => {
        renew(t.pool(cloudPool("auto")).allocation(ofCloud).impair("node-1"))
        return regranted(t.wait(7_000).lease(announcing("1.aa")).hold("node-1"))
      },
      "shop/api (uid api-a1) was granted 192.0.2.10 while node-1 still answered"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S14)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})
