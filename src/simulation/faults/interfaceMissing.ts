/** Somebody deletes the interface that carries the addresses, and makes it anew later. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"
import { has } from "../world/Host.ts"

export const interfaceMissing: Fault = {
  name: "interface-missing",
  title: "the pools' interface of a node is deleted and made anew",
  run: ({ hosts, story }, random) =>
    every(
      random,
      10_000,
      50_000,
      Effect.suspend(() => {
        const host = random.pick(hosts.filter((each) => each.isOn && has(each, "pl0")))
        if (host === undefined) return Effect.void
        story.note("interface-missing")
        return broken(
          random.between(100, 30_000),
          () => host.meddle("person", (network) => network.deleteInterface("pl0")),
          () =>
            host.meddle("person", (network) => {
              if (!has(host, "pl0")) network.createInterface({ name: "pl0", kind: "bridge" })
            })
        )
      })
    )
}
