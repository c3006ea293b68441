/**
 * A project of Hetzner Cloud as its API shows it: synchronous, deterministic, without input or output. Time is what
 * `nowMillis` says, and passes nowhere in here: what has become due is done before the next request is looked at.
 *
 * `handle` is the API, `console` is everybody who does not use it, `truth` is what is so, past all faults.
 */
import { Result } from "effect"
import type { Json } from "../kubernetes/Json.ts"
import * as Actions from "./Actions.ts"
import * as Console from "./Console.ts"
import type { Call, Core, Purchase, Settings } from "./Core.ts"
import * as Faults from "./Faults.ts"
import * as RateLimit from "./RateLimit.ts"
import { type Answer, type ApiError, error, type Reply } from "./Reply.ts"
import type { FloatingIp, Server, Type } from "./Resources.ts"
import { match, type Route } from "./Routes.ts"
import * as Store from "./Store.ts"

export interface Token {
  readonly secret: string
  /** By this name purchases are known. */
  readonly name: string
  readonly mayWrite: boolean
}

export interface Options extends Partial<Settings> {
  readonly nowMillis: () => number
  readonly tokens: ReadonlyArray<Token>
  /** One second unless given. */
  readonly actionTime?: Actions.ActionTime
  /** Lower-case hex without dashes; counts up unless given. */
  readonly correlationId?: () => string
  readonly generalBudget?: RateLimit.BudgetOptions
  readonly actionsBudget?: RateLimit.BudgetOptions
  /** Ids begin after it: no two projects of the provider share one. */
  readonly lastId?: number
}

export interface HetznerProject {
  /** `fault` befalls this request, whatever the knobs say. */
  readonly handle: (request: Faults.ApiRequest, fault?: Faults.Fault) => Reply
  readonly faults: Faults.FaultKnobs
  readonly console: Console.Console
  /** From now on these and no others are valid. */
  readonly setTokens: (tokens: ReadonlyArray<Token>) => void
  /** Requests so far, by method and route. */
  readonly requests: () => ReadonlyMap<string, number>
  readonly truth: {
    readonly servers: () => ReadonlyArray<Server>
    readonly floatingIps: () => ReadonlyArray<FloatingIp>
    readonly actions: () => ReadonlyArray<Actions.Action>
    /** Every floating IP that there ever was. */
    readonly purchases: () => ReadonlyArray<Purchase>
  }
}

/** Addresses for benchmarks (RFC 2544) and documentation (RFC 3849): nobody's. An IPv6 one has four groups. */
const ipOf = (type: Type, n: number): string =>
  type === "ipv4" ? `198.18.${(n >> 8) & 255}.${n & 255}` : `2001:db8:1:${n.toString(16)}::/64`

const settingsOf = (options: Options): Settings => ({
  baseUrl: options.baseUrl ?? "https://api.hetzner.cloud/v1",
  perPage: options.perPage ?? "refuse",
  floatingIpsMax: options.floatingIpsMax ?? 10,
  moves: options.moves ?? "direct",
  ipOf: options.ipOf ?? ipOf
})

const coreOf = (options: Options): Core => {
  const settings = settingsOf(options)
  const store = Store.make(options.nowMillis())
  let { lastId = 0 } = options
  const counts = { ipv4: 0, ipv6: 0 }
  return {
    settings,
    nowMillis: options.nowMillis,
    store,
    actions: Actions.make(store, options.actionTime ?? { millis: 1000 }),
    newId: () => ++lastId,
    newIp: (type) => settings.ipOf(type, ++counts[type]),
    purchases: new Map()
  }
}

interface Gates {
  readonly core: Core
  readonly console: Console.Console
  readonly faults: Faults.Faults
  readonly budgets: { readonly [name in Route["budget"]]: RateLimit.Budget }
  readonly counts: Map<string, number>
  readonly tokenOf: (secret: string) => Token | undefined
  readonly correlationId: () => string
}

export const make = (options: Options): HetznerProject => {
  const core = coreOf(options)
  const budgets = {
    general: RateLimit.make(options.generalBudget ?? RateLimit.generalBudget, options.nowMillis()),
    actions: RateLimit.make(options.actionsBudget ?? RateLimit.actionsBudget, options.nowMillis())
  }
  const console = Console.make(core, budgets.general)
  const faults = Faults.make()
  const counts = new Map<string, number>()
  let tokens = options.tokens
  let lastCorrelation = 0
  const gates: Gates = {
    core,
    console,
    faults,
    budgets,
    counts,
    tokenOf: (secret) => tokens.find((each) => each.secret === secret),
    correlationId: options.correlationId ?? (() => (++lastCorrelation).toString(16).padStart(16, "0"))
  }
  const settled = (): Core => {
    core.actions.settle(core.nowMillis())
    return core
  }
  return {
    handle: (request, fault) => handle(gates, request, fault),
    faults,
    console,
    setTokens: (next) => {
      tokens = next
    },
    requests: () => new Map(counts),
    truth: {
      servers: () => [...settled().store.now().servers.values()],
      floatingIps: () => [...settled().store.now().floatingIps.values()],
      actions: () => settled().actions.all(),
      purchases: () => [...core.purchases.values()]
    }
  }
}

/** The route comes before the token: who has none still learns which routes there are. */
const handle = (gates: Gates, request: Faults.ApiRequest, given: Faults.Fault | undefined): Reply => {
  const common = { "x-correlation-id": gates.correlationId() }
  const matched = match(request.method, request.path)
  if (matched.found === "nothing") return errorReply(error("not_found", "api route not found"), common)
  if (matched.found === "otherMethods") return errorReply(error("method_not_allowed", "method not allowed"), common)
  const { id, route } = matched
  const routed = { ...request, route: `${route.method} ${route.pattern}`, id }
  gates.counts.set(routed.route, (gates.counts.get(routed.route) ?? 0) + 1)
  const nowMillis = gates.core.nowMillis()
  const fault = given ?? gates.faults.faultOf(routed)
  if (fault.deleteServer !== undefined) gates.console.deleteServer(fault.deleteServer)
  if (fault.badGateway === "before") return badGateway
  gates.core.actions.settle(nowMillis)
  const result = perform(gates, route, routed, fault)
  const headers = { ...common, ...gates.budgets[route.budget].headers(nowMillis) }
  const reply = Result.isSuccess(result) ? answerReply(result.success, headers) : errorReply(result.failure, headers)
  if (fault.block === true && gates.core.store.now().floatingIps.has(id ?? 0)) {
    gates.console.change(id ?? 0, { isBlocked: true })
  }
  if (fault.badGateway === "after") return badGateway
  const { body } = reply
  const said = fault.rewrite === undefined || body === undefined ? reply : { ...reply, body: fault.rewrite(body) }
  return fault.loseReply === true ? { ...said, isLost: true } : said
}

/** A failed authentication spends of the budget too. */
const perform = (
  gates: Gates,
  route: Route,
  request: Faults.RoutedRequest,
  fault: Faults.Fault
): Result.Result<Answer, ApiError> => {
  const { budgets, core, tokenOf } = gates
  if (!budgets[route.budget].take(core.nowMillis())) return Result.fail(refused({ code: "rate_limit_exceeded" }))
  if ((request.token ?? "") === "") return Result.fail(error("unauthorized", "token is required"))
  const token = tokenOf(request.token ?? "")
  if (token === undefined) return Result.fail(error("unauthorized", "the token you have provided is invalid"))
  if (route.method !== "GET" && !token.mayWrite) {
    return Result.fail(error("forbidden", "insufficient permissions for this request"))
  }
  if (fault.refuse !== undefined) return Result.fail(refused(fault.refuse))
  const view = fault.staleMillis === undefined ? core.store.now() : core.store.at(core.nowMillis() - fault.staleMillis)
  const call: Call = { ...request, fault, by: token.name, view }
  return route.operation(core, call)
}

const messages: { readonly [code: string]: string } = {
  rate_limit_exceeded: "limit of requests per hour reached"
}

const refused = ({ code, message, status }: NonNullable<Faults.Fault["refuse"]>): ApiError => {
  const usual = error(code, message ?? messages[code] ?? code.replaceAll("_", " "))
  return status === undefined ? usual : { ...usual, status }
}

type Headers = Reply["headers"]

const jsonReply = (status: number, body: Json, headers: Headers): Reply => ({
  status,
  headers: { ...headers, "content-type": "application/json" },
  body: JSON.stringify(body)
})

const answerReply = ({ body, link, status }: Answer, headers: Headers): Reply => {
  const all = link === undefined ? headers : { ...headers, link }
  return body === undefined ? { status, headers: all } : jsonReply(status, body, all)
}

const errorReply = ({ code, details, message, status }: ApiError, headers: Headers): Reply =>
  jsonReply(status, { error: { code, message, details } }, headers)

/** What stands before the API knows nothing of it: no JSON, no id, no budget. */
const badGateway: Reply = {
  status: 502,
  headers: { "content-type": "text/html" },
  body: "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
}
