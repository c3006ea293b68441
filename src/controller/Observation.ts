/** What a step sees of one Service: the objects, what they should be, and the cloud of its addresses. */
import { Effect } from "effect"
import { acknowledgementsOf, entriesOf } from "../api/AllocationEntries.ts"
import type { IPAllocation } from "../api/IPAllocation.ts"
import { moveTo } from "../api/Names.ts"
import { once } from "../api/Once.ts"
import type { Service } from "../api/Service.ts"
import * as MoveRequest from "../domain/MoveRequest.ts"
import type * as PlanInput from "../domain/PlanInput.ts"
import * as ServiceRequest from "../domain/ServiceRequest.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { refOf } from "../reconcile/Reflector.ts"
import type { Books } from "./Books.ts"
import { Caches } from "./Caches.ts"
import { CloudView } from "./cloud/CloudView.ts"
import type { NodeBook } from "./NodeBook.ts"
import { observeAllocation, observeService } from "./ServiceView.ts"
import type { ControllerSettings } from "./Settings.ts"
import { wantedState } from "./WantedState.ts"
import type { WantedState } from "./WantedState.ts"

export interface Reconciling {
  readonly settings: ControllerSettings
  readonly books: Books
  readonly nodeBook: NodeBook
  readonly isLeader: Effect.Effect<boolean>
}

const requestOf = once((service: Service) => ServiceRequest.readRequest(service))

const nothing: WantedState = {
  type: "persistent",
  entries: [],
  purchases: [],
  withdrawn: [],
  report: { state: "", message: "" },
  fresh: [],
  lack: undefined,
  awaits: [],
  calls: []
}

export interface Observation {
  readonly service: Service | undefined
  readonly allocation: IPAllocation | undefined
  readonly observed: PlanInput.Observed
  readonly wanted: WantedState
  readonly problems: ReadonlyArray<ServiceRequest.RequestProblem>
  readonly cloud: CloudView
}

export const observe = Effect.fnUntraced(function* (key: string, { books, nodeBook, settings }: Reconciling) {
  const caches = yield* Caches
  const nowMillis = yield* monotonicMillis
  const service = caches.services.get(key)
  const allocation = caches.allocations.get(key)
  const { name, namespace = "" } = refOf(key)
  const cloud = new CloudView(books.clouds, { namespace, service: name, uid: allocation?.metadata.uid ?? "" })
  const asked = service === undefined ? undefined : requestOf(service)
  const isFenced: PlanInput.Observed["isFenced"] = (holder) => nodeBook.isFenced(holder)
  const observed: PlanInput.Observed = {
    service: service === undefined ? undefined : observeService(service, settings),
    allocation: allocation === undefined ? undefined : observeAllocation(allocation, isFenced),
    isFenced,
    routeOf: (entry) => {
      const pool = books.poolOfEntry(entry)
      return pool === undefined ? "unknown" : cloud.route(pool, entry)
    },
    nameToSet: (entry) => {
      const pool = books.poolOfEntry(entry)
      const present = pool && cloud.reverseNameOf(pool, entry)
      const name = asked?.request.reverseName
      return present === undefined || present === name ? undefined : name
    }
  }
  if (service === undefined || asked === undefined || observed.service?.ours !== true) {
    return { service, allocation, observed, wanted: nothing, problems: [], cloud } satisfies Observation
  }
  const { problems, request } = asked
  const inputs = {
    key,
    request,
    problems,
    namespaceLabels: caches.namespaces.get(request.namespace)?.metadata.labels ?? {},
    type: allocation?.spec.type,
    entries: allocation === undefined ? [] : entriesOf(allocation),
    acknowledgements: allocation === undefined ? [] : acknowledgementsOf(allocation),
    shown: observed.service.shown,
    reported: observed.allocation?.report ?? nothing.report,
    generation: allocation?.metadata.generation ?? 0,
    moves: MoveRequest.parse(allocation?.metadata.annotations?.[moveTo] ?? ""),
    ignoreExcludeLabel: settings.ignoreExcludeLabel,
    nowMillis
  }
  const wanted = wantedState(inputs, books, nodeBook, cloud, observed.routeOf)
  return { service, allocation, observed, wanted, problems, cloud } satisfies Observation
})

/** To half of the truth a Service would be gone, or lack its IPAllocation: nothing is touched until both can be read. */
export const isUnreadable = (key: string) =>
  Caches.use(({ allocations, services }) =>
    Effect.succeed(services.undecodable.has(key) || allocations.undecodable.has(key))
  )
