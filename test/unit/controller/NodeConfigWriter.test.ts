import { assert, describe, it } from "@effect/vitest"
import type { EphemeralIPPool } from "../../../src/api/EphemeralIPPool.ts"
import type { PersistentIPPool } from "../../../src/api/PersistentIPPool.ts"
import * as NodeConfigWriter from "../../../src/controller/NodeConfigWriter.ts"
import type { ControlPlaneLoss } from "../../../src/domain/ControlPlaneLoss.ts"

const token = "never-told"
const options = { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } }
const metadata = (name: string) => ({ name, uid: name, resourceVersion: "1", generation: 1 })

const rack: PersistentIPPool = { metadata: metadata("rack"), spec: { addresses: ["192.0.2.10"], options } }
const cloudIntegration = { hetzner: { token } }
const bought: EphemeralIPPool = { metadata: metadata("bought"), spec: { cloudIntegration, options } }
const owned: PersistentIPPool = { ...rack, metadata: metadata("owned"), spec: { ...rack.spec, cloudIntegration } }

const names = (pools: ReadonlyArray<{ readonly pool: string }>) => pools.map(({ pool }) => pool)

describe("NodeConfigWriter.configOf", () => {
  it("says of which pools a provider routes the addresses, and nothing of its token", () => {
    const config = NodeConfigWriter.configOf([rack, bought, owned], {})
    assert.deepStrictEqual(
      config.pools.map(({ isRouted, pool }) => [pool, isRouted]),
      [
        ["bought", true],
        ["owned", true],
        ["rack", undefined]
      ]
    )
    assert.notInclude(JSON.stringify(config), token)
  })

  // oxfmt-ignore
  it.each<[string, EphemeralIPPool | PersistentIPPool, ControlPlaneLoss | undefined, ControlPlaneLoss | undefined]>([
    // name                                                            pool    written    told
    ["says nothing of what is usual on bare metal",                    rack,   "auto",    undefined],
    ["says nothing of what is usual in a cloud",                       owned,  "keep",    undefined],
    ["says nothing where nothing is written",                          bought, undefined, undefined],
    ["says that addresses are to be released",                         rack,   "release", "release"],
    ["says that a cloud's addresses are to be released",               bought, "release", "release"],
    ["says that a cloud's addresses are left to the voters",           owned,  "auto",    "auto"],
    ["does not say that addresses are kept which no provider routes",  rack,   "keep",    undefined]
  ])("%s", (_, pool, onControlPlaneLoss, told) => {
    const written = { ...options, ...(onControlPlaneLoss && { onControlPlaneLoss }) }
    const changed = { ...pool, spec: { ...pool.spec, options: written } } as typeof pool
    const [said] = NodeConfigWriter.configOf([changed], {}).pools
    assert.strictEqual(said?.onControlPlaneLoss, told)
  })

  describe("of a pool that cannot be read", () => {
    const told = NodeConfigWriter.configOf([rack, owned], {}).pools

    it("says what was said of it before", () => {
      assert.deepStrictEqual(names(NodeConfigWriter.configOf([rack], {}, told.slice(0, 1)).pools), ["owned", "rack"])
    })

    it("says nothing twice: neither what is still known of it, nor what was told twice already", () => {
      const again = NodeConfigWriter.configOf([rack, owned], {}, [...told, ...told]).pools
      assert.deepStrictEqual(again, told)
    })

    it("says of two that share a name what each of them is", () => {
      const namesake = { ...bought, metadata: metadata("rack") }
      const [both, turned] = [
        [rack, namesake],
        [namesake, rack]
      ].map((pools) => NodeConfigWriter.configOf(pools, {}, told).pools)
      assert.deepStrictEqual(names(both ?? []), ["owned", "rack", "rack"])
      assert.deepStrictEqual(both, turned, "in whatever order they are seen")
    })
  })
})
