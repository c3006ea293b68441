/** What the adapter asks of the API of Hetzner Cloud, request by request, and what it makes of the answers. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { CloudAddress, CloudError, CloudProject, Priority } from "../../../../src/ports/Cloud.ts"
import * as Script from "./Script.ts"
import { accepted, action, floatingIp, type Line, ok, page, played, refused, single } from "./Script.ts"

const direct = { handover: "direct", priority: "normal" } as const

const outcome = <A>(effect: Effect.Effect<A, CloudError>): Effect.Effect<string> =>
  Effect.match(effect, {
    onFailure: ({ message, reason }) => `${reason._tag}: ${message}`,
    onSuccess: (value) => (value === undefined ? "done" : JSON.stringify(value))
  })

const assign = (project: CloudProject) => outcome(project.assign("7", "42", direct))

const assignBoth = (project: CloudProject) =>
  Effect.all([assign(project), outcome(project.assign("8", "42", direct))], { concurrency: 2 })

const get: (server?: string, parts?: object) => Line = (server, parts) => ["GET /floating_ips/7", single(server, parts)]
const assigning = (answer: Script.Answer, server = 42): Line => [
  `POST /floating_ips/7/actions/assign {"server":${server}}`,
  answer
]
const unassigning = (answer: Script.Answer): Line => ["POST /floating_ips/7/actions/unassign {}", answer]
const polling = (...actions: ReadonlyArray<ReturnType<typeof action>>): Line => ["GET /actions?id=9", ok({ actions })]
const success = polling(action("success"))

describe("assign", () => {
  it.each<[string, ReadonlyArray<Line>, string]>([
    ["reads it, and asks no more when it is so already", [get("node-2")], '{"changed":false}'],
    [
      "is done when a read says so, not when the action does",
      [get("node-1"), assigning(accepted()), polling(action("running")), success, get("node-2")],
      '{"changed":true}'
    ],
    [
      "hears of its action among others that are not understood",
      [
        get("node-1"),
        assigning(accepted()),
        ["GET /actions?id=9", ok({ actions: ["?", { ...action("success"), error: "none" }] })],
        get("node-2")
      ],
      '{"changed":true}'
    ],
    [
      "was accepted, succeeded, and did not happen",
      [get("node-1"), assigning(accepted()), success, get("node-1")],
      "Conflict: POST /floating_ips/7/actions/assign: Conflict: it is routed to server 41, not to server 42"
    ],
    [
      "failed at the provider",
      [
        get(),
        assigning(accepted()),
        polling(action("error", 9, { code: "server_not_stopped", message: "it says why" })),
        get()
      ],
      "OperationFailed: POST /floating_ips/7/actions/assign: OperationFailed: it says why (server_not_stopped)"
    ],
    [
      "is judged by what is read when its action vanished",
      [get(), assigning(accepted()), polling(), polling(), get("node-2")],
      '{"changed":true}'
    ],
    [
      "waits for what works on it, by that one's action",
      [
        get("node-1"),
        assigning(refused(423, "locked")),
        ["GET /floating_ips/7/actions?status=running", ok({ actions: [action("running")] })],
        success,
        assigning(accepted()),
        success,
        get("node-2")
      ],
      '{"changed":true}'
    ],
    [
      "unassigns first where the API insists",
      [
        get("node-1"),
        assigning(refused(422, "floating_ip_assigned")),
        get("node-1"),
        unassigning(accepted()),
        success,
        get(),
        assigning(accepted()),
        success,
        get("node-2")
      ],
      '{"changed":true}'
    ],
    [
      "is not repeated when its reply is lost",
      [get(), assigning("lost")],
      "ReplyLost: POST /floating_ips/7/actions/assign: ReplyLost: socket hang up"
    ],
    [
      "knows that nothing was sent",
      [get(), assigning("not sent")],
      "Unavailable: POST /floating_ips/7/actions/assign: Unavailable: connect ECONNREFUSED"
    ],
    [
      "of one that is not there",
      [["GET /floating_ips/7", refused(404, "not_found")]],
      "NotFound: POST /floating_ips/7/actions/assign: NotFound: it is not there"
    ]
  ])("%s", (_, lines, expected) => {
    assert.strictEqual(played(lines, assign), expected)
  })

  it("unassigns first where the pool wants it", () => {
    const lines = [
      get("node-1"),
      unassigning(accepted()),
      success,
      get(),
      assigning(accepted()),
      success,
      get("node-2")
    ]
    const handover = "unassignFirst" as const
    assert.strictEqual(
      played(lines, (project) => outcome(project.assign("7", "42", { handover, priority: "failover" }))),
      '{"changed":true}'
    )
  })

  it("goes one after the other for one server", () => {
    const second = floatingIp("node-2", { id: 8, name: "mail" })
    const lines: ReadonlyArray<Line> = [
      get("node-1"),
      assigning(accepted()),
      success,
      get("node-2"),
      ["GET /floating_ips/8", ok({ floating_ip: second })]
    ]
    assert.deepStrictEqual(played(lines, assignBoth), ['{"changed":true}', '{"changed":false}'])
  })
})

const assignBack = (project: CloudProject) => outcome(project.assign("7", "41", direct))
const unassign = (project: CloudProject) => outcome(project.unassign("7", "normal"))

const after = (pauseMillis: number, next: typeof assign) => (project: CloudProject) =>
  Effect.andThen(assign(project), Effect.andThen(Effect.sleep(pauseMillis), next(project)))

/** From nowhere to node-2, as it happens for the first time. */
const toNode2: ReadonlyArray<Line> = [get(), assigning(accepted()), success, get("node-2")]

describe("a read of what was a moment before", () => {
  it("does not keep it from going back to where it came from", () => {
    const again = [get("node-1"), assigning(accepted(), 41), success, get("node-1")]
    assert.strictEqual(played([...toNode2, ...again], after(4_999, assignBack)), '{"changed":true}')
  })

  it("does not keep it assigned", () => {
    const ending = [get(), unassigning(accepted()), success, get()]
    assert.strictEqual(played([...toNode2, ...ending], after(4_999, unassign)), "done")
  })

  it("does not keep it assigned when it is so old that it has none of it", () => {
    const gone: Line = ["GET /floating_ips/7", refused(404, "not_found")]
    const ending = [gone, unassigning(accepted()), success, get()]
    assert.strictEqual(played([...toNode2, ...ending], after(0, unassign)), "done")
  })

  it("does not have it unassigned where it is, when the API says that it is assigned", () => {
    const failed: ReadonlyArray<Line> = [
      get("node-1"),
      assigning(accepted()),
      polling(action("error", 9, { code: "server_error", message: "it says why" })),
      get("node-1")
    ]
    const there = [get("node-1"), assigning(refused(422, "floating_ip_assigned"), 41), get("node-1"), get("node-1")]
    assert.strictEqual(played([...failed, ...there], after(0, assignBack)), '{"changed":true}')
  })

  it("is none any more once a read cannot be that old", () => {
    assert.strictEqual(played([...toNode2, get("node-1")], after(5_000, assignBack)), '{"changed":false}')
    assert.strictEqual(played([...toNode2, get()], after(5_000, unassign)), "done")
  })

  it("is none where it says what was asked for last", () => {
    assert.strictEqual(played([...toNode2, get("node-2")], after(0, assign)), '{"changed":false}')
  })
})

const labelsOf = (found: CloudAddress | undefined) => JSON.stringify(found?.labels)

describe("labels of a moment before ours", () => {
  const ours = { claim: "uid-1" }
  const labelling = (answer: Script.Answer): Line => [`PUT /floating_ips/7 {"labels":${JSON.stringify(ours)}}`, answer]
  const readAfter =
    (pauseMillis: number, priority: Priority = "normal") =>
    (project: CloudProject) =>
      Effect.ignore(project.relabel("7", ours)).pipe(
        Effect.andThen(Effect.sleep(pauseMillis)),
        Effect.andThen(project.address("7", priority)),
        Effect.map(labelsOf)
      )
  const old = get(undefined, { labels: {} })
  const written = get(undefined, { labels: ours })

  it("are read again once a read cannot be that old", () => {
    const lines = [labelling(single(undefined, { labels: ours })), old, written]
    assert.strictEqual(played(lines, readAfter(4_999)), JSON.stringify(ours))
  })

  it("are read again where no reply came", () => {
    assert.strictEqual(played([labelling("lost"), old, written], readAfter(0)), JSON.stringify(ours))
  })

  it("are believed where ours were refused, or long ago", () => {
    assert.strictEqual(played([labelling(refused(409, "conflict")), old], readAfter(0)), "{}")
    assert.strictEqual(played([labelling(single(undefined, { labels: ours })), old], readAfter(5_000)), "{}")
  })

  it("are not waited for where clients wait", () => {
    const lines = [labelling(single(undefined, { labels: ours })), old]
    assert.strictEqual(played(lines, readAfter(0, "failover")), "{}")
  })
})

const wish = {
  name: "web",
  family: "IPv4",
  location: "fsn1",
  labels: { claim: "uid-1", cluster: "c", service: "web" },
  identifiedBy: ["claim", "cluster"]
} as const

const none: Line = ["GET /floating_ips?page=1&per_page=50", page([])]
const buying = (answer: Script.Answer): Line => [
  `POST /floating_ips ${JSON.stringify({ type: "ipv4", home_location: "fsn1", name: "web", labels: wish.labels })}`,
  answer
]
const byName = (answer: Script.Answer): Line => ["GET /floating_ips?name=web", answer]
const ensure = (project: CloudProject) => outcome(Effect.map(project.ensure(wish), ({ id }) => id))

const ensureAgain = (project: CloudProject) => Effect.andThen(ensure(project), ensure(project))
const ensureTwice = (project: CloudProject) => Effect.all([ensure(project), ensure(project)], { concurrency: 2 })

describe("ensure", () => {
  it.each<[string, ReadonlyArray<Line>, string]>([
    ["buys one", [none, buying(ok({ floating_ip: floatingIp(), action: null }, 201))], '"7"'],
    [
      "finds what it has bought before, on whatever page",
      [
        ["GET /floating_ips?page=1&per_page=50", page([floatingIp(undefined, { id: 3, labels: {} })], 2)],
        ["GET /floating_ips?page=2&per_page=50", page([floatingIp()])]
      ],
      '"7"'
    ],
    ["finds what it has bought when the reply was lost", [none, buying("lost"), byName(page([floatingIp()]))], '"7"'],
    [
      "finds it behind a gateway that gave up in HTML",
      [none, buying({ status: 502, body: "<html>bad gateway</html>" }), byName(page([floatingIp()]))],
      '"7"'
    ],
    [
      "finds what another try has bought",
      [none, buying(refused(409, "uniqueness_error")), byName(page([floatingIp()]))],
      '"7"'
    ],
    [
      "finds it by a second look where the first shows what was a moment before",
      [none, buying(refused(409, "uniqueness_error")), byName(page([])), byName(page([floatingIp()]))],
      '"7"'
    ],
    [
      "finds what it has bought when somebody has renamed it since, and has another of the name",
      [
        none,
        buying(refused(409, "uniqueness_error")),
        byName(page([])),
        byName(page([floatingIp(undefined, { id: 3, labels: {} })])),
        ["GET /floating_ips?page=1&per_page=50", page([floatingIp(undefined, { name: "renamed" })])]
      ],
      '"7"'
    ],
    [
      "says that its name is taken, by what it cannot see",
      [none, buying(refused(409, "uniqueness_error")), byName(page([])), byName(page([])), none],
      "NameTaken: POST /floating_ips: NameTaken: uniqueness_error (uniqueness_error, c0ffee)"
    ],
    [
      "says that the reply was lost when it bought none",
      [none, buying("lost"), byName(page([]))],
      "ReplyLost: POST /floating_ips: ReplyLost: socket hang up"
    ],
    [
      "takes none of the same name that is somebody else's",
      [none, buying(refused(409, "uniqueness_error")), byName(page([floatingIp(undefined, { labels: {} })]))],
      "NameTaken: POST /floating_ips: NameTaken: floating IP 7 is called web, and its labels are not those of this claim (uniqueness_error)"
    ],
    [
      "takes no IPv6 one of the same name for it",
      [none, buying("lost"), byName(page([floatingIp(undefined, { type: "ipv6", ip: "2001:db8:1:7::/64" })]))],
      "ReplyLost: POST /floating_ips: ReplyLost: socket hang up"
    ],
    [
      "buys no second one where its own is not understood",
      [["GET /floating_ips?page=1&per_page=50", page([floatingIp(undefined, { blocked: "perhaps" })])]],
      'Malformed: GET /floating_ips: Malformed: floating IP 7 (web) is not understood: Expected boolean at ["blocked"]'
    ],
    [
      "buys one where its own of the other family is not understood",
      [
        [
          "GET /floating_ips?page=1&per_page=50",
          page([floatingIp(undefined, { type: "ipv8", ip: "2001:db8:1:7::/64" })])
        ],
        buying(ok({ floating_ip: floatingIp(), action: null }, 201))
      ],
      '"7"'
    ],
    [
      "says what it cannot understand of what was bought",
      [none, buying("lost"), byName(page([floatingIp(undefined, { type: "ipv8" })]))],
      'Malformed: GET /floating_ips: Malformed: floating IP 7 (web) is not understood: Expected "ipv4" | "ipv6" at ["type"]'
    ],
    [
      "says so as well of what has its name",
      [none, buying(refused(409, "uniqueness_error")), byName(page([floatingIp(undefined, { labels: null })]))],
      'Malformed: GET /floating_ips: Malformed: floating IP 7 (web) is not understood: Expected object at ["labels"]'
    ],
    [
      "says which limit it met",
      [none, buying(refused(403, "resource_limit_exceeded", "floating_ip limit exceeded"))],
      "QuotaExceeded: POST /floating_ips: QuotaExceeded: floating_ip limit exceeded (resource_limit_exceeded, c0ffee)"
    ]
  ])("%s", (_, lines, expected) => {
    assert.strictEqual(played(lines, ensure), expected)
  })

  it("buys no second one when the end of the first try was not told, and somebody has renamed what it made", () => {
    const lines: ReadonlyArray<Line> = [
      none,
      buying("lost"),
      byName(page([])),
      ["GET /floating_ips?page=1&per_page=50", page([floatingIp(undefined, { name: "renamed" })])]
    ]
    assert.strictEqual(played(lines, ensureAgain), '"7"')
  })

  it("buys once for two who want the same", () => {
    const lines = [none, buying(ok({ floating_ip: floatingIp(), action: null }, 201))]
    assert.deepStrictEqual(played(lines, ensureTwice), ['"7"', '"7"'])
  })
})

const paged = (number: number, answer: Script.Answer): Line => [`GET /floating_ips?page=${number}&per_page=50`, answer]
const [first, second, third] = [1, 2, 3].map((id) => floatingIp(undefined, { id }))

const idsOf = (project: CloudProject) => outcome(Effect.map(project.addresses(0), (all) => all.map(({ id }) => id)))

describe("addresses", () => {
  it.each<[string, ReadonlyArray<Line>, string]>([
    [
      "are read anew when one went between two pages, which hides another",
      [paged(1, page([first, second], 2, 4)), paged(2, page([], null, 3)), paged(1, page([second, third], null, 3))],
      '["2","3"]'
    ],
    [
      "are what was read at last where the project never rests",
      [1, 2, 3].flatMap((round) => [
        paged(1, page([first], 2, 2 * round)),
        paged(2, page([second], null, 2 * round + 1))
      ]),
      '["1","2"]'
    ]
  ])("%s", (_, lines, expected) => {
    assert.strictEqual(played(lines, idsOf), expected)
  })

  it.each<[string, unknown, object]>([
    ["a type that nobody knows", { ...second, type: "ipv8" }, { id: "2", name: "web", network: "192.0.2.9" }],
    ["a number for an address", { ...second, ip: 9 }, { id: "2", name: "web", network: undefined }],
    ["no home", { ...second, home_location: null }, { id: "2", name: "web", network: "192.0.2.9" }],
    ["nothing that is known", "sold out", { id: undefined, name: undefined, network: undefined }]
  ])("are those that are understood; what has %s is told apart", (_, strange, parts) => {
    const lines = [paged(1, page([first, strange, third]))]
    const found = played(lines, (project) =>
      Effect.gen(function* () {
        return { ids: yield* idsOf(project), unreadable: yield* project.unreadable }
      })
    )
    assert.strictEqual(found.ids, '["1","3"]')
    assert.lengthOf(found.unreadable, 1)
    assert.deepInclude(found.unreadable[0], { kind: "address", ...parts })
    assert.strictEqual(found.unreadable[0]?.error.reason._tag, "Malformed")
  })
})

const server = { id: 41, name: "node-1", status: "running", location: { name: "fsn1", network_zone: "eu-central" } }
const both = { ipv4: { id: 1 }, ipv6: { id: 2 } }

describe("servers", () => {
  it.each<[string, object, string]>([
    ["as they are", { ...server, public_net: both }, "running fsn1 IPv4,IPv6"],
    ["in a state that nobody knows", { ...server, public_net: both, status: "dreaming" }, "changing fsn1 IPv4,IPv6"],
    ["without a state", { ...server, public_net: both, status: null }, "changing fsn1 IPv4,IPv6"],
    ["without a location", { ...server, public_net: both, location: null }, "running  IPv4,IPv6"],
    ["without a network of one family", { ...server, public_net: { ...both, ipv4: null } }, "running fsn1 IPv6"],
    ["that say nothing of their networks", server, "running fsn1 IPv4,IPv6"]
  ])("are known by their ids, %s", (_, wire, expected) => {
    const reply = ok({ servers: [wire], meta: { pagination: { next_page: null } } })
    const [found] = played([["GET /servers?page=1&per_page=50", reply]], (project) => project.servers(0))
    assert.strictEqual(`${found?.state} ${found?.place.location} ${[...(found?.families ?? [])].join()}`, expected)
    assert.strictEqual(found?.id, "41")
  })
})

const deleting = (answer: Script.Answer): Line => ["DELETE /floating_ips/7", answer]

describe("remove", () => {
  it.each<[string, ReadonlyArray<Line>, string]>([
    ["deletes what is routed nowhere", [get(), deleting(ok("", 204))], "done"],
    [
      "unassigns first, and waits for it",
      [get("node-1"), unassigning(accepted()), success, get(), deleting(ok("", 204))],
      "done"
    ],
    [
      "is done when it is not there, by the word of the deletion",
      [["GET /floating_ips/7", refused(404, "not_found")], deleting(refused(404, "not_found"))],
      "done"
    ],
    [
      "deletes what a read does not have: it may be older than the purchase",
      [["GET /floating_ips/7", refused(404, "not_found")], deleting(ok("", 204))],
      "done"
    ],
    ["is done when somebody was quicker", [get(), deleting(refused(404, "not_found"))], "done"],
    [
      "is done with unassigning when somebody else did that",
      [get("node-1"), unassigning(refused(422, "service_error")), get(), deleting(ok("", 204))],
      "done"
    ],
    [
      "does not touch what is protected",
      [get("node-1", { protection: { delete: true } })],
      "Protected: DELETE /floating_ips/7: Protected: floating IP web is protected from being deleted (protected)"
    ],
    [
      "leaves what was protected a moment ago",
      [get(), deleting(refused(423, "protected", "Floating IP deletion is protected"))],
      "Protected: DELETE /floating_ips/7: Protected: Floating IP deletion is protected (protected, c0ffee)"
    ]
  ])("%s", (_, lines, expected) => {
    assert.strictEqual(
      played(lines, (project) => outcome(project.remove("7"))),
      expected
    )
  })
})

const probing = (answer: Script.Answer): Line => ["GET /locations", answer]

const probeThrice = (project: CloudProject) =>
  Effect.gen(function* () {
    const first = yield* outcome(project.probe)
    const second = yield* outcome(project.probe)
    yield* Effect.sleep("31 seconds")
    return [first === second, yield* outcome(project.probe)]
  })

describe("errors", () => {
  const html = { status: 503, body: "<html></html>" }
  it.each<[string, Script.Answer, string]>([
    ["a token that is refused", refused(401, "unauthorized"), "Unauthorized permanent"],
    ["a token that may only read", refused(403, "forbidden"), "Forbidden permanent"],
    ["a token that may only read, as it was called before", refused(401, "token_readonly"), "Forbidden permanent"],
    ["maintenance", refused(403, "maintenance"), "Unavailable transient"],
    ["too many requests", refused(429, "rate_limit_exceeded"), "RateLimited throttled"],
    ["a code that nobody knows", refused(422, "quantum_error"), "Refused permanent"],
    ["a gateway", html, "Unavailable transient"],
    ["silence", "never", "Unavailable transient"],
    ["an answer that is no JSON", { status: 200, body: "{" }, "Malformed permanent"]
  ])("of a read: %s", (_, answer, expected) => {
    const verdict = played([probing(answer)], (project) => Effect.flip(project.probe))
    assert.strictEqual(`${verdict.reason._tag} ${verdict.category}`, expected)
    assert.notInclude(JSON.stringify(verdict) + verdict.message, Script.token)
  })

  it.each<[string, Script.Answer]>([
    ["an error", refused(422, "invalid_input", `Bearer ${Script.token} is no token`)],
    ["what does not decode", { status: 200, body: { floating_ips: Script.token, meta: Script.token } }],
    ["a code", refused(422, Script.token)]
  ])("never quote the token, though the answer does: %s", (_, answer) => {
    const verdict = played([[none[0], answer]], (project) => Effect.flip(project.addresses(0)))
    assert.notInclude(JSON.stringify(verdict) + verdict.message, Script.token)
  })

  it("are told again without asking, for a while, when the token is refused", () => {
    const lines = [probing(refused(401, "unauthorized")), probing(ok({ locations: [] }))]
    assert.deepStrictEqual(played(lines, probeThrice), [true, "done"])
  })
})
