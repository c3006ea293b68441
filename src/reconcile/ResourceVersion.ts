/**
 * Resource versions of one resource are ordered: decimal numbers without leading zeros, compared as such (KEP-5504;
 * before Kubernetes 1.35 the order was not promised, but every released etcd-backed server keeps it).
 */
export const isNewer = (candidate: string | undefined, than: string | undefined): boolean => {
  if (than === undefined) return true
  if (candidate === undefined) return false
  return candidate.length === than.length ? candidate > than : candidate.length > than.length
}
