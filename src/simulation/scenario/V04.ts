/** What PlenusLB v0.4 has left: objects without holders, owners and finalizers, and addresses on interfaces. */
import { Effect, Result } from "effect"
import { type IPAllocation, ipAllocations } from "../../api/IPAllocation.ts"
import { type Service, services } from "../../api/Service.ts"
import * as Address from "../../domain/Address.ts"
import { hostPrefixLength } from "../../domain/HostAddress.ts"
import type { Host } from "../world/Host.ts"
import type { World } from "../world/World.ts"
import { hostNamed } from "./Stage.ts"

const interfaceName = "pl0"

const parse = (text: string): Address.Address => Result.getOrThrow(Address.parse(text))

/** As `ip address delete` of somebody who is logged in. */
export const removeByHand = (host: Host, address: string): void =>
  host.meddle("by hand", (network) => network.foreignDelete(interfaceName, parse(address)))

export interface Left {
  readonly namespace: string
  readonly name: string
  readonly address: string
  readonly pool: string
  readonly node: string
}

const allocationOf = ({ address, name, namespace, node, pool }: Left): IPAllocation => ({
  apiVersion: "loadbalancing.plenus.io/v1alpha1",
  kind: "IPAllocation",
  metadata: { name, namespace, labels: { "app.kubernetes.io/managed-by": "plenuslb" } },
  spec: { type: "persistent", allocations: [{ address, pool, nodeName: node, networkInterface: interfaceName }] }
})

export const leave = Effect.fnUntraced(function* (world: World, left: Left, service: Service) {
  const { kubectl } = world
  const address = parse(left.address)
  const host = yield* hostNamed(world, left.node)
  yield* kubectl.create(services, service)
  yield* kubectl.create(ipAllocations, allocationOf(left))
  const ref = { namespace: left.namespace, name: left.name }
  const status = { state: "success", message: "Allocated" }
  yield* kubectl.patch(ipAllocations, ref, { status }, { subresource: "status" })
  host.meddle("v0.4", (network) =>
    network.foreignAdd(interfaceName, {
      address,
      prefixLength: hostPrefixLength(address),
      scope: "link",
      label: `${interfaceName}:pllb`
    })
  )
})
