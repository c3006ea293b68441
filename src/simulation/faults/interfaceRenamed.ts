/** The interface that carries the addresses gets another name, with all that is on it, and its own name back later. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"
import { has, type Host } from "../world/Host.ts"

export const rename = (host: Host, from: string, to: string): void =>
  host.meddle("person", (network) => {
    if (has(host, from) && !has(host, to)) network.renameInterface(from, to)
  })

/** Where another one has its own name by now, it goes. */
export const renameBack = (host: Host): void => {
  rename(host, "br7", "pl0")
  host.meddle("person", (network) => {
    if (has(host, "br7")) network.deleteInterface("br7")
  })
}

export const interfaceRenamed: Fault = {
  name: "interface-renamed",
  title: "the pools' interface of a node has another name for a while",
  run: ({ hosts, story }, random) =>
    every(
      random,
      15_000,
      60_000,
      Effect.suspend(() => {
        const host = random.pick(hosts.filter((each) => each.isOn && has(each, "pl0") && !has(each, "br7")))
        if (host === undefined) return Effect.void
        story.note("interface-renamed")
        return broken(
          random.between(100, 30_000),
          () => rename(host, "pl0", "br7"),
          () => renameBack(host)
        )
      })
    )
}
