/**
 * Objects that must be refused at admission, each with the part of the message that every API server prints alike. The
 * messages were read from kube-apiserver 1.36.4; a rule's is a sentence of ours, the others are the API server's words.
 */
import { type Kind, manifest, type Manifest } from "./manifest.ts"

export interface BadManifest extends Manifest {
  /** Must occur in the message of the refusal. */
  readonly refusal: string
}

type Row = readonly [name: string, spec: unknown, refusal: string]

const table = (kind: Kind, rows: ReadonlyArray<Row>): ReadonlyArray<BadManifest> =>
  rows.map(([name, spec, refusal]) => ({ ...manifest(`${kind}: ${name}`, kind, spec), refusal }))

const addresses = (...list: ReadonlyArray<unknown>) => ({ addresses: list })
const persistent = (spec: object) => ({ addresses: ["192.0.2.10"], ...spec })
const onInterface = (fields: object) =>
  persistent({ options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", ...fields } } })
const hetzner = (fields: object) => ({ cloudIntegration: { hetzner: { token: "secret", ...fields } } })
const requirement = (fields: object) => persistent({ serviceSelector: { matchExpressions: [fields] } })

const notAnAddress = "write an address (192.0.2.10 or 2001:db8::10), a CIDR (192.0.2.16/28 or 2001:db8::/120)"
const hostBits = "the CIDR has bits set behind its prefix: write its first address, as in 192.0.2.16/28"
const backwards = "the range ends before it starts: write the lower address first"
const unservable = "loopback, link-local, multicast and unspecified addresses cannot be served"

// oxfmt-ignore
const poolAddresses = table("PersistentIPPool", [
  ["no spec", undefined, "spec: Required value"],
  ["no addresses", { autoAssign: true }, "spec.addresses: Required value"],
  ["an empty list of addresses", addresses(), "the list is empty: write at least one address"],
  ["addresses as one text", { addresses: "192.0.2.10" }, "spec.addresses in body must be of type array"],
  ["a number as address", addresses(10), "spec.addresses[0] in body must be of type string"],
  ["a host name as address", addresses("edge.example.com"), notAnAddress],
  ["the second of two addresses malformed", addresses("192.0.2.10", "192.0.2.300"), "spec.addresses[1]"],
  ["an octet above 255", addresses("192.0.2.256"), notAnAddress],
  ["three octets", addresses("192.0.2"), notAnAddress],
  ["five octets", addresses("192.0.2.10.1"), notAnAddress],
  ["an octet with a leading zero", addresses("192.0.02.10"), notAnAddress],
  ["a blank behind the address", addresses("192.0.2.10 "), notAnAddress],
  ["an empty text", addresses(""), notAnAddress],
  ["two addresses in one entry", addresses("192.0.2.10,192.0.2.11"), notAnAddress],
  ["a port", addresses("192.0.2.10:80"), notAnAddress],
  ["a prefix length above 32", addresses("192.0.2.0/33"), notAnAddress],
  ["a netmask instead of a prefix length", addresses("192.0.2.0/255.255.255.0"), notAnAddress],
  ["a CIDR with host bits", addresses("192.0.2.17/28"), hostBits],
  ["a CIDR with a host bit in a high octet", addresses("10.1.0.0/8"), hostBits],
  ["a range with start above end", addresses("192.0.2.49-192.0.2.40"), backwards],
  ["a range that falls in its second octet", addresses("10.2.0.0-10.1.255.255"), backwards],
  ["a range with half an end", addresses("192.0.2.40-49"), notAnAddress],
  ["a range with blanks", addresses("192.0.2.40 - 192.0.2.49"), notAnAddress],
  ["a range of CIDRs", addresses("192.0.2.0/28-192.0.2.32/28"), notAnAddress],
  ["an IPv6 range", addresses("2001:db8::1-2001:db8::9"), "IPv6 ranges only as CIDR"],
  ["an IPv6 prefix length above 128", addresses("2001:db8::/129"), notAnAddress],
  ["two double colons", addresses("2001::db8::1"), notAnAddress],
  ["nine groups", addresses("1:2:3:4:5:6:7:8:9"), notAnAddress],
  ["a group of five digits", addresses("2001:db8::12345"), notAnAddress],
  ["an IPv6 zone", addresses("fe80::1%eth0"), notAnAddress],
  ["an IPv4 address written as IPv6", addresses("::ffff:192.0.2.10"), notAnAddress],
  ["a loopback address", addresses("127.0.0.1"), unservable],
  ["a link-local address", addresses("169.254.1.1"), unservable],
  ["a multicast address", addresses("239.1.2.3"), unservable],
  ["every IPv4 address", addresses("0.0.0.0/0"), unservable],
  ["the IPv6 loopback address", addresses("::1"), unservable],
  ["an IPv6 link-local address", addresses("fe80::1"), unservable],
  ["an IPv6 multicast address", addresses("ff02::1"), unservable],
  ["1,025 addresses", addresses(...Array.from({ length: 1025 }, (_, index) => `10.1.${index >> 8}.${index & 255}`)), "spec.addresses: Too many: 1025: must have at most 1024 items"],
  ["an address of 65 characters", addresses("1".repeat(65)), "spec.addresses[0]: Too long: may not be more than 64 bytes"]
])

// oxfmt-ignore
const poolRules = table("PersistentIPPool", [
  ["autoAssign as text", persistent({ autoAssign: "true" }), "spec.autoAssign in body must be of type boolean"],
  ["a priority below 0", persistent({ priority: -1 }), "spec.priority in body should be greater than or equal to 0"],
  ["a priority with decimals", persistent({ priority: 1.5 }), "spec.priority: Invalid value"],
  ["a namespace in capitals", persistent({ allowedNamespaces: ["Project1"] }), "write the name of one namespace, such as project1"],
  ["a wildcard as namespace", persistent({ allowedNamespaces: ["*"] }), "leave the list out to allow every namespace"],
  ["allowedNamespaces as one text", persistent({ allowedNamespaces: "project1" }), "spec.allowedNamespaces in body must be of type array"],
  ["an unknown operator in a selector", requirement({ key: "tier", operator: "Equals", values: ["edge"] }), "Unsupported value: \"Equals\""],
  ["In without values", requirement({ key: "tier", operator: "In" }), "In and NotIn need values, Exists and DoesNotExist take none"],
  ["Exists with values", requirement({ key: "tier", operator: "Exists", values: ["edge"] }), "In and NotIn need values, Exists and DoesNotExist take none"],
  ["a label name with a blank", requirement({ key: "my tier", operator: "Exists" }), "write the name of a label, such as tier or example.com/tier"],
  ["a requirement without a key", requirement({ operator: "Exists" }), "spec.serviceSelector.matchExpressions[0].key: Required value"],
  ["a number as label value", persistent({ nodeSelector: { matchLabels: { rack: 1 } } }), "spec.nodeSelector.matchLabels.rack in body must be of type string"],
  ["an unknown cloud", persistent({ cloudIntegration: { aws: { token: "secret" } } }), "name the cloud: hetzner is the one that is supported; for bare metal leave cloudIntegration out"],
  ["a pool that keeps addresses without a cloud", persistent({ options: { onControlPlaneLoss: "keep" } }), "onControlPlaneLoss keep could leave an address on two nodes where no cloud routes it: write auto or release"],
  ["an unknown onControlPlaneLoss", persistent({ options: { onControlPlaneLoss: "drop" } }), "Unsupported value: \"drop\""]
])

// oxfmt-ignore
const interfaces = table("PersistentIPPool", [
  ["addresses on no interface", persistent({ options: { hostNetworkInterface: { addAddressesToInterface: true } } }), "interfaceName is missing: name the interface that addresses are added to, such as pl0"],
  ["addresses on an interface without a name", onInterface({ interfaceName: "" }), "interfaceName is missing"],
  ["no word on whether addresses are added", persistent({ options: { hostNetworkInterface: { interfaceName: "pl0" } } }), "spec.options.hostNetworkInterface.addAddressesToInterface: Required value"],
  ["addAddressesToInterface as text", onInterface({ addAddressesToInterface: "yes" }), "addAddressesToInterface in body must be of type boolean"],
  ["an interface name of 16 characters", onInterface({ interfaceName: "enp129s0f1np1.40" }), "Linux allows 15 characters in the name of an interface: write a shorter one"],
  ["an interface name with a blank", onInterface({ interfaceName: "pl 0" }), "write the name of a network interface, such as pl0: no blank, no slash, no colon"],
  ["an interface name with a label", onInterface({ interfaceName: "pl0:pllb" }), "write the name of a network interface, such as pl0: no blank, no slash, no colon"],
  ["a path as interface name", onInterface({ interfaceName: "../pl0" }), "write the name of a network interface, such as pl0: no blank, no slash, no colon"],
  ["an unknown mode", onInterface({ mode: "bridged" }), "Unsupported value: \"bridged\""],
  ["an uplink that is swept", onInterface({ interfaceName: "eth0", mode: "uplink", startupCleaning: "all" }), "an uplink carries the node's own addresses, which startupCleaning all would remove: write ours, or leave it out"],
  ["an unknown startupCleaning", onInterface({ startupCleaning: "none" }), "Unsupported value: \"none\""],
  ["an empty list of uplinks", onInterface({ uplinks: [] }), "the list is empty: write the interfaces that face the network, or leave uplinks out"],
  ["an uplink twice", onInterface({ uplinks: ["eth0", "eth0"] }), "spec.options.hostNetworkInterface.uplinks[1]: Duplicate value: \"eth0\""],
  ["an uplink with a slash", onInterface({ uplinks: ["eth/0"] }), "write the name of a network interface, such as pl0: no blank, no slash, no colon"],
  ["a pattern of uplinks", onInterface({ uplinks: ["eth*"] }), "write the name of one interface as `ip link` shows it: a pattern such as eth* is not known"],
  ["a pattern as interface name", onInterface({ interfaceName: "br?" }), "write the name of one interface as `ip link` shows it: a pattern such as eth* is not known"]
])

// oxfmt-ignore
const clouds = table("EphemeralIPPool", [
  ["no cloud", { priority: 1 }, "spec.cloudIntegration: Required value"],
  ["a cloud without a name", { cloudIntegration: {} }, "name the cloud: hetzner is the one that is supported"],
  ["no token", { cloudIntegration: { hetzner: {} } }, "write exactly one of token and tokenSecretRef"],
  ["two tokens", hetzner({ tokenSecretRef: { name: "hcloud" } }), "write exactly one of token and tokenSecretRef"],
  ["an empty token", hetzner({ token: "" }), "the token is empty: write tokenSecretRef with the name of a Secret instead"],
  ["a Secret without a name", { cloudIntegration: { hetzner: { tokenSecretRef: { key: "token" } } } }, "spec.cloudIntegration.hetzner.tokenSecretRef.name: Required value"],
  ["a Secret of another namespace", { cloudIntegration: { hetzner: { tokenSecretRef: { name: "other/hcloud" } } } }, "write the name of a Secret in the namespace of the controller, such as hcloud"],
  ["a key that no Secret can have", { cloudIntegration: { hetzner: { tokenSecretRef: { name: "hcloud", key: "my token" } } } }, "write a key of the Secret's data, such as token"],
  ["an unknown localityPolicy", hetzner({ localityPolicy: "anywhere" }), "Unsupported value: \"anywhere\""],
  ["an ipv6Suffix with a network part", hetzner({ ipv6Suffix: "2001:db8::1" }), "write two colons and one to four groups of lower-case hex digits, such as ::1"],
  ["a nodeGracePeriod without a unit", hetzner({ nodeGracePeriod: "40" }), "write a duration with its unit, such as 40s or 1m30s"],
  ["a nodeGracePeriod as number", hetzner({ nodeGracePeriod: 40 }), "spec.cloudIntegration.hetzner.nodeGracePeriod in body must be of type string"],
  ["an unknown handover", hetzner({ handover: "swap" }), "Unsupported value: \"swap\""],
  ["a cap of no address", { ...hetzner({}), maxAddresses: 0 }, "write how many addresses may be bought, 1 or more; disabled: true stops new ones"],
  ["a location that is none", { ...hetzner({}), homeLocation: "Nuremberg DC 3" }, "write a location of the cloud, such as nbg1"]
])

const allocation = (entry: object) => ({ type: "persistent", allocations: [{ address: "", pool: "rack-1", ...entry }] })

// oxfmt-ignore
const allocations = table("IPAllocation", [
  ["no type", { allocations: [] }, "spec.type: Required value"],
  ["an unknown type", { type: "static", allocations: [] }, "Unsupported value: \"static\""],
  ["an allocation without an address", { type: "persistent", allocations: [{ pool: "rack-1" }] }, "spec.allocations[0].address: Required value"],
  ["an allocation without a pool", { type: "persistent", allocations: [{ address: "192.0.2.10" }] }, "spec.allocations[0].pool: Required value"],
  ["a CIDR as allocated address", allocation({ address: "192.0.2.0/28" }), "write one address, 192.0.2.10 or 2001:db8::10, or an empty text while there is none"],
  ["an epoch below 0", allocation({ epoch: -1 }), "spec.allocations[0].epoch in body should be greater than or equal to 0"],
  ["a previous holder without a hold id", allocation({ previous: [{ node: "worker-1", epoch: 1 }] }), "spec.allocations[0].previous[0].holdId: Required value"]
])

const reported = { address: "192.0.2.10", node: "worker-1", phase: "Serving" }
const ready = {
  type: "Ready",
  status: "True",
  reason: "Serving",
  message: "",
  lastTransitionTime: "2026-11-24T15:00:00Z"
}

/** The object itself is good; its status is refused. */
const inStatus = (
  rows: ReadonlyArray<readonly [name: string, status: { readonly [key: string]: unknown }, refusal: string]>
): ReadonlyArray<BadManifest> =>
  rows.map(([name, status, refusal]) => ({
    ...manifest(`IPAllocation: ${name}`, "IPAllocation", { type: "persistent", allocations: [] }, { status }),
    refusal
  }))

// oxfmt-ignore
const statuses = inStatus([
  ["an unknown state", { state: "done" }, "status.state: Unsupported value: \"done\""],
  ["an unknown phase", { addresses: [{ ...reported, phase: "Held" }] }, "status.addresses[0].phase: Unsupported value: \"Held\""],
  ["a report without a node", { addresses: [{ address: "192.0.2.10", phase: "Serving" }] }, "status.addresses[0].node: Required value"],
  ["two reports of one node on one address", { addresses: [reported, reported] }, "status.addresses[1]: Duplicate value"],
  ["a time without a zone", { addresses: [{ ...reported, since: "2026-11-24 15:00:00" }] }, "addresses[0].since in body must be of type date-time"],
  ["a condition without a reason", { conditions: [{ ...ready, reason: "" }] }, "conditions[0].reason in body should be at least 1 chars long"],
  ["a condition that is neither true nor false", { conditions: [{ ...ready, status: "Maybe" }] }, "Unsupported value: \"Maybe\""],
  ["a condition twice", { conditions: [ready, { ...ready, status: "False" }] }, "status.conditions[1]: Duplicate value"]
])

export const badManifests: ReadonlyArray<BadManifest> = [
  ...poolAddresses,
  ...poolRules,
  ...interfaces,
  ...clouds,
  ...allocations,
  ...statuses
]
