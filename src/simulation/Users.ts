/** People who create, edit and delete: what goes on in a cluster on an ordinary day, some of it foolish. */
import { Effect } from "effect"
import { namespaces } from "../api/Namespace.ts"
import { type EphemeralIPPoolSpec, ephemeralIPPools } from "../api/EphemeralIPPool.ts"
import { type PersistentIPPoolSpec, persistentIPPools } from "../api/PersistentIPPool.ts"
import { type Service, services } from "../api/Service.ts"
import { every } from "./Fault.ts"
import type { Prng } from "./kernel/Prng.ts"
import { token } from "./world/CloudSite.ts"
import { otherToken } from "./world/OtherProject.ts"
import type { World } from "./world/World.ts"

export const shops = ["shop", "web", "lab"]
/** Its Services have addresses of the cloud. */
export const cloudShop = "edge"

/** A pool as these users write it. */
export const pool = (name: string, spec: Partial<PersistentIPPoolSpec>) => ({
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

/** Of all Services, those in the cloud. */
const cloudShare = 0.15

export const cloudIntegrationOf = (secret: string) => ({ hetzner: { token: secret } })
export const cloudIntegration = cloudIntegrationOf(token)

/** Their names. */
export const cloudPools = { buyer: "buyer", own: "own" } as const

/** One that buys, in the shape that v0.4 knew: the token in the pool. */
export const buyingPool = (name: string, spec: Partial<EphemeralIPPoolSpec> = {}) => {
  const { options } = pool(name, {}).spec
  return {
    apiVersion: "loadbalancing.plenus.io/v1alpha1",
    kind: "EphemeralIPPool",
    metadata: { name },
    spec: { cloudIntegration, options, ...spec }
  }
}

const withLoss = (onControlPlaneLoss: "auto" | "release") => ({
  options: { ...pool("", {}).spec.options, onControlPlaneLoss }
})

/** More addresses than Services. */
export const pools = [
  pool("rack-1", { addresses: ["192.0.2.10-192.0.2.100", "2001:db8::/120"] }),
  pool("lab", { addresses: ["198.51.100.0/29"], allowedNamespaces: ["lab"], ...withLoss("release") })
]

export const settle = Effect.fnUntraced(function* (world: World) {
  const { kubectl } = world
  for (const name of shops) {
    yield* kubectl.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } })
  }
  for (const each of pools) yield* kubectl.create(persistentIPPools, each)
  yield* settleCloud(world)
})

/** How many floating IPs the users have bought themselves. */
const ownCount = 2

const settleCloud = Effect.fnUntraced(function* ({ cloud, kubectl, truth }: World) {
  const addresses = Array.from({ length: ownCount }, (_, index) => {
    const { ip } = cloud.project.console.addFloatingIp({ type: "ipv4", name: `own-${index}`, labels: { team: "web" } })
    return ip
  })
  cloud.onChange("console")
  truth.secrets.push(token, otherToken)
  yield* kubectl.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: cloudShop } })
  yield* kubectl.create(
    ephemeralIPPools,
    buyingPool(cloudPools.buyer, { allowedNamespaces: [cloudShop], maxAddresses: 5 })
  )
  // What the other one buys is kept on nodes without a lease.
  const own = { addresses, autoAssign: false, allowedNamespaces: [cloudShop], cloudIntegration, ...withLoss("auto") }
  yield* kubectl.create(persistentIPPools, pool(cloudPools.own, own))
})

/** Bought for it, or one that its users have bought; both may have it at once, and one of them waits. */
const inCloudShop = (random: Prng, index: number): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: `edge-${index}`, namespace: cloudShop },
  spec: {
    type: "LoadBalancer",
    ports: [{ port: 80 }],
    ...(random.chance(0.3) ? { externalIPs: [`198.18.0.${random.between(1, ownCount)}`] } : {})
  }
})

const newService = (random: Prng, index: number): Service =>
  random.chance(cloudShare) ? inCloudShop(random, index) : inShop(random, index)

const inShop = (random: Prng, index: number): Service => ({
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
  // What a fault has taken away (a namespace, a Service) is refused, and the user goes on.
  return Effect.repeat(Effect.ignore(create), { times: Math.floor(servicesCount / 2) }).pipe(
    Effect.andThen(every(random, 500, 8_000, Effect.ignore(change)))
  )
}
