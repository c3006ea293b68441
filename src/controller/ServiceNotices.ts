/** The events of a Service and its IPAllocation. Told when the reported state changed, hence once per change. */
import { Effect } from "effect"
import type { IPAllocation } from "../api/IPAllocation.ts"
import { apiVersion } from "../api/Names.ts"
import type { Service } from "../api/Service.ts"
import type { RequestProblem } from "../domain/ServiceRequest.ts"
import { Events } from "./Events.ts"
import type { Notice, Regarding } from "./Events.ts"
import type { WantedState } from "./WantedState.ts"

const regardingService = ({ metadata }: Service): Regarding => ({
  apiVersion: "v1",
  kind: "Service",
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid ?? ""
})

const regardingAllocation = ({ metadata }: IPAllocation): Regarding => ({
  apiVersion,
  kind: "IPAllocation",
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid ?? ""
})

/** Of the Service alone. */
export const warn = (service: Service, notice: Omit<Notice, "regarding">) =>
  Events.use(({ tell: tellOf }) => tellOf({ ...notice, regarding: regardingService(service) }))

export const tell = Effect.fnUntraced(function* (
  service: Service,
  allocation: IPAllocation,
  wanted: WantedState,
  problems: ReadonlyArray<RequestProblem>
) {
  const events = yield* Events
  const holders = wanted.entries
    .map((entry) => (entry.node === undefined ? entry.address : `${entry.address} on ${entry.node}`))
    .join(", ")
  const main: Omit<Notice, "regarding"> | undefined =
    wanted.lack !== undefined
      ? { type: "Warning", ...wanted.lack }
      : wanted.report.state === "success"
        ? { type: "Normal", reason: "AddressServed", message: `Serving ${holders}` }
        : undefined
  if (main !== undefined) {
    yield* events.tell({ ...main, regarding: regardingService(service) })
    yield* events.tell({ ...main, regarding: regardingAllocation(allocation) })
  }
  for (const { message, reason, severity } of problems) {
    if (severity === "warning") {
      yield* events.tell({ type: "Warning", reason, message, regarding: regardingService(service) })
    }
  }
})
