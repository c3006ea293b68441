/**
 * Another project of the same people, made by the same tools as the cluster's: servers with the names of the nodes, addresses
 * called like theirs, and what another cluster has bought. Its ids and addresses are its own, as the provider's are.
 */
import * as HetznerProject from "../../memory/hetzner/HetznerProject.ts"
import type { Type } from "../../memory/hetzner/Resources.ts"
import type { Kernel } from "../kernel/Kernel.ts"

export const otherToken = "token-of-another-project"

/** RFC 2544, the half that the cluster's project has not, and RFC 3849. */
const ipOf = (type: Type, n: number): string =>
  type === "ipv4" ? `198.19.${(n >> 8) & 255}.${n & 255}` : `2001:db8:2:${n.toString(16)}::/64`

const ofAnotherCluster = {
  "managed-by": "plenuslb",
  cluster: "00000000-0000-4000-8000-00000000000c",
  namespace: "edge",
  service: "edge-0",
  claim: "00000000-0000-4000-8000-00000000000a",
  ownership: "created"
}

export const make = (
  kernel: Kernel,
  tokenName: string,
  names: ReadonlyArray<string>
): HetznerProject.HetznerProject => {
  const project = HetznerProject.make({
    nowMillis: () => kernel.nowMillis,
    tokens: [{ secret: otherToken, name: tokenName, mayWrite: true }],
    floatingIpsMax: 1_000,
    lastId: 1_000_000_000,
    ipOf
  })
  const [first] = names.map((name) => project.console.addServer({ name }).id)
  const routed = first === undefined ? {} : { server: first }
  project.console.addFloatingIp({ type: "ipv4", name: "own-0", labels: { team: "web" }, ...routed })
  project.console.addFloatingIp({ type: "ipv4", name: "own-1", labels: { team: "web" } })
  const name = "plenuslb-ephemeral-edge-edge-0-00000000"
  project.console.addFloatingIp({ type: "ipv4", name, labels: ofAnotherCluster, ...routed })
  return project
}
