/**
 * Somebody deletes an address that a node holds and adds it again by hand, without our label. On a node that should not
 * hold it that would be a second holder that no program of ours can prevent: a declared limit. So is what lies, without a
 * mark, on an interface that is no pool's any more: an operator that starts anew cannot know whose it is.
 */
import { Effect } from "effect"
import { hostPrefixLength } from "../../domain/HostAddress.ts"
import { every, type Fault } from "../Fault.ts"
import { parse } from "../world/Host.ts"

export const addressReadded: Fault = {
  name: "address-readded",
  title: "a person puts an address where it is already, without our label",
  run: ({ hosts, story }, random) =>
    every(
      random,
      1_000,
      15_000,
      Effect.sync(() => {
        const host = random.pick(hosts.filter((each) => each.isOn && each.held().size > 0))
        const [text, interfaceName] = random.pick([...(host?.held() ?? [])].filter(([, name]) => name !== "br7")) ?? []
        if (host === undefined || text === undefined || interfaceName === undefined) return
        story.note("address-readded")
        const address = parse(text)
        host.meddle("person", (network) => {
          network.foreignDelete(interfaceName, address)
          network.foreignAdd(interfaceName, { address, prefixLength: hostPrefixLength(address), scope: "global" })
        })
      })
    )
}
