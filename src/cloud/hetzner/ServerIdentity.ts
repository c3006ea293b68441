/**
 * Which server of the project a Node is. The cloud-controller-manager writes `spec.providerID`; without it a person may say
 * so by an annotation, or the machine itself, whom the provider told; and else the name decides, which servers have only one
 * of in a project.
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
  { instanceId = "", labels = {}, name, providerId = "", serverId = "" }: NodeIdentity,
  servers: ReadonlyArray<CloudServer>
): Resolution => {
  if (robot.test(providerId) || labels[providedByLabel] === "robot") return { type: "unmanaged" }
  const [, provided] = cloud.exec(providerId) ?? []
  const [said, ...others] = [provided, serverId, instanceId].filter((each) => each !== undefined && id.test(each))
  // What was written on the Node may be of a machine that had its name before.
  const found = said === undefined ? undefined : byId(servers, said)
  if (found?.type === "gone" && others.includes(instanceId)) return byId(servers, instanceId)
  if (found !== undefined) return found
  const named = servers.find((server) => server.name === name)
  return named === undefined ? { type: "unknown" } : { type: "server", server: named, isById: false }
}
