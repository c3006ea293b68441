import { assert, describe, it } from "@effect/vitest"
import * as ServiceRequest from "../../../src/domain/ServiceRequest.ts"

const ours = "loadbalancing.plenus.io/plenuslb"

describe("ServiceRequest.isOurs", () => {
  // oxfmt-ignore
  it.each([
    // type           class        default  ours
    ["LoadBalancer",  undefined,   true,    true],
    ["LoadBalancer",  undefined,   false,   false],
    ["LoadBalancer",  ours,        false,   true],
    ["LoadBalancer",  ours,        true,    true],
    ["LoadBalancer",  "metallb.io", true,   false],
    ["ClusterIP",     ours,        true,    false],
    [undefined,       undefined,   true,    false]
  ])("type %s, class %s, default %s: %s", (type, loadBalancerClass, defaultLoadBalancer, expected) => {
    const rules = { defaultLoadBalancer, loadBalancerClass: ours }
    assert.strictEqual(ServiceRequest.isOurs({ type, loadBalancerClass }, rules), expected)
  })
})

const read = (spec: ServiceRequest.ServiceObject["spec"], annotations: { readonly [key: string]: string } = {}) =>
  ServiceRequest.readRequest({
    metadata: {
      name: "shop",
      namespace: "web",
      uid: "u1",
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [`loadbalancing.plenus.io/${key}`, value])
      )
    },
    spec
  })

describe("ServiceRequest.readRequest", () => {
  it("joins externalIPs, annotation and loadBalancerIP in canonical form, each once", () => {
    const { request, problems } = read(
      { externalIPs: ["192.0.2.10", "2001:DB8::0:A"], loadBalancerIP: "192.0.2.11" },
      { addresses: " 192.0.2.12, 2001:db8::a ,192.0.2.10" }
    )
    assert.deepStrictEqual<ReadonlyArray<string>>(request.addresses, [
      "192.0.2.10",
      "2001:db8::a",
      "192.0.2.12",
      "192.0.2.11"
    ])
    assert.deepStrictEqual(problems, [])
  })

  it("keeps what it understands beside what it does not, and names Service, field, fault and remedy", () => {
    const { request, problems } = read({ externalIPs: ["192.0.2.10"] }, { addresses: "192.0.2.011,,127.0.0.1" })
    assert.deepStrictEqual<ReadonlyArray<string>>(request.addresses, ["192.0.2.10"])
    assert.deepStrictEqual(
      problems.map(({ reason, severity }) => [reason, severity]),
      [
        ["MalformedAddress", "refusal"],
        ["MalformedAddress", "refusal"],
        ["MalformedAddress", "refusal"]
      ]
    )
    assert.strictEqual(
      problems[0]?.message,
      'Service web/shop, annotation loadbalancing.plenus.io/addresses: "192.0.2.011" has leading zeros, which some ' +
        "programs read as octal. Write 192.0.2.11 if that is meant."
    )
    assert.include(problems[2]?.message, "loopback")
  })

  it("warns of an annotation under our prefix that means nothing, and lists those that do", () => {
    const { request, problems } = read({}, { adresses: "192.0.2.10", pool: "rack-1" })
    assert.deepStrictEqual(request.addresses, [])
    assert.strictEqual(request.pool, "rack-1")
    assert.deepStrictEqual(
      problems.map(({ reason, severity }) => [reason, severity]),
      [["UnknownAnnotation", "warning"]]
    )
    assert.include(problems[0]?.message, "loadbalancing.plenus.io/adresses")
    assert.include(problems[0]?.message, "loadbalancing.plenus.io/addresses,")
  })

  it("leaves annotations of others alone", () => {
    const { problems } = ServiceRequest.readRequest({
      metadata: { name: "shop", annotations: { "metallb.io/addresses": "1.2.3.4" } },
      spec: {}
    })
    assert.deepStrictEqual(problems, [])
  })

  // oxfmt-ignore
  it.each([
    ["an empty pool annotation",                     {},                                   { pool: "  " },                  "MalformedAnnotation"],
    ["a reverse name that is none",                  {},                                   { "reverse-dns": "mail_1.example" }, "MalformedAnnotation"],
    ["an empty list of addresses",                   {},                                   { addresses: "" },               "MalformedAnnotation"],
    ["a pool that is not asked",                     { externalIPs: ["192.0.2.10"] },      { pool: "rack-1" },              "PoolAnnotationIgnored"],
    ["sharing",                                      {},                                   { "allow-shared-ip": "k" },      "SharingNotYetSupported"]
  ])("warns of %s, and ignores nothing in silence", (_, spec, annotations, reason) => {
    const { problems } = read(spec, annotations as { readonly [key: string]: string })
    assert.deepStrictEqual(problems.map((problem) => [problem.reason, problem.severity]), [[reason, "warning"]])
  })

  // oxfmt-ignore
  it.each([
    // name                        spec                                                                            families          prefers
    ["nothing said",               {},                                                                             [],               false],
    ["single stack",               { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" },                        ["IPv6"],         false],
    ["dual stack required",        { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" },           ["IPv4", "IPv6"], false],
    ["dual stack preferred",       { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "PreferDualStack" },            ["IPv6", "IPv4"], true],
    ["a family of the future",     { ipFamilies: ["IPv4", "IPv8"] },                                               ["IPv4"],         false]
  ])("reads the families: %s", (_, spec, families, prefersDualStack) => {
    const { request } = read(spec as ServiceRequest.ServiceObject["spec"])
    assert.deepStrictEqual<ReadonlyArray<string>>(request.families, families)
    assert.strictEqual(request.prefersDualStack, prefersDualStack)
  })

  it("reads who it is, where it likes to be, and whether a holder needs an endpoint", () => {
    const { request } = read({ externalTrafficPolicy: "Local" }, { "preferred-node": "worker-2" })
    assert.deepStrictEqual(
      [request.namespace, request.name, request.uid, request.localTraffic, request.preferredNode],
      ["web", "shop", "u1", true, "worker-2"]
    )
  })

  it("reads no more once a hundred are no addresses: an annotation of 256 kB would hold up all other Services for seconds", () => {
    const { request, problems } = read({}, { addresses: `192.0.2.10,${"x,".repeat(1_000)}192.0.2.11` })
    assert.deepStrictEqual<ReadonlyArray<string>>(request.addresses, ["192.0.2.10"])
    assert.lengthOf(problems, 100)
  })
})
