/** A policy of the cluster refuses what one of our programs writes, until somebody corrects it. */
import { Effect } from "effect"
import { Invalid } from "../../ports/Kubernetes.ts"
import { every, type Fault } from "../Fault.ts"
import { isWrite, refused } from "../RequestTrouble.ts"

/** Not Leases: what keeps an operator from renewing is `rbac-revoked`. */
const plurals = ["ipallocations", "services", "persistentippools", "events"]

export const admissionRejected: Fault = {
  name: "admission-rejected",
  title: "admission refuses writes of one kind",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.suspend(() => {
        const plural = random.pick(plurals)
        const reason = new Invalid({ message: 'admission webhook "policy.example.org" denied the request: no' })
        return refused(world, "admission-rejected", undefined, random.between(1_000, 15_000), (request) =>
          isWrite(request) && request.plural === plural ? reason : undefined
        )
      })
    )
}
