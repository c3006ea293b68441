/** S4, S11, S12: what is shown and written. */
import { assert, describe, it } from "@effect/vitest"
import { S11 } from "../../../src/invariants/S11.ts"
import { S12 } from "../../../src/invariants/S12.ts"
import { S4 } from "../../../src/invariants/S4.ts"
import { address, allocation, claim, pool, type Row, service, Trial, verdictOf } from "./Trial.ts"

const of = (claims: ReadonlyArray<ReturnType<typeof claim>>) => allocation("web", { claims })

describe("S4: Service status shows only addresses granted to that UID, live and not being released", () => {
  const shown = service("web", { shown: [address] })
  const show = (trial: Trial) => trial.service(shown, "controller-1")
  const served = (trial: Trial) => show(trial.service(service()).allocation(allocation()).hold("node-1"))
  it.each<Row>([
    ["granted, live, shown", served, "FINE"],
    [
      "granted and shown, never live",
      (trial) => show(trial.service(service()).allocation(allocation())),
      "which was on no node since it was granted"
    ],
    ["not granted", (trial) => show(trial.service(service())), "which nothing grants"],
    [
      "granted to the Service's predecessor",
      (trial) =>
        show(
          trial
            .service(service())
            .allocation(allocation("web", { owner: "web-0" }))
            .hold("node-1")
        ),
      "is granted to the UID web-0"
    ],
    ["released before it was hidden", (trial) => served(trial).allocation(of([])), "which is not granted to it"],
    [
      "being released before it was hidden",
      (trial) =>
        served(trial).allocation(
          of([{ address, pool: "rack-1", previous: [{ node: "node-1", holdId: "1.aa", epoch: 1 }] }])
        ),
      "which is being released"
    ],
    [
      "deleted before it was hidden",
      (trial) => served(trial).remove("IPAllocation", "shop/web"),
      "which nothing grants"
    ],
    [
      "released by one leader as another shows it",
      (trial) => served(trial).wait(100).allocation(of([]), "controller-2"),
      "EXCUSED"
    ],
    ["hidden, then released", (trial) => served(trial).service(service(), "controller-1").allocation(of([])), "FINE"],
    [
      "hidden in a failover",
      (trial) => served(trial).wait(300_000).drop("node-1").service(service(), "controller-1"),
      "192.0.2.10 left its status"
    ],
    [
      "shown throughout a failover",
      (trial) =>
        served(trial)
          .wait(300_000)
          .drop("node-1")
          .allocation(of([claim({ nodeName: "node-2", epoch: 2 })]))
          .hold("node-2"),
      "FINE"
    ],
    ["written by a user", (trial) => trial.service(shown), "FINE"],
    [
      "whose grant a controller takes away that had decided so before it was stopped",
      (trial) => {
        show(served(trial)).wait(20_000).stopped.add("controller-2")
        return trial.remove("IPAllocation", "shop/web", "controller-2")
      },
      "EXCUSED"
    ],
    [
      "whose grant a controller takes away that ran all the time",
      (trial) => show(served(trial)).wait(20_000).remove("IPAllocation", "shop/web", "controller-2"),
      "which nothing grants"
    ],
    ["whose grant a user deletes", (trial) => served(trial).remove("IPAllocation", "shop/web", "kubectl"), "FINE"],
    [
      "of a pool without interface",
      (trial) => show(trial.service(service()).allocation(of([{ address, pool: "rack-1" }]))),
      "FINE"
    ],
    [
      "a Service of another class",
      (trial) => {
        const foreign = { spec: { loadBalancerClass: "example.com/other" } }
        return trial
          .service(service("web", foreign))
          .service(service("web", { ...foreign, shown: [address] }), "controller-1")
      },
      "and it is not ours"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S4)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

const times = (trial: Trial, count: number, everyMillis: number, by: string) => {
  for (let epoch = 1; epoch <= count; epoch++) trial.wait(everyMillis).allocation(of([claim({ epoch })]), by)
  return trial
}

const other = (text: string) => ({ apiVersion: "v1", kind: "Event", metadata: { name: "e", labels: { text } } })

const written = (by: string, text: string) =>
  ({ type: "Written", by, kind: "Other", key: "/events shop/e", before: undefined, after: other(text) }) as const

const told = (trial: Trial, count: number, by: string) => {
  for (let index = 0; index < count; index++) trial.wait(100).tell(written(by, String(index)))
  return trial
}

describe("S11: writes stay within their budget", () => {
  it.each<Row>([
    ["a Service from create to gone", (trial) => times(trial, 12, 100, "controller-1"), "FINE"],
    [
      "a loop",
      (trial) => times(trial.wait(100_000), 60, 100, "controller-1"),
      "IPAllocation shop/web was written 41 times within 60 s"
    ],
    ["as many over an hour", (trial) => times(trial.wait(100_000), 60, 60_000, "controller-1"), "FINE"],
    ["as many by users", (trial) => times(trial.wait(100_000), 60, 100, "kubectl"), "FINE"],
    [
      "a loop over what is no object of users",
      (trial) => told(trial.wait(100_000), 60, "controller-1"),
      "e was written 41"
    ],
    [
      "as many because users change pools",
      (trial) => {
        trial.wait(100_000)
        for (let change = 0; change < 10; change++) times(trial.pool(pool()), 6, 100, "controller-1")
      },
      "FINE"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S11)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })
})

describe("S12: no secret in status, events, logs", () => {
  const secret = "hcloud-7f3a"
  const cloud = { cloudIntegration: { hetzner: { token: secret } } }
  it.each<Row>([
    ["where the user wrote it", (trial) => trial.pool(pool("cloud", cloud)), "FINE"],
    [
      "a pool's status beside it",
      (trial) => trial.pool(pool("cloud", { ...cloud, status: { addressesTotal: 1 } }), "controller-1"),
      "FINE"
    ],
    [
      "in a pool's status",
      (trial) =>
        trial.pool(
          pool("cloud", {
            ...cloud,
            status: {
              conditions: [
                { type: "Degraded", status: "True", reason: "X", message: `token ${secret}`, lastTransitionTime: "" }
              ]
            }
          }),
          "controller-1"
        ),
      "a secret stands in Pool"
    ],
    ["in an event", (trial) => trial.tell(written("controller-1", secret)), "a secret stands in Other /events shop/e"],
    ["in an event of others", (trial) => trial.tell(written("kubelet", secret)), "FINE"],
    ["in an event without it", (trial) => trial.tell(written("controller-1", "granted")), "FINE"],
    [
      "in a log",
      (trial) => trial.tell({ type: "Logged", by: "operator-node-1", text: `using ${secret}` }),
      "the log of operator-node-1"
    ]
  ])("%s", (_, play, verdict) => {
    const trial = new Trial(S12)
    trial.secrets.push(secret)
    play(trial)
    assert.include(verdictOf(trial.found), verdict)
  })

  it("finds a secret that JSON writes otherwise", () => {
    const trial = new Trial(S12)
    trial.secrets.push('say "\\n"')
    assert.include(verdictOf(trial.tell(written("controller-1", 'they say "\\n" here')).found), "a secret stands")
  })

  it("has nothing to look for in a world without secrets", () => {
    assert.deepStrictEqual(new Trial(S12).tell(written("controller-1", secret)).found, [])
  })
})
