/** Somebody is first to buy a floating IP of the very name that we are about to use, and gives it back a while later. */
import { Effect } from "effect"
import type { HttpRequest } from "../../ports/HttpExchange.ts"
import { every, type Fault } from "../Fault.ts"
import { isPurchase, onSomeCloudRequests } from "../CloudRequestTrouble.ts"

/** As our adapter writes them. */
const wishIn = ({ body = "{}" }: HttpRequest): { readonly name: string; readonly type: "ipv4" | "ipv6" } =>
  JSON.parse(body)

export const cloudNameTaken: Fault = {
  name: "cloud-name-taken",
  title: "a person buys a floating IP of the name that we are about to use",
  run: (world, random) => {
    const { cloud } = world
    const { console, truth } = cloud.project
    let bought: ReadonlyArray<number> = []
    const buyFirst = onSomeCloudRequests("cloud-name-taken", (request) => {
      if (!isPurchase(request)) return undefined
      const { name, type } = wishIn(request)
      if (truth.floatingIps().some((each) => each.name === name)) return undefined
      bought = [...bought, console.addFloatingIp({ type, name }).id]
      cloud.onChange("console")
      return {}
    })
    const giveBack = Effect.sync(() => {
      for (const id of bought) if (truth.floatingIps().some((each) => each.id === id)) console.deleteFloatingIp(id)
      bought = []
      cloud.onChange("console")
    })
    const givesBack = every(random, 5_000, 30_000, giveBack)
    return Effect.ensuring(Effect.raceFirst(buyFirst(world, random), givesBack), giveBack)
  }
}
