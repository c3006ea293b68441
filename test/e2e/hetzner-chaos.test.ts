/**
 * Services come, go and move while the provider has a bad day and the leading controller dies. Afterwards every floating IP
 * that was bought is either given back or holds one Service's traffic, and the user's own are as they were.
 * `HETZNER_CHAOS_SECONDS=600` is the long run, `HETZNER_CHAOS_SEED` another day.
 */
import { setTimeout as pause } from "node:timers/promises"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { namespaces } from "../../src/api/Namespace.ts"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import * as HetznerChaos from "./harness/HetznerChaos.ts"
import * as HetznerFake from "./harness/HetznerFake.ts"
import { ephemeralPool } from "./harness/HetznerManifests.ts"
import { httpFromClient, nodeNames, placesOf } from "./harness/Lab.ts"
import * as Product from "./harness/Product.ts"
import { type Scenario, scenario } from "./harness/Scenario.ts"
import { tracesOf } from "./harness/TokenTraces.ts"

const seconds = Number(process.env["HETZNER_CHAOS_SECONDS"] ?? 60)
const seed = Number(process.env["HETZNER_CHAOS_SEED"] ?? 1)

const excluded = "node.kubernetes.io/exclude-from-external-load-balancers"
const include = (node: string) => Cluster.kubectl("label", "node", node, `${excluded}-`)

/** Services that come and go; what each asks for, if anything. */
type Wishes = ReadonlyMap<string, string | undefined>

/** Does one thing after the other until the time is over, and gives the names of the Services that are there then. */
const turmoil = async (test: Scenario, wishes: Wishes, next: () => number): Promise<ReadonlySet<string>> => {
  const there = new Set<string>()
  const names = [...wishes.keys()]
  const oneOf = (list: ReadonlyArray<string>): string => list[Math.floor(next() * list.length)] ?? ""
  let away: string | undefined
  const toggle = async () => {
    const name = oneOf(names)
    if (there.delete(name)) return Cluster.remove("-n", test.namespace, "service", name)
    there.add(name)
    return test.service(name, wishes.get(name))
  }
  const move = async () => {
    if (away !== undefined) await include(away)
    away = oneOf(nodeNames)
    return Cluster.kubectl("label", "node", away, `${excluded}=`)
  }
  const started = performance.now()
  const elapsedSeconds = () => (performance.now() - started) / 1000
  let killAtSeconds = Math.min(seconds, 60) * 0.4
  while (elapsedSeconds() < seconds) {
    await (next() < 0.15 ? move() : toggle())
    if (elapsedSeconds() > killAtSeconds) {
      // Kubernetes restarts one that died often only after minutes.
      killAtSeconds += 150
      await Product.kill((await Product.controllersReady()).leader, "controller.cjs")
    }
    await pause(100 + next() * 1500)
  }
  if (away !== undefined) await include(away)
  return there
}

describe(`a provider on a bad day (${seconds} s, seed ${seed})`, () => {
  let fake: HetznerFake.HetznerFake
  beforeAll(async () => {
    fake = await HetznerFake.start()
    await HetznerFake.install(fake)
  })
  afterAll(async () => {
    await HetznerFake.uninstall()
    await fake.stop()
  })

  const begin = async () => {
    const test = await scenario("hetzner-chaos")
    const outside = await scenario("hetzner-outside")
    test.after(async () => {
      fake.project.faults.clear()
      for (const node of nodeNames) await include(node)
    })
    const named = [fake.buy("ipv4", "named one"), fake.buy("ipv4", "named two")]
    const ownPool = `${test.namespace}-own`
    await test.pool(
      {
        addresses: named.map(({ address }) => address),
        allowedNamespaces: [test.namespace],
        cloudIntegration: { hetzner: { token: fake.tokens.inline } }
      },
      ownPool
    )
    test.ownPool(test.namespace, "ephemeralippool")
    await Cluster.apply(ephemeralPool(test.namespace, test.namespace, { token: fake.tokens.inline }))
    await test.workload()
    await outside.service("web", undefined)
    const wishes = new Map<string, string | undefined>([
      ...["a", "b", "c", "d", "e", "f"].map((name) => [name, undefined] as const),
      ...named.map(({ address }, index) => [`named-${index}`, address] as const)
    ])
    return { test, named, wishes }
  }

  /** Not in any pool: a mail server's, one that somebody labels as v0.4 does, and one that another program looks after. */
  const buyOthers = () => {
    const { console: web } = fake.project
    const server = fake.serverId(nodeNames[0] ?? "")
    const others = [
      web.addFloatingIp({ type: "ipv4", name: "mail", server }),
      web.addFloatingIp({ type: "ipv4", name: "old", labels: { "managed-by": "plenuslb" }, server }),
      web.addFloatingIp({ type: "ipv6", name: "other", labels: { "managed-by": "other" } })
    ]
    return others.map(({ id }) => id)
  }

  const byId = (ids: ReadonlyArray<number>) => fake.floatingIps().filter(({ id }) => ids.includes(id))

  it(
    "leaves one floating IP for each Service that wants one, and touches no other",
    async () => {
      const { named, test, wishes } = await begin()
      const others = buyOthers()
      const before = byId(others)
      const next = HetznerChaos.random(seed)
      const day = HetznerChaos.badDay(HetznerChaos.random(seed + 1))
      fake.project.faults.setPolicy(day.policy)
      const there = await turmoil(test, wishes, next)
      fake.project.faults.clear()

      const cluster = (await Cluster.get(namespaces, { name: "kube-system" }))?.metadata.uid ?? ""
      const ours = () =>
        fake.floatingIps().filter(({ labels }) => labels["cluster"] === cluster && labels["ownership"] === "created")
      const buying = [...there].filter((name) => wishes.get(name) === undefined)
      const purchases = () => fake.project.truth.purchases().filter(({ by }) => by !== "console")
      const told = async (error: unknown): Promise<never> => {
        figure(await Cluster.kubectl("-n", test.namespace, "get", "svc,ipa", "-o", "yaml"))
        figure(JSON.stringify({ all: fake.floatingIps(), purchases: purchases() }, undefined, 1))
        for (const { metadata } of await Product.podsOf("plenuslb")) {
          figure(await Cluster.kubectl("-n", Product.namespace, "logs", metadata.name))
          figure(await Cluster.kubectl("-n", Product.namespace, "logs", "--previous", metadata.name).catch(String))
        }
        throw error
      }
      const [served, millis] = await timed(() =>
        Promise.all([...there].map(async (name) => ({ name, ...(await test.served(name)) })))
      ).catch(told)
      await eventually(
        "as many are bought as are wanted",
        async () =>
          ours().length === buying.length &&
          purchases().filter(({ deletedMillis }) => deletedMillis === null).length === buying.length
      ).catch(told)
      figure(
        `${purchases().length} bought, ${buying.length} wanted at the end, ${day.faults()} faults; all served ${millis} ms later`
      )
      figure(`requests: ${JSON.stringify(Object.fromEntries(fake.project.requests()))}`)
      assert.sameMembers(
        ours().map(({ labels }) => labels["service"]),
        buying
      )
      assert.deepStrictEqual(
        purchases().filter(({ labels }) => labels["namespace"] !== test.namespace),
        [],
        "nothing for a namespace that no pool allows"
      )
      for (const { address, name, node } of served) {
        assert.strictEqual(fake.routedTo(address), node, name)
        assert.deepStrictEqual(
          (await placesOf(address)).map((place) => place.node),
          [node],
          name
        )
        await eventually(`${name} answers HTTP`, () => httpFromClient(address))
      }
      assert.deepStrictEqual(byId(others), before)
      for (const token of Object.values(fake.tokens)) assert.deepStrictEqual(await tracesOf(token), [])

      for (const name of there) await Cluster.remove("-n", test.namespace, "service", name)
      await eventually("all that was bought is given back", async () =>
        purchases().every(({ deletedMillis }) => deletedMillis !== null)
      )
      const namedIds = named.map(({ id }) => id)
      await eventually("the named ones are assigned to none", async () =>
        byId(namedIds).every(({ server }) => server === null)
      )
      assert.deepStrictEqual(
        byId(namedIds).map(({ name }) => name),
        ["named one", "named two"]
      )
      assert.deepStrictEqual(byId(others), before)
    },
    (seconds + 900) * 1000
  )
})
