/**
 * The condition on a Service itself: there its user looks, by `kubectl describe` and `kubectl wait`. Applied by a manager
 * of its own, so that conditions of others stay, and taken off by applying nothing.
 *
 * It carries no `observedGeneration`: a Service has no generation before Kubernetes 1.34, and each edit would cost a write.
 */
import { Effect } from "effect"
import { serviceConditionFieldManager, serviceConditionType } from "../api/Names.ts"
import type { Service } from "../api/Service.ts"
import { services } from "../api/Service.ts"
import type { Finding } from "../domain/PlanInput.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import * as Timestamp from "../reconcile/Timestamp.ts"

const conditionOf = (service: Service) => service.status?.conditions?.find(({ type }) => type === serviceConditionType)

export const read = (service: Service): Finding | undefined => {
  const found = conditionOf(service)
  return (
    found && { status: String(found["status"]), reason: String(found["reason"]), message: String(found["message"]) }
  )
}

/** Idempotent, and only on the Service as it was read: it may be of another class by now. */
export const write = Effect.fnUntraced(function* (service: Service, finding: Finding | undefined) {
  const kubernetes = yield* Kubernetes
  const { name, namespace, resourceVersion, uid } = service.metadata
  const before = conditionOf(service)
  const since = before?.["status"] === finding?.status ? before?.["lastTransitionTime"] : undefined
  const lastTransitionTime = since ?? (yield* Timestamp.now)
  const conditions = finding && [{ type: serviceConditionType, ...finding, lastTransitionTime }]
  return yield* kubernetes.apply<Service>(
    services,
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace, uid, resourceVersion },
      ...(conditions === undefined ? {} : { status: { conditions } })
    },
    { fieldManager: serviceConditionFieldManager, force: true, subresource: "status" }
  )
})
