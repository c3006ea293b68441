/** Somebody sets the interface that carries the addresses down: the kernel answers for none of them. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"
import { has } from "../world/Host.ts"

export const interfaceDown: Fault = {
  name: "interface-down",
  title: "the pools' interface of a node is down for a while",
  run: ({ hosts, story }, random) =>
    every(
      random,
      5_000,
      40_000,
      Effect.suspend(() => {
        const host = random.pick(hosts.filter((each) => each.isOn && has(each, "pl0")))
        if (host === undefined) return Effect.void
        story.note("interface-down")
        const setUp = (name: string, up: boolean) =>
          host.meddle("person", (network) => {
            if (has(host, name)) network.setUp(name, up)
          })
        return broken(
          random.between(100, 30_000),
          () => setUp("pl0", false),
          () => {
            setUp("pl0", true)
            // It may have been renamed meanwhile (interface-renamed).
            setUp("br7", true)
          }
        )
      })
    )
}
