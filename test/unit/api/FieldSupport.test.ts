import { assert, describe, it } from "@effect/vitest"
import { EphemeralIPPool } from "../../../src/api/EphemeralIPPool.ts"
import { fieldsOf } from "../../../src/api/Fields.ts"
import { fieldsNotHonoured, honoured, notYetHonoured } from "../../../src/api/FieldSupport.ts"
import { PersistentIPPool, type PersistentIPPoolSpec } from "../../../src/api/PersistentIPPool.ts"

const paths = [PersistentIPPool, EphemeralIPPool].flatMap((schema) =>
  fieldsOf(schema).filter(({ path, leaf }) => leaf && path.startsWith("spec."))
)
const listed = [...honoured.map(({ path }) => path), ...notYetHonoured]
const covers = (entry: string, path: string) => path === `spec.${entry}` || path.startsWith(`spec.${entry}.`)

const unsupported = (spec: Partial<PersistentIPPoolSpec>) =>
  fieldsNotHonoured({ metadata: { name: "rack-1" }, spec: { addresses: ["192.0.2.10"], ...spec } })

describe("FieldSupport", () => {
  it("puts every field of both pools into exactly one of the two lists", () => {
    assert.isAbove(paths.length, 30)
    for (const { path } of paths) {
      assert.lengthOf(
        listed.filter((entry) => covers(entry, path)),
        1,
        `${path} must stand in honoured or in notYetHonoured, once`
      )
    }
  })

  it("lists no field that the Schemas do not have", () => {
    for (const entry of listed) {
      assert.isTrue(
        paths.some(({ path }) => covers(entry, path)),
        entry
      )
    }
  })

  it("finds nothing in a pool of v0.4 on bare metal", () => {
    const hostNetworkInterface = { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" } as const
    assert.deepStrictEqual(unsupported({ allowedNamespaces: ["a"], options: { hostNetworkInterface } }), [])
  })

  const cloudIntegration = { hetzner: { tokenSecretRef: { name: "hcloud", key: "token" } } }
  it.each<[string, Partial<PersistentIPPoolSpec>, ReadonlyArray<string>]>([
    ["nothing of a pool that releases", { options: { onControlPlaneLoss: "release" } }, []],
    ["nothing of a cloud's pool that keeps", { options: { onControlPlaneLoss: "keep" }, cloudIntegration }, []],
    [
      "a pool that is to keep what no provider routes, should an older CRD have let it in",
      { options: { drainOnCordon: false, onControlPlaneLoss: "keep" } },
      ["spec.options.onControlPlaneLoss: keep"]
    ]
  ])("names %s", (_, spec, fields) => {
    assert.deepStrictEqual(unsupported(spec), fields)
  })

  it("names a value that is not acted on in a field that is", () => {
    const hostNetworkInterface = { addAddressesToInterface: true, interfaceName: "eth0", mode: "uplink" } as const
    assert.deepStrictEqual(unsupported({ options: { hostNetworkInterface } }), [
      "spec.options.hostNetworkInterface.mode: uplink"
    ])
  })
})
