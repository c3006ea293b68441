/** What both kinds of pool have in common: who may use them, where their addresses go, and how they are held. */
import { Schema } from "effect"
import { defaultPriority } from "../domain/Pool.ts"
import { dnsLabel, field } from "./Admission.ts"
import { CloudIntegration } from "./CloudIntegration.ts"
import { selector } from "./LabelSelector.ts"

const interfaceNameRules = [
  {
    rule: "self == '' || self.matches('^[^/:\\\\s]+$') && !(self in ['.', '..'])",
    message: "write the name of a network interface, such as pl0: no blank, no slash, no colon"
  },
  {
    rule: "!self.matches('[*?\"]')",
    message: "write the name of one interface as `ip link` shows it: a pattern such as eth* is not known"
  },
  {
    rule: "size(self) <= 15",
    message:
      "Linux allows 15 characters in the name of an interface: write a shorter one (10 or fewer leave room for our label)"
  }
]

export const HostNetworkInterface = Schema.Struct({
  addAddressesToInterface: Schema.Boolean.annotate(
    field({
      description:
        "Whether operators put the pool's addresses on interfaceName of the node that holds them. With false, somebody " +
        "else must bring the traffic to the node; a pool without cloud then only accounts for its addresses."
    })
  ),
  interfaceName: Schema.optionalKey(
    Schema.String.annotate(
      field({
        description:
          "Interface of every node that the addresses are put on, best an empty bridge made for this, such as pl0. " +
          "In bridge mode every other address on it is removed when an operator starts.",
        bounds: { maxLength: 253 },
        rules: interfaceNameRules
      })
    )
  ),
  mode: Schema.optionalKey(
    Schema.Literals(["auto", "bridge", "uplink"]).annotate(
      field({
        description:
          "bridge: interfaceName is an interface of its own, answered for by the uplink (IPv4 only). uplink: " +
          "interfaceName is the interface that faces the network. auto: chosen on each node by what interfaceName is.",
        since: "1.0",
        default: "auto"
      })
    )
  ),
  uplinks: Schema.optionalKey(
    Schema.Array(
      Schema.String.annotate(
        field({
          description: "Name of an interface.",
          bounds: { minLength: 1, maxLength: 253 },
          rules: interfaceNameRules
        })
      )
    ).annotate(
      field({
        description: "Interfaces on which addresses are announced and fenced.",
        absent: "the interfaces of the node's default routes",
        since: "1.0",
        listType: "set",
        bounds: { maxItems: 16 },
        rules: [
          {
            rule: "size(self) > 0",
            message: "the list is empty: write the interfaces that face the network, or leave uplinks out"
          }
        ]
      })
    )
  ),
  startupCleaning: Schema.optionalKey(
    Schema.Literals(["all", "ours"]).annotate(
      field({
        description:
          "What an operator removes from interfaceName when it starts: all addresses that it need not hold, or only " +
          "those that carry our label. In uplink mode never more than ours.",
        absent: "all in bridge mode, as in v0.4; ours in uplink mode",
        since: "1.0"
      })
    )
  ),
  flushConntrack: Schema.optionalKey(
    Schema.Boolean.annotate(
      field({
        description:
          "Forget the tracked UDP flows of an address when it arrives on a node or leaves it, so that clients with a " +
          "fixed port are served at once.",
        absent: "true",
        since: "1.0"
      })
    )
  ),
  addressConflictDetection: Schema.optionalKey(
    Schema.Boolean.annotate(
      field({
        description:
          "Before an address is used for the first time, ask its uplinks (ARP, RFC 5227; neighbour discovery) whether a " +
          "machine has it that is no node. false where a router answers for every address (local proxy ARP).",
        absent: "true",
        since: "1.0"
      })
    )
  )
}).annotate(
  field({
    description: "The interface that holds the addresses on each node.",
    rules: [
      {
        rule: "!self.addAddressesToInterface || has(self.interfaceName) && self.interfaceName != ''",
        message: "interfaceName is missing: name the interface that addresses are added to, such as pl0"
      },
      {
        rule: "!(has(self.mode) && self.mode == 'uplink' && has(self.startupCleaning) && self.startupCleaning == 'all')",
        message:
          "an uplink carries the node's own addresses, which startupCleaning all would remove: write ours, or leave it out"
      }
    ]
  })
)
export type HostNetworkInterface = typeof HostNetworkInterface.Type

export const PoolOptions = Schema.Struct({
  hostNetworkInterface: Schema.optionalKey(HostNetworkInterface),
  onControlPlaneLoss: Schema.optionalKey(
    Schema.Literals(["auto", "keep", "release"]).annotate(
      field({
        description:
          "What a node does with the addresses on its interface while it cannot reach the API server. auto: keep them as " +
          "long as a majority of its voters cannot reach it either. keep: always; only with a cloud, whose routing is " +
          "exclusive. release: let go when its lease ends, whatever the voters say.",
        absent: "auto; keep for pools with a cloud",
        since: "1.0"
      })
    )
  ),
  drainOnCordon: Schema.optionalKey(
    Schema.Boolean.annotate(
      field({
        description: "Move the addresses away from a node that is cordoned. Otherwise a cordon only bars new ones.",
        absent: "false",
        since: "1.0"
      })
    )
  )
}).annotate(field({ description: "How addresses are held on the nodes." }))
export type PoolOptions = typeof PoolOptions.Type

/** Fields of the spec of both kinds. */
export const poolFields = {
  allowedNamespaces: Schema.optionalKey(
    Schema.Array(
      Schema.String.annotate(
        field({
          description: "Name of a namespace.",
          bounds: { maxLength: 253 },
          rules: [
            {
              rule: `size(self) <= 63 && self.matches('${dnsLabel}')`,
              message: "write the name of one namespace, such as project1; leave the list out to allow every namespace"
            }
          ]
        })
      )
    ).annotate(
      field({
        description: "Namespaces whose Services may have an address of this pool. Empty or absent: every namespace.",
        listType: "atomic",
        bounds: { maxItems: 1024 }
      })
    )
  ),
  allowedNamespaceSelector: selector(
    "Namespaces by label. With allowedNamespaces, a namespace need satisfy only one of the two."
  ),
  serviceSelector: selector("Services by label; a Service that does not match gets no address of this pool."),
  priority: Schema.optionalKey(
    Schema.Int.annotate(
      field({
        description: "Among pools that may serve a Service the lowest comes first, and of equals the first by name.",
        since: "1.0",
        default: defaultPriority,
        bounds: { minimum: 0, maximum: 1_000_000 }
      })
    )
  ),
  disabled: Schema.optionalKey(
    Schema.Boolean.annotate(
      field({ description: "Grant no new address. What is granted stays.", since: "1.0", default: false })
    )
  ),
  nodeSelector: selector("Nodes that may hold addresses of this pool, by label."),
  options: Schema.optionalKey(PoolOptions)
}

const integrated = CloudIntegration.annotate(
  field({
    description: "The cloud in which the addresses live. Absent: bare metal.",
    rules: [
      {
        rule: "has(self.hetzner)",
        message: "name the cloud: hetzner is the one that is supported; for bare metal leave cloudIntegration out"
      }
    ]
  })
)
export const requiredCloud = integrated
export const optionalCloud = Schema.optionalKey(integrated)
