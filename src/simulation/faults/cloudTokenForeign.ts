/** Somebody gives the pools the token of another project, and notices a while later. */
import { Effect } from "effect"
import { ephemeralIPPools } from "../../api/EphemeralIPPool.ts"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { cloudIntegrationOf, cloudPools } from "../Users.ts"
import { otherToken } from "../world/OtherProject.ts"

export const cloudTokenForeign: Fault = {
  name: "cloud-token-foreign",
  title: "a pool has the token of another project for a while",
  run: (world, random) => {
    const { cloud, kubectl } = world
    const write = (isBoth: boolean, token: () => string) =>
      Effect.suspend(() => {
        const spec = { cloudIntegration: cloudIntegrationOf(token()) }
        const own = kubectl.patch(persistentIPPools, { name: cloudPools.own }, { spec })
        return Effect.andThen(
          kubectl.patch(ephemeralIPPools, { name: cloudPools.buyer }, { spec }),
          isBoth ? own : Effect.void
        )
      })
    return every(
      random,
      15_000,
      60_000,
      Effect.suspend(() => {
        const isBoth = random.chance(0.5)
        return brokenBy(
          world,
          "cloud-token-foreign",
          random.between(500, 45_000),
          write(isBoth, () => otherToken),
          // The newest, which another fault may have replaced meanwhile.
          write(isBoth, () => cloud.tokens.at(-1) ?? "")
        )
      })
    )
  }
}
