/**
 * Which server of the project a Node is. The cloud-controller-manager writes `spec.providerID`; without it a person may say
 * so by an annotation, and else the name decides, which servers have only one of in a project.
 */
import type { CloudServer, NodeIdentity, Resolution } from "../../ports/Cloud.ts"

/** Dedicated servers: no floating IP can be routed to one. `bm-` is the older form, and must be tried before the ids. */
const robot = /^(hrobot:\/\/|hcloud:\/\/bm-)/
const cloud = /^hcloud:\/\/([1-9][0-9]*)$/
const id = /^[1-9][0-9]*$/

const providedByLabel = "instance.hetzner.cloud/provided-by"

const byId = (servers: ReadonlyArray<CloudServer>, wanted: string): Resolution => {
  const found = servers.find((server) => server.id === wanted)
  return found === undefined ? { type: "gone", id: wanted } : { type: "server", server: found, isById: true }
}

export const resolve = (
  { labels = {}, name, providerId = "", serverId = "" }: NodeIdentity,
  servers: ReadonlyArray<CloudServer>
): Resolution => {
  if (robot.test(providerId) || labels[providedByLabel] === "robot") return { type: "unmanaged" }
  const [, provided] = cloud.exec(providerId) ?? []
  if (provided !== undefined) return byId(servers, provided)
  if (id.test(serverId)) return byId(servers, serverId)
  const named = servers.find((server) => server.name === name)
  return named === undefined ? { type: "unknown" } : { type: "server", server: named, isById: false }
}
