/** A pool changes who may use it, where it is held and what comes first, while its addresses are granted. */
import { Effect } from "effect"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { editPool } from "../Objects.ts"

const policies = [
  { allowedNamespaces: ["web"] },
  { serviceSelector: { matchLabels: { tier: "front" } } },
  { nodeSelector: { matchLabels: { "kubernetes.io/hostname": "node-1" } } },
  { disabled: true },
  { autoAssign: false },
  { avoidBuggyIPs: true },
  { options: { drainOnCordon: true } }
]
const asBefore = {
  allowedNamespaces: null,
  serviceSelector: null,
  nodeSelector: null,
  disabled: false,
  autoAssign: true,
  avoidBuggyIPs: false,
  options: { drainOnCordon: null }
}

export const poolPolicy: Fault = {
  name: "pool-policy",
  title: "the policy of a pool changes while its addresses are granted",
  run: (world, random) =>
    every(
      random,
      10_000,
      40_000,
      Effect.suspend(() =>
        brokenBy(
          world,
          "pool-policy",
          random.between(100, 20_000),
          editPool(world, random.pick(policies) ?? {}),
          editPool(world, asBefore)
        )
      )
    )
}
