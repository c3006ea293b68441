/** What people do with `kubectl`. */
import { Effect } from "effect"
import { namespaces } from "../../api/Namespace.ts"
import { nodes } from "../../api/Node.ts"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { services } from "../../api/Service.ts"
import { serviceAnnotations } from "../../domain/Annotations.ts"
import { excludeLabel } from "../../invariants/Hosts.ts"
import * as Users from "../Users.ts"
import { type Command, optionsOf, poolSpec, refOf, serviceOf } from "./Command.ts"
import { hostNamed } from "./Stage.ts"

export const users: ReadonlyArray<Command> = [
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
