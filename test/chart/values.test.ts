import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"
import { generateChartDocs, readValues } from "../tools/chart-docs.ts"
import { helm, needsHelm, render, root } from "./helm.ts"

const readJson = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"))

interface Described {
  readonly name: string
  readonly description: string
  readonly fields: ReadonlyArray<Described> | undefined
}
const undescribed = (values: ReadonlyArray<Described>): ReadonlyArray<string> =>
  values.flatMap(({ name, description, fields }) => [
    ...(/\w/.test(description) ? [] : [name]),
    ...undescribed(fields ?? []).map((inner) => `${name}.${inner}`)
  ])

describe("chart values", () => {
  it("have a comment each", () => {
    assert.deepStrictEqual(undescribed(readValues(root)), [])
  })

  it.each(generateChartDocs(root))("$path is current (npm run generate)", ({ path, content }) => {
    assert.strictEqual(readFileSync(join(root, path), "utf8"), content)
  })

  it("are all known to the schema, and unknown ones are refused", () => {
    const schema = readJson("chart/values.schema.json")
    const values = parse(readFileSync(join(root, "chart/values.yaml"), "utf8"))
    assert.sameMembers(Object.keys(schema.properties), [...Object.keys(values), "global"])
    assert.isFalse(schema.additionalProperties)
  })

  it("belong to a chart of the package's version", () => {
    const chart = parse(readFileSync(join(root, "chart/Chart.yaml"), "utf8"))
    const { version } = readJson("package.json")
    assert.deepStrictEqual([chart.version, chart.appVersion], [version, version])
  })
})

// oxfmt-ignore
const refused: ReadonlyArray<readonly [string, object, RegExp]> = [
  ["a value that does not exist",            { replica: 3 },                                       /replica/],
  ["a nested value that does not exist",     { operator: { image: { tagg: "v1" } } },              /tagg/],
  ["no replica",                             { replicas: 0 },                                      /replicas/],
  ["replicas in words",                      { replicas: "two" },                                  /replicas/],
  ["an unknown log level",                   { logLevel: "loud" },                                 /logLevel/],
  ["a witness that is neither",              { failover: { witness: "maybe" } },                  /failover.*witness/],
  ["an unknown profile",                     { failover: { profile: "faster" } },                  /failover.*profile/],
  ["a time of nothing",                      { failover: { quietMillis: 0 } },                     /quietMillis/],
  ["a time with a unit",                     { failover: { serveMillis: "5s" } },                  /serveMillis/],
  ["a time in envs",                         { envs: { FAILOVER_QUIET_MILLIS: "9" } },             /envs\.FAILOVER_QUIET_MILLIS is what the value failover\.quietMillis sets/],
  ["an unknown pull policy",                 { image: { pullPolicy: "Sometimes" } },               /pullPolicy/],
  ["a digest that is none",                  { image: { digest: "sha256:abc" } },                  /digest/],
  ["an empty repository",                    { operator: { image: { repository: "" } } },          /repository/],
  ["a load balancer class with a space",     { loadBalancerClass: "my class" },                    /loadBalancerClass/],
  ["a pull secret without name",             { imagePullSecrets: ["registry"] },                   /imagePullSecrets/],
  ["a port beyond the last",                 { envs: { HEALTH_PORT: 70000 } },                     /HEALTH_PORT/],
  ["a port in quotes beyond the last",       { envs: { HEALTH_PORT: "70000" } },                   /envs\.HEALTH_PORT is 70000: a TCP port is a number from 1 to 65535/],
  ["a port in words",                        { envs: { HEALTH_PORT: "http" } },                    /HEALTH_PORT/],
  ["a map as environment variable",          { envs: { A: { b: 1 } } },                            /envs.*A/],
  ["a name that no shell takes",             { envs: { "MY-NAME": "x" } },                         /envs\.MY-NAME: the name of an environment variable/],
  ["no operators available at all",          { operator: { maxUnavailable: "0%" } },               /maxUnavailable/],
  ["no load balancer class",                 { loadBalancerClass: "" },                            /loadBalancerClass/],
  ["what the Pod itself knows",              { envs: { MY_NODE_NAME: "n1" } },                     /envs\.MY_NODE_NAME: the Pod itself knows it\. Remove it/],
  ["a variable that has a value",            { envs: { LOG_LEVEL: "debug" } },                     /envs\.LOG_LEVEL is what the value logLevel sets\. Remove it from envs and set logLevel/],
  ["an endpoint without its version",        { hetzner: { endpoint: "https://hetzner.example" } }, /endpoint/],
  ["an endpoint without scheme",             { hetzner: { endpoint: "hetzner.example/v1" } },      /endpoint/],
  ["an endpoint in envs",                    { envs: { HCLOUD_ENDPOINT: "http://a/v1" } },         /envs\.HCLOUD_ENDPOINT is what the value hetzner\.endpoint sets/],
  ["two operator images",                    { envs: { OPERATOR_IMAGE: "a/b:1" }, operator: { image: { tag: "2" } } }, /envs\.OPERATOR_IMAGE and operator\.image\.tag both name/],
  ["one variable in envs and extraEnv",      { envs: { A: "1" }, controller: { extraEnv: [{ name: "A", value: "2" }] } }, /controller\.extraEnv has A, which envs or another value sets/]
]

describe.skipIf(helm === undefined)(`values that helm refuses${needsHelm}`, () => {
  it.each(refused)("%s", (_, values, sentence) => {
    assert.match(render(values).refusal, sentence)
  })

  it.each([
    ["a numeric cluster name (--set makes it one)", { envs: { CLUSTER_NAME: 7 } }],
    ["a port as text (--set-string)", { envs: { HEALTH_PORT: "9080" } }],
    ["what Helm adds to a dependency", { global: { any: "thing" } }]
  ])("does not refuse %s", (_, values) => {
    assert.strictEqual(render(values).refusal, "")
  })
})
