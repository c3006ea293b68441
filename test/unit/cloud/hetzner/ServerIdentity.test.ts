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
