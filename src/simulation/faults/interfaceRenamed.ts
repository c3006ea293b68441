/** The interface that carries the addresses gets another name, with all that is on it, and its own name back later. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"
import { has, type Host } from "../world/Host.ts"

const rename = (host: Host, from: string, to: string): void =>
  host.meddle("person", (network) => {
    const found = network.state().interfaces.find(({ name }) => name === from)
    if (found === undefined || has(host, to)) return
    network.deleteInterface(from)
    // The labels of addresses keep the old name (measured): ip-address(8) sets them, the kernel does not follow.
    network.createInterface({ name: to, kind: found.kind, mac: found.mac, addresses: found.addresses })
  })

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
          () => {
            rename(host, "br7", "pl0")
            host.meddle("person", (network) => {
              if (has(host, "br7")) network.deleteInterface("br7")
            })
          }
        )
      })
    )
}
