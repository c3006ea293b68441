/** Somebody in the console gives a floating IP that we bought another name: what is ours is known by its labels. */
import { Effect } from "effect"
import { every, type Fault, strike } from "../Fault.ts"

export const cloudRenamed: Fault = {
  name: "cloud-renamed",
  title: "a person renames a floating IP in the console that we bought",
  run: (world, random) => {
    const { cloud } = world
    let times = 0
    const candidates = () => cloud.addresses().filter(({ isBoughtByUs }) => isBoughtByUs)
    const act = strike(world, random, "cloud-renamed", candidates, ({ id }) =>
      Effect.sync(() => {
        times += 1
        cloud.project.console.change(Number(id), { name: `renamed-${times}` })
        cloud.onChange("console")
      })
    )
    return every(random, 5_000, 40_000, act)
  }
}
