/**
 * `/control/…`: what the vendor's console, nature and a test do to the project. Bodies are closed JSON; an answer that is
 * no success says in one sentence what to write instead.
 */
import { Result, Schema } from "effect"
import * as Body from "../../src/memory/hetzner/Body.ts"
import type { HetznerProject } from "../../src/memory/hetzner/HetznerProject.ts"
import { routeNames } from "../../src/memory/hetzner/Routes.ts"

export interface ControlReply {
  readonly status: number
  readonly body?: unknown
}

interface ControlRequest {
  readonly project: HetznerProject
  readonly body: string
  /** What follows the last slash of the pattern. */
  readonly subject: string
}

type Handler = (request: ControlRequest) => ControlReply

/** A sentence for whoever asked. */
class Refused extends Error {}

const read = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, text: string): S["Type"] =>
  Result.getOrThrowWith(Body.read(schema, text), ({ details, message }) => {
    const why = details === null ? "" : `: ${JSON.stringify(details)}`
    return new Refused(`${message}${why}`)
  })

const Labels = Schema.Record(Schema.String, Schema.String)
const Type = Schema.Literals(["ipv4", "ipv6"])
const Status = Schema.Literals([
  "running",
  "initializing",
  "starting",
  "stopping",
  "off",
  "deleting",
  "migrating",
  "rebuilding",
  "unknown"
])

const Fault = Schema.Struct({
  refuse: Schema.optionalKey(
    Schema.Struct({
      code: Schema.String,
      message: Schema.optionalKey(Schema.String),
      status: Schema.optionalKey(Schema.Int)
    })
  ),
  badGateway: Schema.optionalKey(Schema.Literals(["before", "after"])),
  loseReply: Schema.optionalKey(Schema.Boolean),
  deleteServer: Schema.optionalKey(Schema.Int),
  block: Schema.optionalKey(Schema.Boolean),
  staleMillis: Schema.optionalKey(Schema.Int),
  action: Schema.optionalKey(
    Schema.Struct({
      status: Schema.optionalKey(Schema.Literals(["success", "error"])),
      millis: Schema.optionalKey(Schema.Int),
      vanishes: Schema.optionalKey(Schema.Boolean),
      isMute: Schema.optionalKey(Schema.Boolean)
    })
  )
})

/** `route` is one of the API's, such as `GET /servers/{id}`; without it all requests are meant. */
const FaultBody = Schema.Struct({
  route: Schema.optionalKey(Schema.String),
  times: Schema.optionalKey(Schema.Int),
  fault: Fault
})

const addFault: Handler = ({ body, project }) => {
  const { fault, route, times } = read(FaultBody, body)
  if (route !== undefined && !routeNames.includes(route)) {
    throw new Refused(`there is no route ${route}; there are: ${routeNames.join(", ")}`)
  }
  project.faults.next((request) => route === undefined || request.route === route, fault, times ?? 1)
  return { status: 204 }
}

const ServerBody = Schema.Struct({
  name: Schema.String,
  location: Schema.optionalKey(Schema.String),
  types: Schema.optionalKey(Schema.Array(Type)),
  status: Schema.optionalKey(Status),
  labels: Schema.optionalKey(Labels)
})
const ServerChange = Schema.Struct({ status: Status })

/** By name, as the node is called, or by id. */
const serverId = ({ project, subject }: ControlRequest): number => {
  const found = project.truth.servers().find(({ id, name }) => name === subject || String(id) === subject)
  if (found === undefined) throw new Refused(`there is no server ${subject}`)
  return found.id
}

const FloatingIpBody = Schema.Struct({
  type: Type,
  name: Schema.optionalKey(Schema.String),
  description: Schema.optionalKey(Schema.String),
  location: Schema.optionalKey(Schema.String),
  labels: Schema.optionalKey(Labels),
  server: Schema.optionalKey(Schema.Int)
})
const FloatingIpChange = Schema.Struct({
  name: Schema.optionalKey(Schema.String),
  labels: Schema.optionalKey(Labels),
  server: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  isBlocked: Schema.optionalKey(Schema.Boolean),
  isProtected: Schema.optionalKey(Schema.Boolean)
})

const TokensBody = Schema.Struct({
  tokens: Schema.Array(Schema.Struct({ secret: Schema.String, name: Schema.String, mayWrite: Schema.Boolean }))
})

/** Which server, by name, gets the packets for each floating IP now; small, because a router asks all the time. */
const routesOf = ({
  truth
}: HetznerProject): ReadonlyArray<{ readonly ip: string; readonly server: string | null }> => {
  const names = new Map(truth.servers().map(({ id, name }) => [id, name]))
  return truth.floatingIps().map(({ ip, isBlocked, server }) => ({
    ip,
    server: (isBlocked || server === null ? undefined : names.get(server)) ?? null
  }))
}

const handlers: { readonly [route: string]: Handler } = {
  "GET /control/ledger": ({ project }) => ({
    status: 200,
    body: {
      floatingIps: project.truth.floatingIps(),
      purchases: project.truth.purchases(),
      actions: project.truth.actions(),
      servers: project.truth.servers(),
      requests: Object.fromEntries(project.requests())
    }
  }),
  "GET /control/routes": ({ project }) => ({ status: 200, body: routesOf(project) }),
  "POST /control/faults": addFault,
  "DELETE /control/faults": ({ project }) => {
    project.faults.clear()
    return { status: 204 }
  },
  "POST /control/servers": ({ body, project }) => ({
    status: 201,
    body: project.console.addServer(read(ServerBody, body))
  }),
  "PUT /control/servers/…": (request) => {
    request.project.console.setServerStatus(serverId(request), read(ServerChange, request.body).status)
    return { status: 204 }
  },
  "DELETE /control/servers/…": (request) => {
    request.project.console.deleteServer(serverId(request))
    return { status: 204 }
  },
  "POST /control/floating_ips": ({ body, project }) => ({
    status: 201,
    body: project.console.addFloatingIp(read(FloatingIpBody, body))
  }),
  "PUT /control/floating_ips/…": ({ body, project, subject }) => {
    project.console.change(Number(subject), read(FloatingIpChange, body))
    return { status: 204 }
  },
  "DELETE /control/floating_ips/…": ({ project, subject }) => {
    project.console.deleteFloatingIp(Number(subject))
    return { status: 204 }
  },
  "PUT /control/tokens": ({ body, project }) => {
    project.setTokens(read(TokensBody, body).tokens)
    return { status: 204 }
  },
  "POST /control/drain": ({ project }) => {
    project.console.drainBudget()
    return { status: 204 }
  }
}

export const answer = (project: HetznerProject, method: string, path: string, body: string): ControlReply => {
  const [, place = "", kind = "", subject = ""] = path.split("/")
  const handler = handlers[`${method} /${place}/${kind}${subject === "" ? "" : "/…"}`]
  if (handler === undefined) {
    return {
      status: 404,
      body: { error: `there is no ${method} ${path}; there are: ${Object.keys(handlers).join(", ")}` }
    }
  }
  try {
    return handler({ project, body, subject: decodeURIComponent(subject) })
  } catch (error) {
    // RangeError: the console knows no such server or floating IP.
    if (error instanceof Refused || error instanceof RangeError) return { status: 400, body: { error: error.message } }
    throw error
  }
}
