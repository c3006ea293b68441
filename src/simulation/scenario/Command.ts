/** What a command of a scenario is, and the objects that several of them write. */
import * as Users from "../Users.ts"
import type { World } from "../world/World.ts"
import type { Act } from "./Stage.ts"

export interface Command {
  readonly form: RegExp
  /** It breaks something: a mutant may be found by it. */
  readonly isFault: boolean
  readonly act: (world: World, operands: ReadonlyArray<string>) => Act
}

export const refOf = (key: string) => {
  const [namespace = "", name = ""] = key.split("/")
  return { namespace, name }
}

export const optionsOf = (written: string | undefined) => {
  const onControlPlaneLoss = losses.find((each) => each === written)
  const { options } = Users.pool("", {}).spec
  return { options: { ...options, ...(onControlPlaneLoss && { onControlPlaneLoss }) } }
}
const losses = ["auto", "keep", "release"] as const

/** `namespaces=shop,web`, or nothing. */
export const poolSpec = (addresses: string, allowed: string | undefined) => ({
  addresses: addresses.split(","),
  ...(allowed === undefined ? {} : { allowedNamespaces: allowed.split(",") })
})

export const serviceOf = (key: string, addresses: string | undefined) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: refOf(key),
  spec: {
    type: "LoadBalancer",
    ports: [{ port: 80 }],
    ...(addresses === undefined ? {} : { externalIPs: addresses.split(",") })
  }
})
