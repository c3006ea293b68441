import { assert, describe, it } from "@effect/vitest"
import { readPermissions } from "../tools/chart-docs.ts"
import { helm, manifestOf, needsHelm, renderManifests, root } from "./helm.ts"

const permissions = readPermissions(root)
const rules = Object.entries(permissions).flatMap(([role, scopes]) =>
  Object.entries(scopes).flatMap(([scope, list]) =>
    (list ?? []).map(
      (rule) => [`${role}, ${scope}: ${rule.verbs.join(" ")} ${rule.resources.join(" ")}`, rule, scope, role] as const
    )
  )
)
/** What a Kubernetes reader may see anywhere without learning a secret; all else is limited by namespace or name. */
const writes = new Set(["create", "update", "patch", "delete", "deletecollection"])

describe("permissions", () => {
  it.each(rules)("%s has a reason", (_, { why }) => {
    assert.isAtLeast(why.split(" ").length, 3)
  })

  it.each(rules)("%s has no wildcard, no escalation, no deletecollection", (_, { group, resources, verbs }) => {
    for (const word of [group, ...resources, ...verbs]) {
      assert.notInclude(["*", "escalate", "bind", "impersonate", "deletecollection"], word)
    }
  })

  it("touch one Secret by name, and a create, which has no name, is limited by an admission policy", () => {
    const touched = rules.filter(([, { resources }]) => resources.includes("secrets"))
    assert.deepStrictEqual(
      touched.map(([, { names, verbs, when }, scope, role]) => [role, scope, names, verbs, when]),
      [
        ["controller", "namespace", ["plenuslb-witness"], ["get"], "witness"],
        ["controller", "namespace", undefined, ["create"], "witness"],
        ["uninstall", "namespace", ["plenuslb-witness"], ["delete"], undefined]
      ]
    )
  })

  it("let a process write Services, Nodes and Pods nowhere but in a Service's status", () => {
    const written = rules.filter(
      ([, { group, resources, verbs }]) =>
        group === "" &&
        resources.some((name) => /^(services|nodes|pods)/.test(name)) &&
        verbs.some((verb) => writes.has(verb))
    )
    assert.deepStrictEqual(
      written.map(([, rule]) => [rule.resources, rule.verbs]),
      [[["services/status"], ["patch"]]]
    )
  })

  it("let operators read no pool, which may hold a token", () => {
    const read = rules.filter(([, , , role]) => role === "operator").flatMap(([, { resources }]) => resources)
    assert.sameMembers(read, ["ipallocations", "ipallocations/status", "leases", "configmaps", "pods"])
  })
})

describe.skipIf(helm === undefined)(`rendered roles${needsHelm}`, () => {
  it.each([
    ["ClusterRole", "controller", "cluster"],
    ["Role", "controller", "namespace"],
    ["ClusterRole", "operator", "cluster"],
    ["Role", "operator", "namespace"],
    ["ClusterRole", "crds", "cluster"],
    ["Role", "uninstall", "namespace"]
  ] as const)("%s plenuslb:%s has the rules of the table and no other", (kind, role, scope) => {
    const rendered = manifestOf(renderManifests({}), kind, `plenuslb:${role}`).rules
    const expected = (permissions[role]?.[scope] ?? []).map(({ group, resources, names, verbs }) => ({
      apiGroups: [group],
      resources,
      ...(names === undefined ? {} : { resourceNames: names }),
      verbs
    }))
    assert.deepStrictEqual(rendered, expected)
  })

  it("with witness: off has no right to the voters' Secret, and no policy for it", () => {
    const manifests = renderManifests({ failover: { witness: "off" } })
    const { rules: granted } = manifestOf(manifests, "Role", "plenuslb:controller")
    assert.notInclude(JSON.stringify(granted), "secrets")
    assert.notInclude(JSON.stringify(manifests), "plenuslb-controller-secret")
  })

  it("grants exactly the Secrets that controller.secretNames lists", () => {
    const { rules: granted } = manifestOf(
      renderManifests({ controller: { secretNames: ["hcloud"] }, failover: { witness: "off" } }),
      "Role",
      "plenuslb:controller"
    )
    assert.deepStrictEqual(
      granted.filter(({ resources }: { readonly resources: ReadonlyArray<string> }) => resources.includes("secrets")),
      [{ apiGroups: [""], resources: ["secrets"], resourceNames: ["hcloud"], verbs: ["get", "list", "watch"] }]
    )
  })
})
