/** How a pool reaches the cloud in which its addresses live. */
import { Schema } from "effect"
import { dnsSubdomain, field } from "./Admission.ts"

const group = "[0-9a-f]{1,4}"

const SecretKeyReference = Schema.Struct({
  name: Schema.String.annotate(
    field({
      description: "Name of the Secret.",
      bounds: { maxLength: 253 },
      rules: [
        {
          rule: `self.matches('${dnsSubdomain}')`,
          message: "write the name of a Secret in the namespace of the controller, such as hcloud"
        }
      ]
    })
  ),
  key: Schema.optionalKey(
    Schema.String.annotate(
      field({
        description: "Key of the token within the Secret.",
        default: "token",
        bounds: { maxLength: 253 },
        rules: [
          { rule: "self.matches('^[-._a-zA-Z0-9]+$')", message: "write a key of the Secret's data, such as token" }
        ]
      })
    )
  )
}).annotate(
  field({
    description: "A Secret in the controller's own namespace (no other is ever read) that holds the API token.",
    since: "1.0",
    atomicStruct: true
  })
)

export const HetznerIntegration = Schema.Struct({
  token: Schema.optionalKey(
    Schema.String.annotate(
      field({
        description:
          "API token of the Hetzner project, readable by whoever may read pools: prefer tokenSecretRef. A pool that " +
          "uses it says so in its condition CredentialsValid and in an event.",
        bounds: { maxLength: 512 },
        rules: [
          { rule: "self != ''", message: "the token is empty: write tokenSecretRef with the name of a Secret instead" }
        ]
      })
    )
  ),
  tokenSecretRef: Schema.optionalKey(SecretKeyReference),
  localityPolicy: Schema.optionalKey(
    Schema.Literals(["preferred", "sameZone", "sameLocation"]).annotate(
      field({
        description:
          "Whether an address may be held by a server outside its home location, or outside its network zone.",
        absent: "preferred",
        since: "1.0"
      })
    )
  ),
  ipv6Suffix: Schema.optionalKey(
    Schema.String.annotate(
      field({
        description: "Host part of the address that is used within a floating IPv6 /64.",
        absent: "::1",
        since: "1.0",
        bounds: { maxLength: 39 },
        rules: [
          {
            rule: `self.matches('^::${group}(:${group}){0,3}$')`,
            message: "write two colons and one to four groups of lower-case hex digits, such as ::1"
          }
        ]
      })
    )
  ),
  nodeGracePeriod: Schema.optionalKey(
    Schema.String.annotate(
      field({
        description:
          "How long a Node must be NotReady before its addresses are routed elsewhere. Only for pools that add no " +
          "addresses to an interface: the others have leases, which are quicker.",
        absent: "40s",
        since: "1.0",
        bounds: { maxLength: 16 },
        rules: [
          {
            rule: "self.matches('^[1-9][0-9]*(s|m|h)([0-9]+(s|m))?([0-9]+s)?$')",
            message: "write a duration with its unit, such as 40s or 1m30s"
          }
        ]
      })
    )
  ),
  handover: Schema.optionalKey(
    Schema.Literals(["direct", "unassignFirst"]).annotate(
      field({
        description: "How a floating IP moves from server to server: by one assignment, or unassigned in between.",
        absent: "direct",
        since: "1.0"
      })
    )
  )
}).annotate(
  field({
    description: "Hetzner Cloud: addresses are floating IPs of the project that the token belongs to.",
    rules: [
      {
        rule: "has(self.token) != has(self.tokenSecretRef)",
        message:
          "write exactly one of token and tokenSecretRef; tokenSecretRef names a Secret and keeps the token out of the pool"
      }
    ]
  })
)
export type HetznerIntegration = typeof HetznerIntegration.Type

export const CloudIntegration = Schema.Struct({ hetzner: Schema.optionalKey(HetznerIntegration) })
export type CloudIntegration = typeof CloudIntegration.Type
