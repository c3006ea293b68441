/** The subset of the API that is here, and how a request finds its operation. */
import * as ActionsApi from "./ActionsApi.ts"
import type { Operation } from "./Core.ts"
import * as FloatingIpActions from "./FloatingIpActions.ts"
import * as FloatingIpsApi from "./FloatingIpsApi.ts"
import * as ServersApi from "./ServersApi.ts"

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  /** `/floating_ips/{id}` */
  readonly pattern: string
  readonly operation: Operation
  /** Which budget of requests it spends. */
  readonly budget: "general" | "actions"
}

const route = (
  method: Route["method"],
  pattern: string,
  operation: Operation,
  budget: Route["budget"] = "general"
): Route => ({ method, pattern, operation, budget })

const routes: ReadonlyArray<Route> = [
  route("GET", "/servers", ServersApi.listServers),
  route("GET", "/servers/{id}", ServersApi.getServer),
  route("POST", "/servers/{id}/actions/change_alias_ips", ServersApi.changeAliasIps),
  route("GET", "/networks/{id}", ServersApi.getNetwork),
  route("GET", "/locations", ServersApi.listLocations),
  route("GET", "/locations/{id}", ServersApi.getLocation),
  route("GET", "/datacenters", ServersApi.goneDatacenters),
  route("GET", "/datacenters/{id}", ServersApi.goneDatacenters),
  route("GET", "/floating_ips", FloatingIpsApi.listFloatingIps),
  route("POST", "/floating_ips", FloatingIpsApi.createFloatingIp),
  route("GET", "/floating_ips/{id}", FloatingIpsApi.getFloatingIp),
  route("PUT", "/floating_ips/{id}", FloatingIpsApi.updateFloatingIp),
  route("DELETE", "/floating_ips/{id}", FloatingIpsApi.deleteFloatingIp),
  route("GET", "/floating_ips/{id}/actions", ActionsApi.listFloatingIpActions, "actions"),
  route("POST", "/floating_ips/{id}/actions/assign", FloatingIpActions.assign),
  route("POST", "/floating_ips/{id}/actions/unassign", FloatingIpActions.unassign),
  route("POST", "/floating_ips/{id}/actions/change_protection", FloatingIpActions.changeProtection),
  route("POST", "/floating_ips/{id}/actions/change_dns_ptr", FloatingIpActions.changeDnsPtr),
  route("GET", "/actions", ActionsApi.listActions, "actions"),
  route("GET", "/actions/{id}", ActionsApi.getAction, "actions")
]

/** As faults and counters call them: `GET /servers/{id}`. */
export const routeNames: ReadonlyArray<string> = routes.map(({ method, pattern }) => `${method} ${pattern}`)

const compiled = routes.map((each) => ({
  route: each,
  path: new RegExp(`^/v1${each.pattern.replace("{id}", "(\\d+)")}$`, "u")
}))

export type Match =
  | { readonly found: "route"; readonly route: Route; readonly id: number | undefined }
  | { readonly found: "otherMethods" }
  | { readonly found: "nothing" }

export const match = (method: string, path: string): Match => {
  const candidates = compiled.flatMap((each) => {
    const groups = each.path.exec(path)
    return groups === null ? [] : [{ route: each.route, id: groups[1] === undefined ? undefined : Number(groups[1]) }]
  })
  const found = candidates.find((each) => each.route.method === method)
  if (found !== undefined) return { found: "route", ...found }
  return { found: candidates.length > 0 ? "otherMethods" : "nothing" }
}
