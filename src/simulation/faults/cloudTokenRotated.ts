/** People give the pools another token of the project, and revoke the old one: a while later, or too early. */
import { Effect } from "effect"
import { ephemeralIPPools } from "../../api/EphemeralIPPool.ts"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { cloudIntegrationOf, cloudPools } from "../Users.ts"

export const cloudTokenRotated: Fault = {
  name: "cloud-token-rotated",
  title: "the provider's token is replaced, and the old one revoked",
  run: (world, random) => {
    const { cloud, kubectl, truth } = world
    const write = (token: string) => {
      const spec = { cloudIntegration: cloudIntegrationOf(token) }
      return Effect.all([
        kubectl.patch(ephemeralIPPools, { name: cloudPools.buyer }, { spec }),
        kubectl.patch(persistentIPPools, { name: cloudPools.own }, { spec })
      ])
    }
    let count = 0
    return every(
      random,
      30_000,
      90_000,
      Effect.suspend(() => {
        const next = `rotated-token-${++count}`
        const isEarly = random.chance(0.5)
        truth.secrets.push(next)
        const begin = Effect.suspend(() => {
          cloud.allow(isEarly ? [next] : [...cloud.tokens, next])
          return isEarly ? Effect.void : write(next)
        })
        // Also when the time of faults ends in between: whoever began it ends it.
        const end = Effect.ensuring(
          write(next),
          Effect.sync(() => cloud.allow([next]))
        )
        return brokenBy(world, "cloud-token-rotated", random.between(1_000, 45_000), begin, end)
      })
    )
  }
}
