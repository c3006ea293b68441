import { assert, describe, it } from "@effect/vitest"
import type { DaemonSet } from "../../../src/api/DaemonSet.ts"
import type { Event } from "../../../src/api/Event.ts"
import type { Node } from "../../../src/api/Node.ts"
import type { ContainerStatus, Pod } from "../../../src/api/Pod.ts"
import * as OperatorTroubles from "../../../src/controller/OperatorTroubles.ts"

const daemonSet = (desiredNumberScheduled: number, currentNumberScheduled: number): DaemonSet => ({
  metadata: { name: "plenuslb-operator", namespace: "plenuslb" },
  status: { desiredNumberScheduled, currentNumberScheduled }
})

const node = (name: string, ready = true): Node => ({
  metadata: { name },
  spec: {},
  status: { conditions: [{ type: "Ready", status: ready ? "True" : "Unknown" }] }
})

const pod = (nodeName: string, container: Partial<ContainerStatus> = { ready: true }): Pod => ({
  metadata: { name: `plenuslb-operator-of-${nodeName}`, namespace: "plenuslb" },
  spec: { nodeName },
  status: { containerStatuses: [{ ready: false, ...container }] }
})

const failedCreate = (message: string, lastTimestamp: string, name = "plenuslb-operator"): Event => ({
  metadata: { name: `${name}.${lastTimestamp}`, namespace: "plenuslb" },
  involvedObject: { kind: "DaemonSet", name },
  reason: "FailedCreate",
  message,
  lastTimestamp
})

const nodes = ["node-1", "node-2", "node-3"].map((name) => node(name))

const troubles = (surroundings: Partial<OperatorTroubles.Surroundings>) =>
  OperatorTroubles.troublesOf({ daemonSet: daemonSet(3, 3), pods: [], nodes, events: [], ...surroundings })

const only = (container: Partial<ContainerStatus>): string | undefined =>
  troubles({ pods: [pod("node-1", container)] })[0]?.what

describe("OperatorTroubles.troublesOf", () => {
  it("is empty while every node has an operator that is ready, or one that starts", () => {
    const starting = { state: { waiting: { reason: "ContainerCreating" } } }
    assert.deepStrictEqual(troubles({ pods: [pod("node-1"), pod("node-2", {}), pod("node-3", starting)] }), [])
  })

  it("names the nodes without a Pod, with the newest refusal of the API server and not the Pod that it was about", () => {
    const events = [
      failedCreate("Error creating: exceeded quota", "2026-01-01T00:00:01Z"),
      failedCreate(
        '(combined from similar events): Error creating: pods "plenuslb-operator-x7h2k" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)',
        "2026-01-01T00:00:02Z"
      ),
      failedCreate("Error creating: of something else", "2026-01-01T00:00:03Z", "other")
    ]
    const what =
      'no operator Pod can be created: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)'
    const leaving = pod("node-3")
    const metadata = { ...leaving.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" }
    const pods = [pod("node-2"), { ...leaving, metadata }]
    assert.deepStrictEqual(troubles({ daemonSet: daemonSet(3, 1), pods, events }), [
      { where: "node-1", what },
      { where: "node-3", what }
    ])
  })

  it("counts them where it cannot be told which these are", () => {
    assert.deepStrictEqual(troubles({ daemonSet: daemonSet(2, 1), pods: [pod("node-2")] }), [
      { where: "1 of 2 nodes", what: "there is no operator Pod" }
    ])
  })

  it("repeats the sentence with which a process ended, from the last line of its log", () => {
    const log = '{"message":"operator starts","level":"INFO"}\n{"message":"Cannot serve.","level":"FATAL"}\n'
    const terminated = { exitCode: 1, reason: "Error", message: log }
    const waiting = { reason: "CrashLoopBackOff", message: "back-off 10s" }
    const said = "the operator ended: Cannot serve."
    assert.strictEqual(only({ state: { terminated } }), said)
    assert.strictEqual(only({ state: { waiting }, lastState: { terminated } }), said)
    assert.strictEqual(only({ state: {}, lastState: { terminated } }), said, "between two ends too")
  })

  it("says what it can of an end without words, and of a Pod that waits or runs in vain", () => {
    const message = '{"message":"registered","level":"INFO"}\n'
    const stopped = { exitCode: 130, reason: "Error", message }
    assert.strictEqual(only({ state: { terminated: stopped } }), "the operator ended: Error, exit code 130")
    assert.strictEqual(
      only({ state: { running: {} } }),
      "the operator runs and is not ready; its log (kubectl -n plenuslb logs plenuslb-operator-of-node-1) says why"
    )
    const killed = { exitCode: 137, reason: "OOMKilled" }
    assert.strictEqual(only({ state: { terminated: killed } }), "the operator ended: OOMKilled, exit code 137")
    const waiting = { reason: "ImagePullBackOff", message: "not found" }
    assert.strictEqual(only({ state: { waiting } }), "the operator's Pod waits: ImagePullBackOff, not found")
    const conditions = [{ type: "PodScheduled", status: "False", message: "1 node(s) didn't have free ports" }]
    const unscheduled: Pod = { metadata: { name: "plenuslb-operator-abcde" }, status: { conditions } }
    assert.deepStrictEqual(troubles({ pods: [unscheduled] }), [
      {
        where: "Pod plenuslb-operator-abcde",
        what: "the operator's Pod is not scheduled: 1 node(s) didn't have free ports"
      }
    ])
  })

  it("leaves out a node that is not Ready, and a Pod that is being deleted", () => {
    const terminated = { exitCode: 1, reason: "Error" }
    const failed = pod("node-1", { state: { terminated } })
    assert.deepStrictEqual(troubles({ pods: [failed], nodes: [node("node-1", false)] }), [])
    const metadata = { ...failed.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" }
    assert.deepStrictEqual(troubles({ pods: [{ ...failed, metadata }] }), [])
  })
})

describe("OperatorTroubles.describe", () => {
  it("names nodes with one trouble together, three at most, and ends with what to do", () => {
    const same = ["a", "b", "c", "d"].map((where) => ({ where, what: "there is no operator Pod" }))
    assert.strictEqual(
      OperatorTroubles.describe([...same, { where: "e", what: "the operator ended: Cannot serve." }], "plenuslb"),
      "No address can be held where no operator runs. On a, b, c and 1 more there is no operator Pod. On e the operator " +
        "ended: Cannot serve. More: kubectl -n plenuslb describe daemonset,pods -l app.kubernetes.io/name=plenuslb-operator."
    )
    assert.isUndefined(OperatorTroubles.describe([], "plenuslb"))
  })

  it("names the label of the namespace where Pod Security refuses", () => {
    const what = 'no operator Pod can be created: violates PodSecurity "restricted:latest"'
    assert.include(
      OperatorTroubles.describe([{ where: "a", what }], "lb"),
      "kubectl label --overwrite namespace lb pod-security.kubernetes.io/enforce=privileged"
    )
  })
})
