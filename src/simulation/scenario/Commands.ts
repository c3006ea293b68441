/**
 * The commands of scenarios. NODE is a name or `holder of shop/web`; PROCESS is `leader`, `controller-2` or `operator on
 * NODE`; ADDRESSES are as a pool lists them, apart by commas.
 */
import { Effect, Result } from "effect"
import { namespaces } from "../../api/Namespace.ts"
import { nodes } from "../../api/Node.ts"
import { ephemeralIPPools } from "../../api/EphemeralIPPool.ts"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { services } from "../../api/Service.ts"
import * as Address from "../../domain/Address.ts"
import { serviceAnnotations } from "../../domain/Annotations.ts"
import { excludeLabel } from "../../invariants/Hosts.ts"
import { isPurchase } from "../CloudRequestTrouble.ts"
import * as Users from "../Users.ts"
import { nameOfCloudRequest } from "../world/CloudSite.ts"
import type { World } from "../world/World.ts"
import { type Act, allocationOf, hostNamed, isGone, isReady, isServed, postNamed, waitUntil } from "./Stage.ts"
import * as V04 from "./V04.ts"

export interface Command {
  readonly form: RegExp
  /** It breaks something: a mutant may be found by it. */
  readonly isFault: boolean
  readonly act: (world: World, operands: ReadonlyArray<string>) => Act
}

const apiCut = "cut from the API server"

const refOf = (key: string) => {
  const [namespace = "", name = ""] = key.split("/")
  return { namespace, name }
}

const optionsOf = (written: string | undefined) => {
  const onControlPlaneLoss = losses.find((each) => each === written)
  const { options } = Users.pool("", {}).spec
  return { options: { ...options, ...(onControlPlaneLoss && { onControlPlaneLoss }) } }
}
const losses = ["auto", "keep", "release"] as const

/** `namespaces=shop,web`, or nothing. */
const poolSpec = (addresses: string, allowed: string | undefined) => ({
  addresses: addresses.split(","),
  ...(allowed === undefined ? {} : { allowedNamespaces: allowed.split(",") })
})

const serviceOf = (key: string, addresses: string | undefined) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: refOf(key),
  spec: {
    type: "LoadBalancer",
    ports: [{ port: 80 }],
    ...(addresses === undefined ? {} : { externalIPs: addresses.split(",") })
  }
})

const setCut = (world: World, client: string, isCut: boolean): void => {
  const host = world.operators.find((post) => post.client === client)?.host
  if (isCut) world.links.sever(client)
  else world.links.heal(client)
  if (host === undefined) return
  if (isCut) world.truth.impair(host.name, apiCut)
  else world.truth.relieve(host.name, apiCut)
}

const stepMax = 5

const users: ReadonlyArray<Command> = [
  {
    form: /^namespace (\S+)$/,
    isFault: false,
    act: ({ kubectl }, [name = ""]) =>
      kubectl.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } })
  },
  {
    form: /^pool (\S+) (\S+)(?: namespaces=(\S+))?(?: loss=(auto|release))?$/,
    isFault: false,
    act: ({ kubectl }, [name = "", addresses = "", allowed, loss]) =>
      kubectl.create(persistentIPPools, Users.pool(name, { ...poolSpec(addresses, allowed), ...optionsOf(loss) }))
  },
  {
    form: /^edit pool (\S+) (\S+)(?: namespaces=(\S+))?$/,
    isFault: false,
    act: ({ kubectl }, [name = "", addresses = "", allowed]) =>
      kubectl.patch(persistentIPPools, { name }, { spec: poolSpec(addresses, allowed) })
  },
  {
    form: /^delete pool (\S+)$/,
    isFault: false,
    act: ({ kubectl }, [name = ""]) => kubectl.delete(persistentIPPools, { name })
  },
  {
    form: /^service (\S+)(?: (\d\S+))?(?: pool=(\S+))?(?: prefers=(\S+))?$/,
    isFault: false,
    act: ({ kubectl }, [key = "", addresses, pool, node]) => {
      const { metadata, ...service } = serviceOf(key, addresses)
      const annotations = {
        ...(pool === undefined ? {} : { [serviceAnnotations.pool]: pool }),
        ...(node === undefined ? {} : { [serviceAnnotations.preferredNode]: node })
      }
      const annotated = Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations }
      return kubectl.create(services, { ...service, metadata: annotated })
    }
  },
  {
    form: /^edit service (\S+) (\S+)$/,
    isFault: false,
    act: ({ kubectl }, [key = "", addresses = ""]) =>
      kubectl.patch(services, refOf(key), { spec: { externalIPs: addresses.split(",") } })
  },
  {
    form: /^delete service (\S+)$/,
    isFault: false,
    act: ({ kubectl }, [key = ""]) => kubectl.delete(services, refOf(key))
  },
  {
    form: /^delete namespace (\S+)$/,
    isFault: false,
    act: ({ kubectl }, [name = ""]) => kubectl.delete(namespaces, { name })
  },
  {
    form: /^exclude (.+)$/,
    isFault: false,
    act: (world, [operand = ""]) =>
      Effect.flatMap(hostNamed(world, operand), ({ name }) =>
        world.kubectl.patch(nodes, { name }, { metadata: { labels: { [excludeLabel]: "" } } })
      )
  },
  {
    form: /^include (\S+)$/,
    isFault: false,
    act: ({ kubectl }, [name = ""]) =>
      kubectl.patch(nodes, { name }, { metadata: { labels: { [excludeLabel]: null } } })
  }
]

const clouds: ReadonlyArray<Command> = [
  {
    form: /^cloud pool (\S+)(?: max=(\d+))?(?: loss=(auto|keep|release))?$/,
    isFault: false,
    act: ({ kubectl }, [name = "", max, loss]) => {
      const maxAddresses = max === undefined ? {} : { maxAddresses: Number(max) }
      return kubectl.create(ephemeralIPPools, Users.buyingPool(name, { ...maxAddresses, ...optionsOf(loss) }))
    }
  },
  {
    form: /^cloud pool (\S+) of (\S+)$/,
    isFault: false,
    act: ({ kubectl }, [name = "", addresses = ""]) =>
      kubectl.create(
        persistentIPPools,
        Users.pool(name, {
          ...poolSpec(addresses, undefined),
          autoAssign: false,
          cloudIntegration: Users.cloudIntegration
        })
      )
  },
  {
    form: /^user buys (ipv4|ipv6) (\S+)$/,
    isFault: false,
    act: ({ cloud }, [type = "", name = ""]) =>
      Effect.sync(() =>
        cloud.project.console.addFloatingIp({ type: type === "ipv6" ? "ipv6" : "ipv4", name, labels: { team: "web" } })
      )
  },
  {
    form: /^token of (\S+) is replaced, the old one revoked$/,
    isFault: false,
    act: ({ cloud, kubectl, truth }, [name = ""]) =>
      Effect.suspend(() => {
        const next = "token-after-the-first"
        truth.secrets.push(next)
        cloud.allow([next])
        return kubectl.patch(ephemeralIPPools, { name }, { spec: { cloudIntegration: Users.cloudIntegrationOf(next) } })
      })
  },
  {
    form: /^service (\S+) names nothing$/,
    isFault: false,
    act: ({ kubectl }, [key = ""]) => kubectl.patch(services, refOf(key), { spec: { externalIPs: null } })
  },
  {
    form: /^wait routed (\S+)$/,
    isFault: false,
    act: (world, [key = ""]) =>
      waitUntil(`${key} is routed to its holder`, () => {
        const claims = allocationOf(world, key)?.spec.allocations ?? []
        return (
          claims.length > 0 &&
          claims.every(({ address, nodeName }) =>
            world.truth.cloud.some(({ network, node }) => network === address && node === nodeName)
          )
        )
      })
  },
  {
    form: /^wait (bought|adopted) (\S+)$/,
    isFault: false,
    act: ({ truth }, [ownership = "", address = ""]) =>
      waitUntil(`${address} is ${ownership}`, () =>
        truth.cloud.some(
          ({ labels, network }) =>
            network === address && labels["ownership"] === (ownership === "bought" ? "created" : "adopted")
        )
      )
  }
]

const waits: ReadonlyArray<Command> = [
  {
    form: /^wait ready$/,
    isFault: false,
    act: (world) => waitUntil("a controller leads and every node is registered", () => isReady(world))
  },
  { form: /^advance (\d+)s$/, isFault: false, act: (_, [seconds = "0"]) => Effect.sleep(Number(seconds) * 1000) },
  {
    form: /^wait served (\S+)$/,
    isFault: false,
    act: (world, [key = ""]) => waitUntil(`${key} is served`, () => isServed(world, key))
  },
  {
    form: /^wait gone (\S+)$/,
    isFault: false,
    act: (world, [key = ""]) => waitUntil(`${key} is gone`, () => isGone(world, key))
  },
  {
    form: /^wait told (\S+) (\S+)$/,
    isFault: false,
    act: (world, [key = "", state = ""]) =>
      waitUntil(`${key} is told ${state}`, () => allocationOf(world, key)?.status?.state === state)
  },
  {
    form: /^wait step (\d) of (\S+)$/,
    isFault: false,
    // 1 granted, 2 on a node, 3 reported, 4 shown, 5 told: points at which something may be made to fail.
    act: (world, [step = "", key = ""]) =>
      waitUntil(`step ${step} of ${key}`, () => stepOf(world, key) >= Math.min(Number(step), stepMax))
  }
]

/** How far a Service has come on its way to being served. */
const stepOf = (world: World, key: string): number => {
  const allocation = allocationOf(world, key)
  const [first] = allocation?.spec.allocations ?? []
  if (allocation === undefined || first === undefined) return 0
  if (allocation.status?.state === "success") return 5
  if (isServed(world, key)) return 4
  if ((allocation.status?.addresses ?? []).some(({ phase }) => phase === "Serving")) return 3
  return (world.truth.holders.get(first.address)?.size ?? 0) > 0 ? 2 : 1
}

const faults: ReadonlyArray<Command> = [
  {
    form: /^power-off (.+)$/,
    isFault: true,
    act: (world, [operand = ""]) => Effect.map(hostNamed(world, operand), (host) => world.powerOff(host))
  },
  {
    form: /^power-on all$/,
    isFault: true,
    act: (world) =>
      Effect.sync(() => {
        for (const host of world.hosts) world.powerOn(host)
      })
  },
  {
    form: /^kill (.+)$/,
    isFault: true,
    act: (world, [operand = ""]) => Effect.map(postNamed(world, operand), (post) => post.kill())
  },
  {
    form: /^stop (.+)$/,
    isFault: true,
    act: (world, [operand = ""]) =>
      Effect.map(postNamed(world, operand), (post) => {
        post.mayRun = false
        post.kill()
      })
  },
  {
    form: /^start all$/,
    isFault: true,
    act: (world) =>
      Effect.sync(() => {
        for (const post of [...world.controllers, ...world.operators]) post.mayRun = true
      })
  },
  {
    form: /^pause (.+) for (\d+)s$/,
    isFault: true,
    act: (world, [operand = "", seconds = "0"]) =>
      Effect.flatMap(postNamed(world, operand), ({ process }) =>
        Effect.sync(() => process?.pause()).pipe(
          Effect.andThen(Effect.sleep(Number(seconds) * 1000)),
          Effect.andThen(Effect.sync(() => process?.resume()))
        )
      )
  },
  {
    form: /^cut everybody from the api$/,
    isFault: true,
    act: (world) =>
      Effect.sync(() => {
        for (const { client } of [...world.controllers, ...world.operators]) setCut(world, client, true)
      })
  },
  {
    form: /^cut (?!everybody)(.+) from the api$/,
    isFault: true,
    act: (world, [operand = ""]) => Effect.map(postNamed(world, operand), ({ client }) => setCut(world, client, true))
  },
  {
    form: /^heal all$/,
    isFault: true,
    act: (world) =>
      Effect.sync(() => {
        for (const { client } of [...world.controllers, ...world.operators])
          if (world.links.isCut(client)) setCut(world, client, false)
      })
  },
  {
    form: /^by hand remove (\S+) from (.+)$/,
    isFault: true,
    act: (world, [address = "", operand = ""]) =>
      Effect.map(hostNamed(world, operand), (host) => V04.removeByHand(host, address))
  },
  {
    form: /^a foreign machine takes (\S+)$/,
    isFault: true,
    act: ({ kernel, segment }, [text = ""]) =>
      Effect.sync(() => segment.foreign.set(addressOf(text), { mac: foreignMac, sinceMillis: kernel.nowMillis }))
  },
  {
    form: /^the foreign machine leaves (\S+)$/,
    isFault: true,
    act: ({ segment }, [text = ""]) => Effect.sync(() => segment.foreign.delete(addressOf(text)))
  },
  {
    form: /^the reply to the next purchase is lost$/,
    isFault: true,
    act: ({ cloud: { faults } }) =>
      Effect.sync(() => {
        faults.set("next purchase", (_, request) => {
          if (!isPurchase(request)) return undefined
          faults.delete("next purchase")
          return { fault: { loseReply: true } }
        })
      })
  },
  {
    form: /^user renames (\S+) to (\S+)$/,
    isFault: true,
    act: ({ cloud }, [address = "", name = ""]) =>
      Effect.sync(() => {
        const found = cloud.addresses().find(({ network }) => network === address)
        if (found !== undefined) cloud.project.console.change(Number(found.id), { name })
        cloud.onChange("console")
      })
  },
  {
    form: /^the cloud lists no servers any more$/,
    isFault: true,
    act: ({ cloud }) =>
      Effect.sync(() =>
        cloud.faults.set("lists of servers", (_, request) =>
          nameOfCloudRequest(request) === "GET /servers" ? { fault: { badGateway: "before" } } : undefined
        )
      )
  }
]

const foreignMac = "02:00:00:02:00:10"
const addressOf = (text: string): Address.Address => Result.getOrThrow(Address.parse(text))

const upgrade: ReadonlyArray<Command> = [
  {
    form: /^v0\.4 left (\S+) with (\S+) of (\S+) on (\S+)$/,
    isFault: false,
    act: (world, [key = "", address = "", pool = "", node = ""]) =>
      V04.leave(world, { ...refOf(key), address, pool, node }, serviceOf(key, address))
  }
]

export const commands: ReadonlyArray<Command> = [...users, ...clouds, ...waits, ...faults, ...upgrade]
