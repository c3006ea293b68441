/** Pools of a cloud, what people do in its console, and what goes wrong there. */
import { Effect } from "effect"
import { ephemeralIPPools } from "../../api/EphemeralIPPool.ts"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { services } from "../../api/Service.ts"
import { isPurchase } from "../CloudRequestTrouble.ts"
import * as Users from "../Users.ts"
import { nameOfCloudRequest } from "../world/CloudSite.ts"
import { type Command, optionsOf, poolSpec, refOf } from "./Command.ts"
import { allocationOf, waitUntil } from "./Stage.ts"

export const clouds: ReadonlyArray<Command> = [
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
