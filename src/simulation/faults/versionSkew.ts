/** A later version has been here: its CRD allows a value that this program cannot decode, and a pool uses it. */
import { Effect } from "effect"
import { customResourceDefinitions } from "../../api/Crd.ts"
import { installedCrds } from "../../api/CustomResourceDefinition.ts"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"

const name = "persistentippools.loadbalancing.plenus.io"
const present = customResourceDefinitions.find(({ metadata }) => metadata.name === name)
const versions = present?.spec.versions ?? []
/** With one more mode of an interface. */
const laterVersions: unknown = JSON.parse(JSON.stringify(versions).replaceAll('"uplink"]', '"uplink","tunnel"]'))

export const versionSkew: Fault = {
  name: "version-skew",
  title: "a pool has a value that only a later version can decode",
  run: (world, random) => {
    const { kubectl } = world
    const definition = (next: unknown) => kubectl.patch(installedCrds, { name }, { spec: { versions: next } })
    const mode = (pool: string, value: string) =>
      kubectl.patch(persistentIPPools, { name: pool }, { spec: { options: { hostNetworkInterface: { mode: value } } } })
    return every(
      random,
      15_000,
      60_000,
      Effect.suspend(() => {
        const pool = random.chance(0.5) ? "rack-1" : "lab"
        return brokenBy(
          world,
          "version-skew",
          random.between(500, 20_000),
          // The client's own program does not decode what it wrote, either.
          Effect.andThen(definition(laterVersions), Effect.ignore(mode(pool, "tunnel"))),
          Effect.ensuring(mode(pool, "auto"), Effect.ignore(definition(versions)))
        )
      })
    )
  }
}
