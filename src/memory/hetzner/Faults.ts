/** What a client sends, what may go wrong with one request, and who decides it. */

/** As much of URLSearchParams as is read. */
export interface Query {
  readonly get: (name: string) => string | null
  readonly getAll: (name: string) => ReadonlyArray<string>
}

export interface ApiRequest {
  readonly method: string
  /** With the version: `/v1/floating_ips/7001`. */
  readonly path: string
  readonly query: Query
  readonly body?: string | undefined
  /** What follows `Bearer `. */
  readonly token?: string | undefined
}

/** A request as the policy sees it: the route is known, nothing has happened. */
export interface RoutedRequest extends ApiRequest {
  /** `POST /floating_ips/{id}/actions/assign` */
  readonly route: string
  /** The id in the path. */
  readonly id: number | undefined
}

export interface Fault {
  /** Nothing is done; the answer is this error, with the status that its code usually has. */
  readonly refuse?: { readonly code: string; readonly message?: string; readonly status?: number }
  /** The edge answers with HTML and 502, before the API has seen the request or after it has done it. */
  readonly badGateway?: "before" | "after"
  /** All is done, then the connection breaks. */
  readonly loseReply?: boolean
  /** This server is deleted before anything else happens. */
  readonly deleteServer?: number
  /** The floating IP of the path is blocked once all is done. */
  readonly block?: boolean
  /** A read of servers or floating IPs shows them as they were so long ago; actions are always fresh. */
  readonly staleMillis?: number
  /** The reply says this instead, as an API that has changed does. */
  readonly rewrite?: (body: string) => string
  /** Of the action that the request starts. */
  readonly action?: ActionFault
}

export interface ActionFault {
  readonly status?: "success" | "error"
  /** Instead of the usual time or number of polls. */
  readonly millis?: number
  /** From the reply on nobody can read it; it goes on. */
  readonly vanishes?: boolean
  /** It succeeds and changes nothing. */
  readonly isMute?: boolean
}

export interface FaultKnobs {
  /** Asked once for every request to a known route that no `next` covers. */
  readonly setPolicy: (policy: (request: RoutedRequest) => Fault) => void
  /** For the first requests that match, once unless more `times` are given. */
  readonly next: (matches: (request: RoutedRequest) => boolean, fault: Fault, times?: number) => void
  /** No fault any more, neither by policy nor by `next`. */
  readonly clear: () => void
}

export interface Faults extends FaultKnobs {
  readonly faultOf: (request: RoutedRequest) => Fault
}

const noFault = (_: RoutedRequest): Fault => ({})

interface Scripted {
  readonly matches: (request: RoutedRequest) => boolean
  readonly fault: Fault
  timesLeft: number
}

export const make = (): Faults => {
  let policy = noFault
  let scripted: ReadonlyArray<Scripted> = []
  return {
    setPolicy: (next) => {
      policy = next
    },
    next: (matches, fault, times = 1) => {
      scripted = [...scripted, { matches, fault, timesLeft: times }]
    },
    clear: () => {
      policy = noFault
      scripted = []
    },
    faultOf: (request) => {
      const found = scripted.find(({ matches }) => matches(request))
      if (found === undefined) return policy(request)
      found.timesLeft -= 1
      if (found.timesLeft <= 0) scripted = scripted.filter((each) => each !== found)
      return found.fault
    }
  }
}
