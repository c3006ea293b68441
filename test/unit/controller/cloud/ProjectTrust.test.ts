import { assert, describe, it } from "@effect/vitest"
import { trustIn } from "../../../../src/controller/cloud/ProjectTrust.ts"
import type { CloudAddress, CloudServer, Resolution } from "../../../../src/ports/Cloud.ts"

const place = { location: "fsn1", zone: "eu-central" }
const server: CloudServer = { id: "1", name: "node-1", state: "running", place, families: new Set(["IPv4"]) }
const byId: Resolution = { type: "server", server, isById: true }
const byName: Resolution = { type: "server", server, isById: false }
const gone: Resolution = { type: "gone", id: "9" }
const unknown: Resolution = { type: "unknown" }
const robot: Resolution = { type: "unmanaged" }

const labelled = (cluster: string): CloudAddress => ({
  id: "7",
  name: "edge",
  family: "IPv4",
  network: "198.18.0.1",
  server: undefined,
  home: place,
  isBlocked: false,
  isProtected: false,
  labels: { "managed-by": "plenuslb", cluster },
  reverseNames: {}
})

describe("a project", () => {
  // oxfmt-ignore
  it.each([
    // name                                                            nodes               addresses of   ids said   trust
    ["is the cluster's when a Node says the id of a server of it",     [byId, gone],       [],            true,      "usable"],
    ["is the cluster's by the names of servers, where no Node says an id", [byName, unknown], [],         false,     "usable"],
    ["is not by names alone, once a Node says the id of another server", [byName, gone],   [],            true,      "foreign"],
    ["is not by names alone, while the Nodes that say ids are away",   [byName],           [],            true,      "foreign"],
    ["is by a name and what we labelled there",                        [byName, gone],     ["own"],       true,      "usable"],
    ["is known by what we labelled there, also when no Node is a server of it", [gone, robot], ["own"],   true,      "known"],
    ["is not by what another cluster labelled",                        [gone],             ["other"],     true,      "foreign"],
    ["is not when no Node is a server of it",                          [unknown, robot],   [],            false,     "foreign"],
    ["is not for a cluster without Nodes",                             [],                 [],            false,     "foreign"]
  ] as const)("%s", (_, resolutions, clusters, saysIds, trust) => {
    const addresses = clusters.map(labelled)
    assert.strictEqual(trustIn({ addresses, resolutions, cluster: "own", saysIds }), trust)
  })
})
