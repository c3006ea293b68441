/** Somebody deletes an address that a node holds: the operator must put it back. */
import { Effect } from "effect"
import { parse } from "../world/Host.ts"
import { every, type Fault } from "../Fault.ts"

export const addressDeleted: Fault = {
  name: "address-deleted",
  title: "a person deletes an address that a node holds",
  run: ({ hosts, story }, random) =>
    every(
      random,
      1_000,
      15_000,
      Effect.sync(() => {
        const host = random.pick(hosts.filter((each) => each.isOn && each.held().size > 0))
        const [address, interfaceName] = random.pick([...(host?.held() ?? [])]) ?? []
        if (host === undefined || address === undefined || interfaceName === undefined) return
        story.note("address-deleted")
        host.meddle("person", (network) => network.foreignDelete(interfaceName, parse(address)))
      })
    )
}
