/** One of our kinds is not served for a while, as when its CRD is being replaced; its objects come back with it. */
import { Effect } from "effect"
import { NotFound } from "../../ports/Kubernetes.ts"
import { every, type Fault } from "../Fault.ts"
import { refused, resetWatches } from "../RequestTrouble.ts"

const plurals = ["ipallocations", "persistentippools", "ephemeralippools"]

export const crdMissing: Fault = {
  name: "crd-missing",
  title: "404 for a whole kind of ours",
  run: (world, random) =>
    every(
      random,
      15_000,
      60_000,
      Effect.suspend(() => {
        const plural = random.pick(plurals)
        resetWatches(world, (watch) => watch.plural === plural)
        const reason = new NotFound({ kindMissing: true })
        return refused(world, "crd-missing", undefined, random.between(500, 15_000), (request) =>
          request.plural === plural ? reason : undefined
        )
      })
    )
}
