/** People who create, edit and delete: what goes on in a cluster on an ordinary day, some of it foolish. */
import { Effect } from "effect"
import { type EphemeralIPPool, ephemeralIPPools } from "../api/EphemeralIPPool.ts"
import { namespaces } from "../api/Namespace.ts"
import { type PersistentIPPoolSpec, persistentIPPools } from "../api/PersistentIPPool.ts"
import { type Service, services } from "../api/Service.ts"
import { every } from "./Fault.ts"
import type { Prng } from "./kernel/Prng.ts"
import type { World } from "./world/World.ts"

const shops = ["shop", "web", "lab"]
const places = [...shops, "cloud"]

const pool = (name: string, spec: Partial<PersistentIPPoolSpec>) => ({
  apiVersion: "loadbalancing.plenus.io/v1alpha1",
  kind: "PersistentIPPool",
  metadata: { name },
  spec: {
    addresses: [],
    autoAssign: true,
    options: {
      hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" as const }
    },
    ...spec
  }
})

/** A token of the cloud, where v0.4's users had to write it. */
const token = "hcloud-2f9d41c07b"
export const badPool = "typo"

const typo = pool(badPool, {
  addresses: ["126.255.255.250-128.0.0.5", "203.0.113.200-203.0.113.209"],
  autoAssign: false
})
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

/** Asks for any address. */
export const lastService = (name: string): Service => inShop(name)

/** What stands in every cluster: mistakes, and Services of others. */
const oddities: ReadonlyArray<Service> = [
  inShop("malformed", { annotations: { "loadbalancing.plenus.io/addresses": "192.0.2.300" } }),
  inShop("of-bad-pool", { annotations: { "loadbalancing.plenus.io/addresses": "203.0.113.205" } }),
  inShop("foreign", { spec: { loadBalancerClass: "example.com/other" } }),
  { ...inShop("bought"), metadata: { name: "bought", namespace: "cloud" } }
]

/** Pools and namespaces that stay as they are; more addresses than Services. */
export const settle = Effect.fnUntraced(function* ({ kubectl, truth }: World) {
  truth.secrets.push(token)
  for (const name of places) {
    yield* kubectl.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } })
  }
  yield* kubectl.create(persistentIPPools, pool("rack-1", { addresses: ["192.0.2.10-192.0.2.100", "2001:db8::/120"] }))
  yield* kubectl.create(persistentIPPools, pool("lab", { addresses: ["198.51.100.0/29"], allowedNamespaces: ["lab"] }))
  yield* kubectl.create(persistentIPPools, typo)
  yield* kubectl.create(ephemeralIPPools, cloud)
  for (const service of oddities) yield* kubectl.create(services, service)
})

const newService = (random: Prng, index: number): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: `web-${index}`, namespace: random.pick(shops) ?? "shop" },
  spec: {
    type: "LoadBalancer",
    ports: [{ port: 80 }],
    // Sometimes an address that exists, sometimes one that another has, sometimes none of any pool.
    ...(random.chance(0.2) ? { externalIPs: [`192.0.2.${random.between(5, 40)}`] } : {})
  }
})

/** Keeps about so many Services alive, of which one comes or goes every few seconds. */
export const work = (world: World, random: Prng, servicesCount: number): Effect.Effect<never> => {
  const alive = new Set<string>()
  let created = 0
  const create = Effect.suspend(() => {
    const service = newService(random, created++)
    alive.add(`${service.metadata.namespace}/${service.metadata.name}`)
    return world.kubectl.create(services, service)
  })
  const remove = Effect.suspend(() => {
    const key = random.pick([...alive]) ?? ""
    alive.delete(key)
    const [namespace = "", name = ""] = key.split("/")
    return world.kubectl.delete(services, { namespace, name })
  })
  const change = Effect.suspend(() =>
    alive.size > 0 && random.chance(alive.size / servicesCount / 2) ? remove : create
  )
  return Effect.repeat(create, { times: Math.floor(servicesCount / 2) }).pipe(
    Effect.orDie,
    Effect.andThen(every(random, 500, 8_000, Effect.orDie(change)))
  )
}
