/** What pools tell of nodes where packets may go round the kernel's lease. */
import type { Lease } from "../api/Lease.ts"
import * as NodeLease from "../api/NodeLease.ts"
import type { Change } from "../reconcile/Reflector.ts"
import type { KnownLease } from "./LeaseBook.ts"

/**
 * The first node by name, and that there are others, not how many: all nodes of a cluster are usually alike, and they
 * register one by one.
 */
export const describe = (leases: Iterable<Pick<KnownLease, "content">>): string | undefined => {
  const found = [...leases].flatMap(({ content: { bypassed, node } }) =>
    bypassed === undefined ? [] : { bypassed, node }
  )
  const [first, ...others] = found.toSorted((left, right) => (left.node < right.node ? -1 : 1))
  if (first === undefined) return undefined
  const where = others.length === 0 ? first.node : `${first.node} and others`
  return (
    `On ${where} ${first.bypassed}. The kernel's lease, which is kept in netfilter, cannot be relied on there: a node that ` +
    "was cut off may go on serving an address that another one serves already. Addresses are served all the same. For the " +
    "promise of one holder run kube-proxy in iptables or nftables mode."
  )
}

/** Whether what a node says of it is news, or that it holds nothing any more, since its Node may be gone. */
export const isNews = ({ after, before }: Change<Lease>): boolean => {
  const [said, old] = [after, before].map((lease) => {
    const { bypassed, fenced, holdId, released } = (lease && NodeLease.read(lease)) ?? {}
    return bypassed && `${fenced === holdId || released === holdId} ${bypassed}`
  })
  return said !== old
}
