/**
 * Objects that must be admitted, by a real API server and by the in-memory one, and decode. Those of v0.4 are its
 * documentation's and its controller's, as they are: an upgrade in place begins with reading them.
 */
import { manifest, type Manifest } from "./manifest.ts"

const options = { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } }
const token = { hetzner: { token: "YOUR_HETZNER_API_TOKEN" } }
const v04Labels = { "app.kubernetes.io/managed-by": "plenuslb" }
const entry = { address: "192.0.2.10", pool: "rack-1", networkInterface: "pl0", nodeName: "worker-2" }

const v04: ReadonlyArray<Manifest> = [
  manifest("v0.4: an ephemeral pool at Hetzner", "EphemeralIPPool", { cloudIntegration: token, options }),
  manifest("v0.4: a persistent pool at Hetzner", "PersistentIPPool", {
    addresses: ["1.2.3.4", "1.2.3.5"],
    cloudIntegration: token,
    options
  }),
  manifest("v0.4: a bare-metal pool reserved for two namespaces", "PersistentIPPool", {
    allowedNamespaces: ["project1", "project2"],
    addresses: ["1.2.3.6", "1.2.3.7"],
    options
  }),
  manifest("v0.4: an ephemeral pool reserved for one namespace", "EphemeralIPPool", {
    allowedNamespaces: ["project1"],
    cloudIntegration: token,
    options
  }),
  manifest("v0.4: a pool that adds no addresses, with an empty interface name", "PersistentIPPool", {
    addresses: ["1.2.3.8"],
    options: { hostNetworkInterface: { addAddressesToInterface: false, interfaceName: "" } }
  }),
  manifest("v0.4: a pool that adds no addresses and names no interface, as documented", "PersistentIPPool", {
    addresses: ["1.2.3.9"],
    options: { hostNetworkInterface: { addAddressesToInterface: false } }
  }),
  manifest("v0.4: a pool that lists an address twice", "PersistentIPPool", {
    addresses: ["1.2.3.10", "1.2.3.10"],
    allowedNamespaces: ["project1", "project1"],
    options
  }),
  manifest(
    "v0.4: a persistent allocation after success",
    "IPAllocation",
    { type: "persistent", allocations: [entry] },
    {
      labels: v04Labels,
      status: { state: "success", message: "Allocated" }
    }
  ),
  manifest(
    "v0.4: an ephemeral allocation after success",
    "IPAllocation",
    { type: "ephemeral", allocations: [{ ...entry, pool: "hetzner-eph-pool-all", cloudProvider: "hetzner" }] },
    { labels: v04Labels, status: { state: "success", message: "Allocated" } }
  ),
  manifest(
    "v0.4: an ephemeral allocation whose purchase failed",
    "IPAllocation",
    { type: "ephemeral", allocations: [{ address: "", pool: "hetzner-eph-pool-all", cloudProvider: "hetzner" }] },
    { labels: v04Labels, status: { state: "error", message: "resource_limit_exceeded" } }
  ),
  manifest(
    "v0.4: a persistent allocation for which no address was free",
    "IPAllocation",
    { type: "persistent", allocations: [] },
    {
      labels: v04Labels,
      status: { state: "pending", message: "Waiting for allocator" }
    }
  ),
  manifest(
    "v0.4: an allocation that was given up",
    "IPAllocation",
    { type: "persistent", allocations: [entry] },
    {
      labels: v04Labels,
      status: { state: "failed", message: "given up" }
    }
  ),
  manifest(
    "v0.4: two addresses on different nodes, one on no interface",
    "IPAllocation",
    { type: "persistent", allocations: [entry, { address: "192.0.2.11", pool: "rack-2", nodeName: "worker-1" }] },
    { labels: v04Labels, status: { state: "node_error", message: "" } }
  ),
  manifest(
    "v0.4: an address removed from its pool",
    "IPAllocation",
    { type: "persistent", allocations: [entry] },
    {
      labels: v04Labels,
      status: { state: "address_deleted_from_pool", message: "Address 192.0.2.10 removed from pool" }
    }
  )
]

const everyField: ReadonlyArray<Manifest> = [
  manifest("every field of a persistent pool", "PersistentIPPool", {
    addresses: ["192.0.2.10", "192.0.2.16/28", "192.0.2.40-192.0.2.49", "2001:db8::/120", "2001:DB8::1:0"],
    allowedNamespaces: ["project1"],
    allowedNamespaceSelector: {
      matchLabels: { tier: "edge" },
      matchExpressions: [
        { key: "example.com/team", operator: "In", values: ["a", "b"] },
        { key: "legacy", operator: "DoesNotExist" }
      ]
    },
    serviceSelector: { matchLabels: { "app.kubernetes.io/name": "web" } },
    priority: 10,
    autoAssign: true,
    avoidBuggyIPs: true,
    disabled: false,
    nodeSelector: { matchLabels: { rack: "1" } },
    cloudIntegration: {
      hetzner: {
        tokenSecretRef: { name: "hcloud", key: "token" },
        localityPolicy: "sameZone",
        ipv6Suffix: "::1",
        nodeGracePeriod: "1m30s",
        handover: "unassignFirst"
      }
    },
    options: {
      hostNetworkInterface: {
        addAddressesToInterface: true,
        interfaceName: "pl0",
        mode: "bridge",
        uplinks: ["eth0", "bond0.100"],
        startupCleaning: "all",
        flushConntrack: true,
        addressConflictDetection: true
      },
      onControlPlaneLoss: "keep",
      drainOnCordon: true
    }
  }),
  manifest("every field of an ephemeral pool", "EphemeralIPPool", {
    allowedNamespaceSelector: { matchLabels: { tier: "edge" } },
    serviceSelector: {},
    priority: 0,
    disabled: true,
    nodeSelector: { matchExpressions: [{ key: "gpu", operator: "NotIn", values: ["yes"] }] },
    cloudIntegration: { hetzner: { tokenSecretRef: { name: "hcloud" } } },
    maxAddresses: 5,
    homeLocation: "nbg1",
    options: { ...options, onControlPlaneLoss: "keep" }
  }),
  manifest(
    "every field of an allocation",
    "IPAllocation",
    {
      type: "persistent",
      allocations: [
        {
          ...entry,
          cloudProvider: "hetzner",
          cloudId: "4711",
          holdId: "3.k7f2",
          epoch: 7,
          previous: [{ node: "worker-1", holdId: "2.x1", epoch: 6 }]
        },
        { address: "2001:db8::10", pool: "rack-1", nodeName: "worker-2" }
      ],
      addressList: "192.0.2.10,2001:db8::10",
      nodeList: "worker-2"
    },
    {
      status: {
        state: "success",
        message: "192.0.2.10 is served by worker-2",
        addresses: [
          {
            address: "192.0.2.10",
            node: "worker-2",
            holdId: "3.k7f2",
            epoch: 7,
            interface: "pl0",
            phase: "Serving",
            since: "2026-11-24T15:00:00Z"
          },
          { address: "192.0.2.10", node: "worker-1", holdId: "2.x1", epoch: 6, phase: "Released" }
        ],
        conditions: [
          {
            type: "Ready",
            status: "True",
            reason: "Serving",
            message: "",
            lastTransitionTime: "2026-11-24T15:00:00Z",
            observedGeneration: 2
          }
        ]
      }
    }
  )
]

const edges: ReadonlyArray<Manifest> = [
  manifest("a pool of one address and nothing else", "PersistentIPPool", { addresses: ["192.0.2.10"] }),
  manifest("the whole of a /32 and of a /128", "PersistentIPPool", { addresses: ["192.0.2.1/32", "2001:db8::1/128"] }),
  manifest("a range of one address", "PersistentIPPool", { addresses: ["192.0.2.9-192.0.2.9"] }),
  manifest("a range whose last octets fall but which rises", "PersistentIPPool", { addresses: ["9.0.0.255-10.0.0.1"] }),
  manifest("an address that begins like a link-local one", "PersistentIPPool", { addresses: ["fe8::1", "169.25.4.1"] }),
  manifest("1,024 addresses", "PersistentIPPool", {
    addresses: Array.from({ length: 1024 }, (_, index) => `10.1.${Math.floor(index / 256)}.${index % 256}`)
  }),
  manifest("an interface name of 15 characters", "PersistentIPPool", {
    addresses: ["192.0.2.10"],
    options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "enp129s0f1np1.4" } }
  }),
  manifest("an uplink that is cleaned of ours only", "PersistentIPPool", {
    addresses: ["192.0.2.10"],
    options: {
      hostNetworkInterface: {
        addAddressesToInterface: true,
        interfaceName: "eth0",
        mode: "uplink",
        startupCleaning: "ours"
      }
    }
  })
]

export const goodManifests: ReadonlyArray<Manifest> = [...v04, ...everyField, ...edges]
