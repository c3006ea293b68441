import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { decodeConf, decodeLinks, decodeRoutes, toNetworkState } from "../../../../src/live/linux/IpOutput.ts"

/** As iproute2 6.1 prints it, shortened; a filter leaves `{}` behind. */
const links = `[{},
 {"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"address":"00:00:00:00:00:00","addr_info":[
   {"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo","valid_life_time":4294967295}]},
 {"ifindex":3,"ifname":"pl0","flags":["BROADCAST","UP"],"address":"16:08:a7:24:ac:b9","linkinfo":{"info_kind":"bridge","info_data":{"stp_state":0}},"addr_info":[
   {"family":"inet","local":"192.0.2.10","prefixlen":32,"scope":"link","label":"pl0:pllb","valid_life_time":90},
   {"family":"inet6","local":"2001:db8::10","prefixlen":128,"scope":"global","nodad":true,"noprefixroute":true,"valid_life_time":4294967295},
   {}, {"family":"mctp","scope":"global"}]},
 {"ifindex":4,"ifname":"eth0.100","link":"eth0","master":"pl0","flags":["BROADCAST"],"address":"02:00:00:00:00:04","addr_info":[]},
 {"ifindex":5,"ifname":"tun0","flags":["POINTOPOINT","UP"],"link_type":"none","addr_info":[
   {"family":"inet","local":"10.8.0.1","address":"10.8.0.2","prefixlen":32,"scope":200,"label":"tun0"}]}]`

const stateOf = (routes = "[]", arpIgnore = "") =>
  Effect.map(Effect.all([decodeLinks(links), decodeRoutes(routes)]), ([link, route]) =>
    toNetworkState(link, route, decodeConf(arpIgnore, "arp_ignore"))
  )

describe("IpOutput.toNetworkState", () => {
  it.effect("reads kinds, ports, flags and addresses, and passes over what has no name or address", () =>
    Effect.gen(function* () {
      const { interfaces } = yield* stateOf()
      assert.deepStrictEqual(
        interfaces.map(({ name, kind, up, mac, ports }) => [name, kind, up, mac, ports.join()]),
        [
          ["lo", "loopback", true, "00:00:00:00:00:00", ""],
          ["pl0", "bridge", true, "16:08:a7:24:ac:b9", "eth0.100"],
          ["eth0.100", "other", false, "02:00:00:00:00:04", ""],
          ["tun0", "other", true, "", ""]
        ]
      )
      const expected = [
        { address: "192.0.2.10", prefixLength: 32, scope: "link", label: "pl0:pllb", validSeconds: 90 },
        { address: "2001:db8::10", prefixLength: 128, scope: "global" }
      ]
      assert.deepEqual<unknown>(interfaces[1]?.addresses, expected)
      assert.strictEqual(interfaces[3]?.addresses[0]?.scope, "200")
    })
  )

  // oxfmt-ignore
  const routes: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    ["no route at all, as an empty text",               "",                                                                        []],
    ["no metric before metric 1024",                    `[{"dev":"b0","metric":1024},{"dev":"a0"}]`,                               ["a0", "b0"]],
    ["each once",                                       `[{"dev":"a0","metric":1},{"dev":"a0","metric":2}]`,                       ["a0"]],
    ["all next hops of one route",                      `[{"dst":"default","nexthops":[{"dev":"a0","weight":1},{"dev":"b0"}]}]`,   ["a0", "b0"]],
    ["not one that only refuses",                       `[{"type":"unreachable","dev":"lo","metric":4294967295},{"dev":"a0","metric":9}]`, ["a0"]]
  ]
  for (const [sentence, text, expected] of routes) {
    it.effect(`default-route interfaces: ${sentence}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* stateOf(text)).defaultRouteInterfaces, expected)
      })
    )
  }

  it.effect("takes the larger arp_ignore, also of a name with a dot", () =>
    Effect.gen(function* () {
      const files = ["all/arp_ignore:1", "default/arp_ignore:8", "pl0/arp_ignore:0", "eth0.100/arp_ignore:2"]
      const text = files.map((file) => `/proc/sys/net/ipv4/conf/${file}\n`).join("")
      assert.deepStrictEqual((yield* stateOf("[]", text)).arpIgnore, { lo: 1, pl0: 1, "eth0.100": 2, tun0: 1 })
    })
  )

  it.effect("does not take what is not JSON for an empty list", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(decodeLinks('Object "x" is unknown'))
      assert.include(error.message, "JSON")
    })
  )
})
