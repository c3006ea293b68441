/** What stands in every cluster beside the rest: mistakes, what others made, and a secret. It must hurt nobody. */
import { Effect } from "effect"
import { type EphemeralIPPool, ephemeralIPPools } from "../api/EphemeralIPPool.ts"
import { namespaces } from "../api/Namespace.ts"
import { type PersistentIPPool, persistentIPPools } from "../api/PersistentIPPool.ts"
import { type Service, services } from "../api/Service.ts"
import { shops } from "./Users.ts"
import type { World } from "./world/World.ts"

/** A token of the cloud, where v0.4's users had to write it. */
const token = "hcloud-2f9d41c07b"
export const badPool = "typo"

const typo: PersistentIPPool = {
  apiVersion: "loadbalancing.plenus.io/v1alpha1",
  kind: "PersistentIPPool",
  metadata: { name: badPool },
  spec: {
    // The API server reads the ends only.
    addresses: ["126.255.255.250-128.0.0.5", "203.0.113.200-203.0.113.209"],
    options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" } }
  }
}
/** Nobody has an address in a cloud yet; the pool must hurt nobody else. */
const cloud: EphemeralIPPool = {
  apiVersion: "loadbalancing.plenus.io/v1alpha1",
  kind: "EphemeralIPPool",
  metadata: { name: "cloud" },
  spec: { allowedNamespaces: ["cloud"], cloudIntegration: { hetzner: { token } } }
}

const inShop = (
  name: string,
  parts: { readonly annotations?: Service["metadata"]["annotations"]; readonly spec?: Partial<Service["spec"]> } = {}
): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "shop", ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }) },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...parts.spec }
})

/** Asks for any address, in a namespace that nobody deleted. */
export const lastService = ({ truth }: World, name: string): Service => {
  const isActive = (namespace: string) => truth.namespaces.get(namespace)?.status?.phase === "Active"
  const namespace = shops.find(isActive) ?? "default"
  return { ...inShop(name), metadata: { name, namespace } }
}

const wishes: ReadonlyArray<Service> = [
  inShop("malformed", { annotations: { "loadbalancing.plenus.io/addresses": "192.0.2.300" } }),
  inShop("of-bad-pool", { annotations: { "loadbalancing.plenus.io/addresses": "203.0.113.205" } }),
  inShop("foreign", { spec: { loadBalancerClass: "example.com/other" } }),
  { ...inShop("bought"), metadata: { name: "bought", namespace: "cloud" } }
]

export const place = Effect.fnUntraced(function* ({ kubectl, truth }: World) {
  truth.secrets.push(token)
  yield* kubectl.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "cloud" } })
  yield* kubectl.create(persistentIPPools, typo)
  yield* kubectl.create(ephemeralIPPools, cloud)
  for (const service of wishes) yield* kubectl.create(services, service)
})
