import { assert, describe as group, it } from "@effect/vitest"
import { describe, strictUplinks } from "../../../src/domain/ReversePath.ts"

group("the kernel's check of the way back", () => {
  // oxfmt-ignore
  it.each<[string, ReadonlyArray<string>, { readonly [uplink: string]: number }, ReadonlyArray<string>]>([
    ["drops nobody where the default route goes by the uplink",    ["eth0"],         { eth0: 1, eth1: 0 }, []],
    ["drops who is far where it goes by another",                  ["eth0"],         { eth0: 1, eth1: 1 }, ["eth1"]],
    ["drops nobody where there is one by each",                    ["eth0", "eth1"], { eth0: 1, eth1: 1 }, []],
    ["drops nobody when it is loose, or off",                      ["eth2"],         { eth0: 2, eth1: 0 }, []],
    ["is nothing to speak of without any default route",           [],               { eth0: 1, eth1: 1 }, []]
  ])("%s", (_, defaultRouteInterfaces, values, expected) => {
    const facts = { uplinks: ["eth0", "eth1"], defaultRouteInterfaces, rpFilterOf: (uplink: string) => values[uplink] ?? 0 }
    assert.deepStrictEqual(strictUplinks(facts), expected)
  })

  it("is told with what to do, and not where there is nothing", () => {
    assert.include(describe(["eth1"]), "sysctl -w net.ipv4.conf.eth1.rp_filter=2")
    assert.isUndefined(describe([]))
  })
})
