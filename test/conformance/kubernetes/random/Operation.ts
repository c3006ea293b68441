/** Random requests as data, so that two servers can be given the same ones. */
import { Effect, Random } from "effect"

export type KindName = "ConfigMap" | "IPAllocation" | "Service" | "Lease"

/** What a request claims to know of the object. */
export interface Claims {
  readonly uid: "none" | "current" | "other"
  readonly version: "none" | "current" | "old"
}

type Fields = { readonly [key: string]: unknown }

export interface Operation extends Claims {
  readonly method: "create" | "replace" | "patch" | "apply" | "delete"
  readonly kind: KindName
  readonly name: string
  readonly fields: Fields
  readonly subresource: "status" | undefined
  readonly manager: string
  readonly force: boolean
  readonly propagation: "Background" | "Foreground" | "Orphan"
}

const oneOf = <A>(...choices: readonly [A, ...ReadonlyArray<A>]): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, choices.length - 1), (index) => choices[index] ?? choices[0])

/** Each with its own chance; order kept. */
const someOf = <A>(...choices: ReadonlyArray<A>): Effect.Effect<ReadonlyArray<A>> =>
  Effect.filter(choices, () => Random.nextBoolean)

const maybe = <A>(key: string, value: Effect.Effect<A>): Effect.Effect<Fields> =>
  Effect.flatMap(Random.nextBoolean, (present) =>
    present ? Effect.map(value, (made) => ({ [key]: made })) : Effect.succeed({})
  )

const merged = (...parts: ReadonlyArray<Effect.Effect<Fields>>): Effect.Effect<Fields> =>
  Effect.map(Effect.all(parts), (all) => Object.assign({}, ...all))

/** No empty map or list: a real server stores it in a custom resource until the next write, and shows it to nobody. */
const metadata = merged(
  maybe("labels", oneOf({ x: "1" }, { y: "1" }, { x: "2", y: "1" }, { x: "2", y: "2" })),
  maybe("annotations", oneOf({ note: "1" }, { note: "2" })),
  maybe("finalizers", oneOf(["example.com/one"], ["example.com/two"], ["example.com/one", "example.com/two"]))
)

const text = oneOf("1", "2")

const allocation = merged(
  Effect.map(oneOf("192.0.2.10", "192.0.2.11", "2001:db8::1", "nonsense"), (address) => ({ address, pool: "rack-1" })),
  maybe("nodeName", oneOf("n1", "n2")),
  maybe("epoch", oneOf(1, 2)),
  maybe("surprise", text)
)

const entry = merged(
  Effect.map(oneOf("Serving", "Released"), (phase) => ({ phase })),
  maybe("epoch", oneOf(1, 2))
)

/** Never none: what becomes of a list that is applied empty depends on who owned what was in it. */
const entries = Effect.flatMap(
  oneOf(
    [{ address: "192.0.2.10", node: "n1" }],
    [{ address: "192.0.2.10", node: "n2" }],
    [
      { address: "192.0.2.11", node: "n1" },
      { address: "192.0.2.10", node: "n1" }
    ],
    [
      { address: "192.0.2.10", node: "n2" },
      { address: "192.0.2.11", node: "n1" }
    ]
  ),
  (keys) => Effect.forEach(keys, (key) => Effect.map(entry, (rest) => ({ ...key, ...rest })))
)

const condition = Effect.map(oneOf("True", "False"), (status) => ({
  type: "Ready",
  status,
  reason: "Because",
  message: "it is so",
  lastTransitionTime: "2026-11-24T15:00:00Z"
}))

const contents: { readonly [kind in KindName]: Effect.Effect<Fields> } = {
  ConfigMap: maybe("data", merged(maybe("a", text), maybe("b", text), maybe("c", text))),
  IPAllocation: merged(
    Effect.map(
      merged(
        Effect.map(oneOf("persistent", "persistent", "ephemeral", "wrong"), (type) => ({ type })),
        maybe(
          "allocations",
          Effect.flatMap(oneOf(0, 1, 2), (count) => Effect.replicateEffect(allocation, count))
        ),
        maybe("nodeList", text)
      ),
      (spec) => ({ spec })
    ),
    maybe(
      "status",
      merged(
        maybe("state", oneOf("pending", "success", "wrong")),
        maybe("addresses", entries),
        maybe(
          "conditions",
          Effect.map(condition, (made) => [made])
        )
      )
    )
  ),
  Service: merged(
    Effect.map(
      merged(
        Effect.map(oneOf("LoadBalancer", "LoadBalancer", "ClusterIP"), (type) => ({ type })),
        Effect.map(someOf(80, 443), (ports) => ({
          ports: ports.map((port) => ({ port, name: `p${port}`, protocol: "TCP" }))
        })),
        maybe("selector", merged(maybe("app", text), maybe("tier", text)))
      ),
      (spec) => ({ spec })
    ),
    maybe(
      "status",
      Effect.map(someOf({ ip: "192.0.2.10" }, { ip: "192.0.2.11", ipMode: "Proxy" }), (ingress) => ({
        loadBalancer: { ingress }
      }))
    )
  ),
  Lease: Effect.map(
    merged(
      maybe("holderIdentity", text),
      maybe("leaseDurationSeconds", oneOf(0, 1, 15)),
      maybe("renewTime", oneOf("2026-11-24T15:00:00.000000Z", "2026-11-24T15:00:01.000000Z"))
    ),
    (spec) => ({ spec })
  )
}

/** The odds favour what succeeds: objects that exist, and claims that are true or absent. */
export const randomOperation: Effect.Effect<Operation> = Effect.gen(function* () {
  const kind = yield* oneOf<KindName>("ConfigMap", "IPAllocation", "IPAllocation", "Service", "Lease")
  const method = yield* oneOf<Operation["method"]>(
    ...(["create", "create", "replace", "patch", "patch", "patch", "apply", "apply", "apply", "delete"] as const)
  )
  const hasStatus = (method === "patch" || method === "apply") && kind !== "ConfigMap" && kind !== "Lease"
  const subresource = hasStatus && (yield* Random.nextBoolean) ? "status" : undefined
  const content = yield* contents[kind]
  const uid = yield* oneOf<Claims["uid"]>("none", "none", "none", "current", "other")
  return {
    method,
    kind,
    name: yield* oneOf("a", "b"),
    ...(subresource === undefined
      ? { fields: { ...content, metadata: yield* metadata }, uid }
      : reporting(kind, content, uid)),
    subresource,
    version: yield* oneOf<Claims["version"]>("none", "none", "none", "current", "old"),
    manager: yield* oneOf("one", "two"),
    force: yield* Random.nextBoolean,
    propagation: yield* oneOf<Operation["propagation"]>("Background", "Background", "Foreground", "Orphan")
  }
})

/**
 * Without what a real server does oddly and nobody needs: a spec in a write to a Service's status decides the defaults of
 * the status, and metadata in one to that of a custom resource are owned, though never stored.
 */
const reporting = (kind: KindName, content: Fields, uid: Claims["uid"]): Pick<Operation, "fields" | "uid"> => ({
  fields: { status: content["status"] ?? (kind === "IPAllocation" ? { state: "pending" } : {}) },
  uid: kind === "IPAllocation" ? "none" : uid
})
