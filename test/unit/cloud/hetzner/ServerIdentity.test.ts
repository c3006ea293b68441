/** Which server a Node is. */
import { assert, describe, it } from "@effect/vitest"
import { resolve } from "../../../../src/cloud/hetzner/ServerIdentity.ts"
import type { CloudServer, NodeIdentity } from "../../../../src/ports/Cloud.ts"

const server = (id: string, name: string): CloudServer => ({
  id,
  name,
  state: "running",
  place: { location: "fsn1", zone: "eu-central" },
  families: new Set(["IPv4"])
})
const servers = [server("41", "node-1"), server("42", "node-2")]

describe("ServerIdentity.resolve", () => {
  it.each<[string, Partial<NodeIdentity>, string]>([
    ["by the id that the cloud-controller-manager wrote", { providerId: "hcloud://42" }, "42"],
    ["by that id also when another has the Node's name", { providerId: "hcloud://42", name: "node-1" }, "42"],
    ["one whose server is not there any more", { providerId: "hcloud://43", name: "node-1" }, "gone 43"],
    ["a dedicated server", { providerId: "hrobot://42", name: "node-2" }, "unmanaged"],
    ["a dedicated server, as it was written before", { providerId: "hcloud://bm-42", name: "node-2" }, "unmanaged"],
    [
      "a dedicated server by its label alone",
      { labels: { "instance.hetzner.cloud/provided-by": "robot" }, name: "node-2" },
      "unmanaged"
    ],
    ["by what a person wrote, without a cloud-controller-manager", { serverId: "42", name: "node-1" }, "42"],
    ["by what the provider told the machine, where the Node says nothing", { instanceId: "42", name: "node-1" }, "42"],
    ["by what a person wrote before that", { serverId: "41", instanceId: "42" }, "41"],
    ["by what the cloud-controller-manager wrote before that", { providerId: "hcloud://41", instanceId: "42" }, "41"],
    [
      "by what the machine was told, where another that is gone had the Node's name",
      { providerId: "hcloud://40", instanceId: "42", name: "node-1" },
      "42"
    ],
    ["a machine whose server is gone", { providerId: "hcloud://40", instanceId: "43", name: "node-1" }, "gone 43"],
    ["by its name where the machine was told no number", { instanceId: "i-0abc", name: "node-2" }, "42"],
    ["by its name, of which there is one", { name: "node-2" }, "42"],
    ["by its name where another program wrote the id", { providerId: "talos://hcloud/10.0.0.2", name: "node-2" }, "42"],
    ["by its name where a person wrote no number", { serverId: "node-2", name: "node-1" }, "41"],
    ["not by a part of a name", { name: "node" }, "unknown"],
    ["not at all", { name: "laptop" }, "unknown"]
  ])("%s", (_, parts, expected) => {
    const found = resolve({ name: "somebody", ...parts }, servers)
    const text = found.type === "server" ? found.server.id : found.type === "gone" ? `gone ${found.id}` : found.type
    assert.strictEqual(text, expected)
  })
})
