/** The table of facts and the vendor's Go client, as its module stands in Go's cache on this machine. */
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { differences, structsIn } from "./GoSchema.ts"

const module = "github.com/hetznercloud/hcloud-go/v2"

/** Nothing is fetched: `npm run hetzner-clients` does. */
const directory = (): string | undefined => {
  const cwd = join(import.meta.dirname, "../../hetzner-clients/go")
  const env = { ...process.env, GOPROXY: "off", GOFLAGS: "-mod=mod" }
  const go = ["go", "/usr/local/go/bin/go"].map((command) =>
    spawnSync(command, ["list", "-m", "-f", "{{.Dir}}", module], { cwd, env, encoding: "utf8" })
  )
  const found = go.find(({ status }) => status === 0)?.stdout.trim() ?? ""
  return found === "" ? undefined : join(found, "hcloud/schema")
}

const schema = directory()
if (schema === undefined)
  console.log(`skipped: ${module} is not in Go's module cache (npm run hetzner-clients fetches it)`)

const read = (from: string): string =>
  readdirSync(from)
    .filter((file) => file.endsWith(".go") && !file.endsWith("_test.go"))
    .map((file) => readFileSync(join(from, file), "utf8"))
    .join("\n")

describe.skipIf(schema === undefined)("the contract and the vendor's Go client", () => {
  const source = read(schema ?? ".")

  it("say the same of every operation", () => {
    assert.deepStrictEqual(differences(structsIn(source)), [])
  })

  // oxfmt-ignore
  it.each([
    ["a key that is called otherwise",  "json:\"home_location\"",              "json:\"home\"",               "GET /floating_ips: reply.floating_ips[]: Go knows no home_location"],
    ["a key more in a reply",           "json:\"blocked\"`\n\tProtection",     "json:\"blocked\"`\n\tMore string `json:\"more\"`\n\tProtection", "GET /floating_ips: reply.floating_ips[]: more is missing here"],
    ["a key more in a body",            "type FloatingIPActionAssignRequest struct {", "type FloatingIPActionAssignRequest struct {\n\tForce bool `json:\"force\"`", "POST /floating_ips/{id}/actions/assign: body: force is missing here"],
    ["another type",                    "Progress  int ",                      "Progress  string ",           "POST /floating_ips: reply.action.progress is string in Go, and integer here"],
    ["a null",                          "Created      time.Time  ",            "Created      *time.Time  ",   "GET /floating_ips: reply.floating_ips[].created may be null in Go"]
  ])("would differ by %s", (_, text, other, problem) => {
    assert.include(source, text)
    assert.include(differences(structsIn(source.replace(text, other))), problem)
  })
})
