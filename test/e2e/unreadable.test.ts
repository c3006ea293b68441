/**
 * An object that the API server has and this version cannot read, of an older version or a newer one: it is told of
 * where people look, holds up nothing else, and what it stands for stays as it is.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import { placesOf } from "./harness/Lab.ts"
import * as Product from "./harness/Product.ts"
import { poolManifest, poolReady, scenario } from "./harness/Scenario.ts"

const definition = "persistentippools.loadbalancing.plenus.io"
const modes =
  "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/options/properties/hostNetworkInterface/properties/mode/enum"

const changeModes = (operation: Cluster.Manifest) =>
  Cluster.kubectl(
    "patch",
    "customresourcedefinition",
    definition,
    "--type=json",
    "-p",
    JSON.stringify([{ path: modes, ...operation }])
  )

/** Of this very object: events on one of its name, of an earlier run, stay for an hour. */
const unreadable = async (kind: string, ref: { readonly namespace?: string; readonly name: string }) => {
  const scope = ref.namespace === undefined ? [] : ["-n", ref.namespace]
  const uid = await Cluster.kubectl("get", kind, ref.name, ...scope, "-o", "jsonpath={.metadata.uid}")
  const found = await eventually(`an event on ${kind} ${ref.name}`, async () =>
    (await Cluster.eventsOn(kind, ref)).find(
      ({ involvedObject, reason }) => reason === "Unreadable" && involvedObject.uid === uid
    )
  )
  figure(found.message ?? "")
  return found.message ?? ""
}

const poolOfMode = (name: string, mode: string) =>
  poolManifest(name, {
    addresses: ["172.30.0.234"],
    options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode } }
  })

/** Stores a pool as if it were from before the API server knew which modes there are. */
const storeOldPool = async (name: string): Promise<void> => {
  const values: unknown = JSON.parse(
    await Cluster.kubectl(
      "get",
      "customresourcedefinition",
      definition,
      "-o",
      `jsonpath={${modes.replaceAll("/", ".").replace(".0.", "[0].")}}`
    )
  )
  await changeModes({ op: "remove" })
  try {
    const applied = () => Cluster.apply(poolOfMode(name, "turbo")).then(() => true)
    await eventually("the API server takes any mode", applied)
  } finally {
    await changeModes({ op: "add", value: values })
  }
}

describe("an object that this version cannot read", () => {
  beforeAll(Product.installed)

  it("is told of with its field and the remedy and holds up nothing else, until it is put right", async () => {
    const { after, allocation, get, namespace, ownPool, pool, served, service } = await scenario("unreadable")
    const ipAllocation = (epoch: string) =>
      Cluster.kubectl(
        "patch",
        "ipallocation",
        "web",
        "-n",
        namespace,
        "--type=json",
        "-p",
        `[{"op": "replace", "path": "/spec/allocations/0/epoch", "value": ${epoch}}]`
      )
    await pool({ addresses: ["172.30.0.232", "172.30.0.233"] })
    await service("web", "172.30.0.232")
    const { address, node } = await served("web")
    const entry = (await allocation("web"))?.spec.allocations[0]

    after(() => ipAllocation(`${entry?.epoch}`))
    // An integer to the API server, and to no program that counts in doubles.
    await ipAllocation("9007199254740993")
    const oldPool = `${namespace}-old`
    ownPool(oldPool)
    await storeOldPool(oldPool)
    const ofAllocation = await unreadable("IPAllocation", { namespace, name: "web" })
    const ofPool = await unreadable("PersistentIPPool", { name: oldPool })
    assert.match(
      ofAllocation,
      /IPAllocation e2e-unreadable\/web cannot be read .* at spec\.allocations\[0\]\.epoch\..*Correct the field, or upgrade/
    )
    assert.match(
      ofPool,
      /PersistentIPPool e2e-unreadable-old cannot be read .* at spec\.options\.hostNetworkInterface\.mode\..*Correct the field, or upgrade/
    )

    const [, millis] = await timed(async () => {
      await service("other", "172.30.0.233")
      await served("other")
    })
    figure(`another Service was served after ${millis} ms`)
    assert.deepStrictEqual(
      (await placesOf(address)).map((place) => place.node),
      [node]
    )
    assert.strictEqual((await get("web"))?.status?.loadBalancer?.ingress?.[0]?.ip, address)

    await ipAllocation(`${entry?.epoch}`)
    await Cluster.apply(poolOfMode(oldPool, "auto"))
    assert.deepStrictEqual(await served("web"), { address, node })
    await poolReady(oldPool)
    await service("third", "172.30.0.234")
    await served("third")
  })
})
