/** What pools tell of nodes that do not reach their voters, while nothing needs them yet. */
import type { Lease } from "../api/Lease.ts"
import { witnessSecretName } from "../api/Names.ts"
import * as NodeLease from "../api/NodeLease.ts"
import * as Witness from "../domain/Witness.ts"
import type { Change } from "../reconcile/Reflector.ts"
import type { KnownLease } from "./LeaseBook.ts"

type Content = KnownLease["content"]

const named = ({ unreached }: Content, why: string): ReadonlyArray<string> =>
  Object.keys(unreached ?? {}).filter((voter) => unreached?.[voter] === why)

const consequence = ({ node, unreached = {}, voters }: Content): string => {
  const heard = new Set(voters.filter((voter) => unreached[voter] === undefined))
  return Witness.isKept([voters], heard)
    ? `Enough others answer: at an outage of the control plane ${node} keeps its addresses with one voter less.`
    : `At an outage of the control plane ${node} has too few voters to go by, and lets its addresses go.`
}

const sentences = (content: Content, portOf: (node: string) => number): ReadonlyArray<string> => {
  const { node } = content
  const [silent, disbelieved] = [named(content, "Silent"), named(content, "NotBelieved")]
  const [first = ""] = silent
  const noKey =
    `it has no key: Secret ${witnessSecretName} is not mounted, or holds none, so that it names no voters. At an outage of ` +
    "the control plane it lets its addresses go. Delete the Secret, and the controller makes another."
  if (named(content, "NoKey").length > 0) return [noKey]
  return [
    ...(silent.length === 0
      ? []
      : [
          `no answer comes from ${silent.join(", ")}. Open TCP port ${portOf(first)} between the nodes, in firewalls and ` +
            "NetworkPolicies."
        ]),
    ...(disbelieved.length === 0
      ? []
      : [
          `${disbelieved.join(", ")} and ${node} have different keys, or another program has port ` +
            `${portOf(disbelieved[0] ?? "")} there. Delete Secret ${witnessSecretName}: the controller makes another, for all.`
        ]),
    consequence(content)
  ]
}

/** Undefined: none, or of a node that is gone, whose last words nobody takes back. */
export const unreachedBy = ({ fenced, holdId, released, unreached }: Content): NodeLease.Unreached | undefined =>
  unreached === undefined || fenced === holdId || released === holdId || Object.keys(unreached).length === 0
    ? undefined
    : unreached

/** The first node by name, and that there are others, as with the fence: one firewall concerns them all. */
export const describe = (leases: Iterable<Pick<KnownLease, "content">>): string | undefined => {
  const contents = [...leases].map(({ content }) => content)
  const [first, ...others] = contents.filter(unreachedBy).toSorted((a, b) => (a.node < b.node ? -1 : 1))
  if (first === undefined) return undefined
  const where = others.length === 0 ? first.node : `${first.node} (and others)`
  const portOf = (node: string) =>
    contents.find((each) => each.node === node)?.witnessPort ?? first.witnessPort ?? NodeLease.usualWitnessPort
  return `On ${where} ${sentences(first, portOf).join(" ")}`
}

/** The record of one text is one object. */
export const isNews = ({ after, before }: Change<Lease>): boolean => {
  const [said, old] = [after, before].map((lease) => {
    const content = lease && NodeLease.read(lease)
    return content && unreachedBy(content)
  })
  return said !== old
}
