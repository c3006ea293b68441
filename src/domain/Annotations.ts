/**
 * Annotations of ours that decisions read, and the group under which every name of ours stands. Here and not beside the
 * other names of `api/Names.ts`, because the sentences of refusals name them, too.
 */
export const group = "loadbalancing.plenus.io"

/** On Services. */
export const serviceAnnotations = {
  /** Comma list of wanted addresses. */
  addresses: `${group}/addresses`,
  /** Name of the pool, of either kind, to take an address from. */
  pool: `${group}/pool`,
  /** Services of one namespace with equal values may share an address on disjoint ports. */
  allowSharedIp: `${group}/allow-shared-ip`,
  /** The node that should hold its addresses, if it may. */
  preferredNode: `${group}/preferred-node`,
  /** The name that a cloud is to give for its addresses (PTR, RFC 1035), as mail servers want it. */
  reverseDns: `${group}/reverse-dns`
} as const

/** On PersistentIPPools: "true" keeps granted addresses that left `spec.addresses`, until they are freed. */
export const keepInUse = `${group}/keep-in-use`
