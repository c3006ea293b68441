/** Somebody in the console deletes a floating IP that was bought for a Service. */
import { Effect } from "effect"
import { every, type Fault, strike } from "../Fault.ts"

export const cloudDeleted: Fault = {
  name: "cloud-deleted",
  title: "a person deletes a floating IP in the console that we bought",
  run: (world, random) => {
    const { cloud } = world
    const candidates = () => cloud.addresses().filter(({ isBoughtByUs }) => isBoughtByUs)
    const act = strike(world, random, "cloud-deleted", candidates, ({ id }) =>
      Effect.sync(() => {
        cloud.project.console.deleteFloatingIp(Number(id))
        cloud.onChange("console")
      })
    )
    return every(random, 30_000, 120_000, act)
  }
}
