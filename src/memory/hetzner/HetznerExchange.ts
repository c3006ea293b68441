/** The project in memory as a server that HTTP requests are sent to: the shipping adapter talks to it as to the real one. */
import { Effect, Redacted } from "effect"
import { HttpExchange, type HttpRequest, NoReply } from "../../ports/HttpExchange.ts"
import type { Fault } from "./Faults.ts"
import type { HetznerProject } from "./HetznerProject.ts"

/** What the simulation does to a request before it is acted on: it waits, fails, or has a fault of its own. */
type Before = (request: HttpRequest) => Effect.Effect<Fault | undefined, NoReply>

export const make = (
  project: HetznerProject,
  before: Before = () => Effect.succeed(undefined)
): HttpExchange["Service"] =>
  HttpExchange.of({
    send: (request) =>
      Effect.flatMap(before(request), (fault) =>
        Effect.suspend(() => {
          const { body, method, token, url } = request
          const { pathname, searchParams } = new URL(url)
          const asked = { method, path: pathname, query: searchParams, body, token: Redacted.value(token) }
          const { body: text = "", headers, isLost, status } = project.handle(asked, fault)
          return isLost === true
            ? Effect.fail(new NoReply({ message: "the connection broke" }))
            : Effect.succeed({ status, headers, body: text })
        })
      )
  })
