/**
 * Which fields of a pool's spec this version acts on. A field that is set and not acted on makes the pool `Degraded`
 * with reason `FieldNotYetHonoured`: nothing is ever ignored in silence. A unit test compares both lists with the
 * Schemas, so a field that is added must be put into one of them.
 *
 * A path covers what lies beneath it. A value equal to the default that the CRD fills in counts as not set.
 */
import type { EphemeralIPPool } from "./EphemeralIPPool.ts"
import type { PersistentIPPool } from "./PersistentIPPool.ts"

/** `only`: acted on for these values. */
export interface Support {
  readonly path: string
  readonly only?: ReadonlyArray<unknown>
}

export const honoured: ReadonlyArray<Support> = [
  { path: "addresses" },
  { path: "allowedNamespaces" },
  { path: "allowedNamespaceSelector" },
  { path: "serviceSelector" },
  { path: "priority" },
  { path: "autoAssign" },
  { path: "avoidBuggyIPs" },
  { path: "disabled" },
  { path: "nodeSelector" },
  { path: "maxAddresses" },
  { path: "homeLocation" },
  { path: "cloudIntegration.hetzner.token" },
  { path: "cloudIntegration.hetzner.tokenSecretRef" },
  { path: "cloudIntegration.hetzner.localityPolicy" },
  { path: "cloudIntegration.hetzner.ipv6Suffix" },
  { path: "cloudIntegration.hetzner.nodeGracePeriod" },
  { path: "cloudIntegration.hetzner.handover" },
  { path: "options.drainOnCordon" },
  { path: "options.hostNetworkInterface.addAddressesToInterface" },
  { path: "options.hostNetworkInterface.addressConflictDetection" },
  { path: "options.hostNetworkInterface.flushConntrack" },
  { path: "options.hostNetworkInterface.interfaceName" },
  { path: "options.hostNetworkInterface.mode", only: ["auto", "bridge"] },
  { path: "options.hostNetworkInterface.startupCleaning" },
  { path: "options.hostNetworkInterface.uplinks" },
  { path: "options.onControlPlaneLoss" }
]

export const notYetHonoured: ReadonlyArray<string> = []

/** Refused by a rule of the CRD; where an older CRD let it in, `ControlPlaneLoss.lossOf` does not obey it. */
const neverHonoured = ({ spec: { cloudIntegration, options } }: PersistentIPPool | EphemeralIPPool) =>
  options?.onControlPlaneLoss === "keep" && cloudIntegration === undefined ? ["options.onControlPlaneLoss: keep"] : []

const support = new Map(honoured.map((entry) => [entry.path, entry]))

/** Paths as the user writes them, such as `spec.options.drainOnCordon`; a refused value is named behind its path. */
export const fieldsNotHonoured = (pool: PersistentIPPool | EphemeralIPPool): ReadonlyArray<string> =>
  [...unsupported(pool.spec, ""), ...neverHonoured(pool)].map((path) => `spec.${path}`)

const unsupported = (value: object, prefix: string): ReadonlyArray<string> =>
  Object.entries(value).flatMap(([key, inner]: readonly [string, unknown]) => {
    const path = `${prefix}${key}`
    const found = support.get(path)
    if (found !== undefined) {
      return found.only === undefined || found.only.includes(inner) ? [] : [`${path}: ${String(inner)}`]
    }
    if (notYetHonoured.includes(path)) return inner === undefined ? [] : [path]
    return typeof inner === "object" && inner !== null ? unsupported(inner, `${path}.`) : []
  })
