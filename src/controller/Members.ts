/** The nodes as operators are told of them: who may vote for others when the control plane is away, and where to ask. */
import type { Node } from "../api/Node.ts"
import { nodeHash } from "../api/Names.ts"
import type { Member } from "../api/NodeConfig.ts"
import type { NodeLease } from "../api/NodeLease.ts"
import type { Peer } from "../ports/Peers.ts"

export interface RegisteredNode {
  readonly node: Node
  readonly content: NodeLease
  /** Not renewed for as long as its lease says. */
  readonly isSilent: boolean
  /** Silent for so long that others should name somebody else. */
  readonly isAbsent: boolean
}

/** A ConfigMap holds 1 MiB, and every operator reads it; each node needs six others at most. */
const membersMax = 200

/** Operators use the node's network: the address by which the nodes know each other. */
export const peerOf = ({ content, node }: RegisteredNode): Peer | undefined => {
  const host = node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address
  return host === undefined || content.witnessPort === undefined ? undefined : { host, port: content.witnessPort }
}

/** By the hash of their names, so that a node that comes or goes moves no others in or out. */
export const membersOf = (registered: ReadonlyArray<RegisteredNode>): ReadonlyArray<Member> =>
  registered
    .filter(({ isAbsent }) => !isAbsent)
    .map((each) => {
      const { labels, name } = each.node.metadata
      const peer = peerOf(each)
      const zone = labels?.["topology.kubernetes.io/zone"] ?? ""
      return { node: name, zone, ...(peer === undefined ? {} : { peer }) }
    })
    .toSorted((a, b) => (nodeHash(a.node) < nodeHash(b.node) ? -1 : 1))
    .slice(0, membersMax)
