import { assert, describe, it } from "@effect/vitest"
import { bypassOf, type PacketPath, type PacketProgram } from "../../../src/domain/FenceBypass.ts"

const xdp: PacketProgram = { interfaceName: "eth0", hook: "xdp" }
const tc: PacketProgram = { interfaceName: "eth0", hook: "tc" }
const tc1: PacketProgram = { interfaceName: "eth1", hook: "tc" }

describe("the fence", () => {
  // oxfmt-ignore
  const stands: ReadonlyArray<readonly [string, Omit<PacketPath, "strictUplinks">]> = [
    ["where kube-proxy has its chains",                          { kubeProxy: "found",   programs: [] }],
    ["where a network plugin has programs beside kube-proxy",    { kubeProxy: "found",   programs: [xdp, tc] }],
    ["as far as can be told, where kube-proxy may be in tables of iptables-legacy", { kubeProxy: "unknown", programs: [] }],
    ["as far as can be told, with programs beside those tables", { kubeProxy: "unknown", programs: [tc] }]
  ]
  it.each(stands)("stands %s", (_, path) => assert.isUndefined(bypassOf(path)))

  // oxfmt-ignore
  const goneRound: ReadonlyArray<readonly [string, PacketPath["programs"], string]> = [
    ["without naming a program, as none need be seen", [],            "may do so before netfilter"],
    ["and the program is named with its interface",    [xdp],         "before it: XDP on eth0"],
    ["and each program is named, in the order of names, whatever the kernel's", [tc1, xdp, tc], "before it: XDP on eth0, tc on eth0, tc on eth1"]
  ]
  it.each(goneRound)("may be gone round where kube-proxy is missing, %s", (_, programs, expected) => {
    const found = bypassOf({ kubeProxy: "missing", programs }) ?? ""
    assert.include(found, "neither a chain KUBE-PROXY-CANARY nor a table kube-proxy")
    assert.isTrue(found.endsWith(expected), found)
  })
})
