import { assert, describe, it } from "@effect/vitest"
import { HttpClientError, HttpClientRequest } from "effect/http"
import { type Method, reasonOfRefusal, reasonOfTransportFailure } from "../../../../src/live/kubernetes/errors.ts"
import type { Reason } from "../../../../src/ports/Kubernetes.ts"
import { status } from "./support.ts"

const show = (reason: Reason): string => {
  switch (reason._tag) {
    case "NotFound":
      return reason.kindMissing ? "NotFound kind" : "NotFound object"
    case "Throttled":
      return `Throttled ${reason.retryAfterMillis}`
    case "Denied":
      return `Denied ${reason.status}`
    default:
      return reason._tag
  }
}

const named = { name: "web", kind: "services" }
const causes = (reason: string, field?: string) => ({ causes: [{ reason, field }] })
const undeclared =
  "failed to create typed patch object (default/a; /v1, Kind=ConfigMap): .foo: field not declared in schema"

describe("a refusal is read by its reason, then its causes, then its status", () => {
  // oxfmt-ignore
  it.each<readonly [string, Method, number, unknown, string | undefined, string]>([
    // name                                                        method   code  body                                                        Retry-After  reason
    ["a missing object is named",                                  "get",    404, status(404, "NotFound", "", named),                          undefined, "NotFound object"],
    ["so is the missing namespace of a new object",                "create", 404, status(404, "NotFound", "", { name: "ns", kind: "namespaces" }), undefined, "NotFound object"],
    ["a missing kind is text",                                     "list",   404, "404 page not found\n",                                      undefined, "NotFound kind"],
    ["a missing kind may be a Status without a name",              "get",    404, status(404, "NotFound", "", {}),                             undefined, "NotFound kind"],
    ["409 of a create",                                            "create", 409, status(409, "AlreadyExists", "", named),                     undefined, "AlreadyExists"],
    ["409 of a stale resourceVersion",                             "patch",  409, status(409, "Conflict", "", named),                          undefined, "Conflict"],
    ["409 of another field manager",                               "apply",  409, status(409, "Conflict", "", causes("FieldManagerConflict", ".data.x")), undefined, "Conflict"],
    ["a foreign uid in a merge patch is 422 and a conflict",       "patch",  422, status(422, "Invalid", "", causes("FieldValueInvalid", "metadata.uid")), undefined, "Conflict"],
    ["422 of a CEL rule",                                          "create", 422, status(422, "Invalid", "", causes("FieldValueInvalid", "spec.addresses")), undefined, "Invalid"],
    ["422 of a foreign uid and of a field",                        "patch",  422, status(422, "Invalid", "", { causes: [{ field: "metadata.uid" }, { field: "spec.size" }] }), undefined, "Invalid"],
    ["422 without a cause",                                        "patch",  422, status(422, "Invalid", "", { causes: [] }),                  undefined, "Invalid"],
    ["400 of a wrong type",                                        "create", 400, status(400, "BadRequest"),                                   undefined, "Invalid"],
    ["500 of apply with an undeclared field is permanent",         "apply",  500, status(500, "", undeclared),                                 undefined, "Invalid"],
    ["the same with the reason InternalError",                     "apply",  500, status(500, "InternalError", undeclared),                    undefined, "Invalid"],
    ["500 of a webhook that failed: nothing was written",          "create", 500, status(500, "InternalError", 'failed calling webhook "x"'),  undefined, "Unavailable"],
    ["500 after etcd lost its answer: a write may have happened",  "replace", 500, status(500, "InternalError", "etcdserver: request timed out"), undefined, "ReplyLost"],
    ["the same for a read",                                        "get",    500, status(500, "InternalError", "etcdserver: request timed out"), undefined, "Unavailable"],
    ["500 ServerTimeout of a write",                               "delete", 500, status(500, "ServerTimeout"),                                undefined, "ReplyLost"],
    ["504 Timeout of a write",                                     "patch",  504, status(504, "Timeout"),                                      undefined, "ReplyLost"],
    ["504 Timeout of a read",                                      "list",   504, status(504, "Timeout"),                                      undefined, "Unavailable"],
    ["504 of a resourceVersion ahead of the server",               "watch",  504, status(504, "Timeout", "", causes("ResourceVersionTooLarge")), "1",     "Unavailable"],
    ["410 of an old resourceVersion",                              "watch",  410, status(410, "Expired"),                                      undefined, "Expired"],
    ["410 under its older name",                                   "list",   410, status(410, "Gone"),                                         undefined, "Expired"],
    ["401",                                                        "get",    401, status(401, "Unauthorized"),                                 undefined, "Denied 401"],
    ["403",                                                        "list",   403, status(403, "Forbidden"),                                    undefined, "Denied 403"],
    ["403 of a namespace that is being deleted",                   "create", 403, status(403, "Forbidden", "", causes("NamespaceTerminating")), undefined, "Denied 403"],
    ["429 names its pause in the header",                          "list",   429, status(429, "TooManyRequests", "", { retryAfterSeconds: 9 }), "2",      "Throttled 2000"],
    ["429 names its pause in the details",                         "list",   429, status(429, "TooManyRequests", "", { retryAfterSeconds: 9 }), undefined, "Throttled 9000"],
    ["429 of API Priority and Fairness is text",                   "get",    429, "Too many requests, please try again later.\n",              "1",       "Throttled 1000"],
    ["429 without a pause",                                        "get",    429, status(429, "TooManyRequests"),                              undefined, "Throttled 1000"],
    ["503 with a pause",                                           "create", 503, status(503, "ServiceUnavailable"),                           "5",       "Throttled 5000"],
    ["503 without one",                                            "create", 503, status(503, "ServiceUnavailable"),                           undefined, "Unavailable"],
    ["a date is no pause that we read",                            "get",    503, status(503, "ServiceUnavailable"),                           "Wed, 21 Oct 2026 07:28:00 GMT", "Unavailable"],
    ["415 of a wrong content type",                                "apply",  415, status(415, "UnsupportedMediaType"),                         undefined, "Invalid"],
    ["a proxy that gave up on a write",                            "create", 502, "<html>Bad Gateway</html>",                                  undefined, "ReplyLost"],
    ["a proxy that gave up on a read",                             "get",    504, "",                                                          undefined, "Unavailable"],
    ["a proxy that has no server",                                 "create", 503, "no server is available",                                    undefined, "Unavailable"],
    ["a redirect is no API server's",                              "get",    302, "",                                                          undefined, "Malformed"],
    ["an unknown reason falls back to the status",                 "get",    404, status(404, "Vanished", "", named),                          undefined, "NotFound object"],
    ["an unknown status of the server's fault",                    "create", 599, status(599, "Odd"),                                          undefined, "ReplyLost"],
    ["an unknown status of our fault",                             "create", 418, status(418, "Odd"),                                          undefined, "Invalid"]
  ])("%s", (_, method, code, body, retryAfter, expected) => {
    const text = typeof body === "string" ? body : JSON.stringify(body)
    assert.strictEqual(show(reasonOfRefusal(method, { status: code, retryAfter, body: text })), expected)
  })

  it("keeps the server's sentence with the path of the field", () => {
    const reason = reasonOfRefusal("apply", { status: 500, body: JSON.stringify(status(500, "", undeclared)) })
    assert.deepInclude(reason, { message: undeclared })
  })
})

const failure = (properties: { readonly message?: string; readonly code?: string; readonly syscall?: string }) =>
  Object.assign(new Error(properties.message ?? properties.code), properties)

describe("a broken connection is told by when it broke", () => {
  // oxfmt-ignore
  it.each<readonly [string, Error, "Unavailable" | "ReplyLost"]>([
    // name                                          cause                                                                                     a write is
    ["refused",                                      failure({ code: "ECONNREFUSED", syscall: "connect" }),                                     "Unavailable"],
    ["no route",                                     failure({ code: "EHOSTUNREACH", syscall: "connect" }),                                     "Unavailable"],
    ["connect timed out",                            failure({ code: "ETIMEDOUT", syscall: "connect" }),                                        "Unavailable"],
    ["name not resolved",                            failure({ code: "ENOTFOUND", syscall: "getaddrinfo" }),                                    "Unavailable"],
    ["all addresses refused",                        new AggregateError([failure({ code: "ECONNREFUSED", syscall: "connect" }), failure({ code: "ENETUNREACH", syscall: "connect" })]), "Unavailable"],
    ["one address refused, another reset",           new AggregateError([failure({ code: "ECONNREFUSED", syscall: "connect" }), failure({ code: "ECONNRESET", syscall: "read" })]), "ReplyLost"],
    ["closed during the TLS handshake",              failure({ code: "ECONNRESET", message: "Client network socket disconnected before secure TLS connection was established" }), "Unavailable"],
    ["another CA",                                   failure({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }),                                      "Unavailable"],
    ["certificate expired",                          failure({ code: "CERT_HAS_EXPIRED" }),                                                     "Unavailable"],
    ["certificate of another host",                  failure({ code: "ERR_TLS_CERT_ALTNAME_INVALID" }),                                         "Unavailable"],
    ["reset while we wrote or waited",               failure({ code: "ECONNRESET", syscall: "read" }),                                          "ReplyLost"],
    ["timed out while we waited",                    failure({ code: "ETIMEDOUT", syscall: "read" }),                                           "ReplyLost"],
    ["closed without an answer",                     failure({ code: "ECONNRESET", message: "socket hang up" }),                                "ReplyLost"],
    ["anything unknown",                             new Error("?"),                                                                            "ReplyLost"]
  ])("%s", (_, cause, expected) => {
    const reason = new HttpClientError.TransportError({ request: HttpClientRequest.get("http://api.test"), cause })
    const error = new HttpClientError.HttpClientError({ reason })
    assert.strictEqual(reasonOfTransportFailure("create", error)._tag, expected)
    assert.strictEqual(reasonOfTransportFailure("list", error)._tag, "Unavailable")
  })
})
