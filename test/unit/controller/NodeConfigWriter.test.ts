import { assert, describe, it } from "@effect/vitest"
import type { EphemeralIPPool } from "../../../src/api/EphemeralIPPool.ts"
import type { PersistentIPPool } from "../../../src/api/PersistentIPPool.ts"
import * as NodeConfigWriter from "../../../src/controller/NodeConfigWriter.ts"

const token = "never-told"
const options = { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } }
const metadata = (name: string) => ({ name, uid: name, resourceVersion: "1", generation: 1 })

const rack: PersistentIPPool = { metadata: metadata("rack"), spec: { addresses: ["192.0.2.10"], options } }
const cloudIntegration = { hetzner: { token } }
const bought: EphemeralIPPool = { metadata: metadata("bought"), spec: { cloudIntegration, options } }
const owned: PersistentIPPool = { ...rack, metadata: metadata("owned"), spec: { ...rack.spec, cloudIntegration } }

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
})
