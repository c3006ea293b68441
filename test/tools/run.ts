/**
 * `npm test`: the static gates, then every test that needs neither root nor Go. With `--cluster`: what needs them, the
 * contracts on a real API server and a real network namespace, and the lab from its start to its end.
 *
 * The last line is the count, alone: `N passed, N failed`, with `, N skipped` when there are any. A gate or a step that
 * fails counts as one.
 */
import { createHash } from "node:crypto"
import { spawn } from "node:child_process"
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

interface Count {
  passed: number
  failed: number
  skipped: number
}

const root = join(import.meta.dirname, "../..")
const count: Count = { passed: 0, failed: 0, skipped: 0 }
const failures: Array<string> = []

const lab = join(root, "test/lab")
/** Of this checkout alone: `up` ends a lab of the same name, a developer's own or that of another run. */
const labName = `pllt${createHash("sha256").update(root).digest("hex").slice(0, 6)}`
const environment = { ...process.env, LAB_NAME: process.env["LAB_NAME"] ?? labName }

const run = (program: string, args: ReadonlyArray<string>, more: { readonly [name: string]: string } = {}) =>
  new Promise<number>((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...environment, ...more },
      stdio: ["ignore", "inherit", "inherit"]
    })
    child.once("error", (error) => {
      console.error(`${program}: ${error.message}`)
      resolve(127)
    })
    child.once("exit", (code) => resolve(code ?? 1))
  })

/** A step without which the others would only fail too. */
const step = async (title: string, program: string, ...args: ReadonlyArray<string>): Promise<boolean> => {
  console.log(`\n--- ${title}`)
  const started = performance.now()
  const ok = (await run(program, args)) === 0
  console.log(`--- ${title}: ${ok ? "done" : "FAILED"} in ${((performance.now() - started) / 1000).toFixed(0)} s`)
  if (!ok) {
    count.failed += 1
    failures.push(title)
  }
  return ok
}

interface Report {
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly assertionResults: ReadonlyArray<{
      readonly status: string
      readonly title: string
      readonly ancestorTitles: ReadonlyArray<string>
    }>
  }>
}

/** A skip says why in its own title or in that of a group around it; each reason is said once. */
const reasonOf = (titles: ReadonlyArray<string>): string =>
  titles.find((title) => /skipped|not run/.test(title)) ?? titles[0] ?? "a test without a name"

const add = ({ testResults }: Report): void => {
  const reasons = new Map<string, number>()
  for (const { assertionResults, name, status } of testResults) {
    if (status === "failed" && assertionResults.every((test) => test.status !== "failed")) {
      // It could not be loaded, or a hook around its tests failed.
      count.failed += 1
      failures.push(name)
    }
    for (const test of assertionResults) {
      const titles = [...test.ancestorTitles, test.title].filter((title) => title !== "")
      if (test.status === "passed") count.passed += 1
      else if (test.status === "failed") {
        count.failed += 1
        failures.push(titles.join(" > "))
      } else {
        count.skipped += 1
        reasons.set(reasonOf(titles), (reasons.get(reasonOf(titles)) ?? 0) + 1)
      }
    }
  }
  for (const [reason, tests] of reasons) console.log(`skipped ${tests}: ${reason}`)
}

/** Through `prefix`, which may lead into another network namespace. */
const vitest = async (title: string, prefix: ReadonlyArray<string>, ...args: ReadonlyArray<string>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "plenuslb-tests-"))
  const output = join(folder, "report.json")
  console.log(`\n--- ${title}`)
  const [program = process.execPath, ...rest] = [...prefix, process.execPath, "node_modules/vitest/vitest.mjs", "run"]
  const config = ["--config", "test/vitest.config.ts", "--root", ".", "--no-color"]
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${output}`]
  const code = await run(program, [...rest, ...config, ...reporters, ...args], { PLENUSLB_REQUIRE_LOOPBACK: required })
  const before = count.failed
  if (existsSync(output)) add(JSON.parse(readFileSync(output, "utf8")))
  if (code !== 0 && count.failed === before) {
    count.failed += 1
    failures.push(`${title}: vitest ended with ${code}`)
  }
  rmSync(folder, { recursive: true })
}

const isCluster = process.argv.includes("--cluster")
/** With it, a missing API server is a failure and no reason to skip. */
const required = isCluster ? "1" : ""

const testsExist = (project: string): boolean => globSync(`test/${project}/**/*.test.ts`, { cwd: root }).length > 0

const quick = async (): Promise<void> => {
  await step("static gates (npm run check)", process.execPath, "test/tools/check.ts")
  const projects = ["unit", "conformance", "simulation", "chart"].filter(testsExist)
  await vitest(`tests: ${projects.join(", ")}`, [], ...projects.flatMap((project) => ["--project", project]))
}

const script = join(lab, "cluster.sh")

const onTheLab = async (): Promise<void> => {
  try {
    if (!(await step("the lab's start", script, "start"))) return
    if (!(await step("images, and the chart by helm", script, "deploy"))) return
    await vitest("tests: e2e", [script, "run"], "--project", "e2e")
  } finally {
    await step("the lab's end", script, "down")
  }
}

/** What needs helm, a real API server or a real network namespace: on a new machine `npm test` has skipped it. */
const liveContracts = ["live", "LiveTransport", "differential"]
  .map((name) => `conformance/kubernetes/${name}`)
  .concat("conformance/node-network/live", "conformance/node-network/kernel", "test/chart/")

const cluster = async (): Promise<void> => {
  if (!(await step("root, Go and Debian packages", script, "check"))) return
  if (!(await step("Kubernetes, etcd and helm (minutes when they are not cached)", join(lab, "build.sh")))) return
  if (!(await step("base images", join(lab, "base-image.sh")))) return
  await vitest("tests: contracts on the real thing", [], ...liveContracts)
  await onTheLab()
}

await (isCluster ? cluster() : quick())

if (failures.length > 0) console.log(`\nfailed:\n${failures.map((each) => `  ${each}`).join("\n")}`)
process.exitCode = count.failed === 0 && count.passed > 0 ? 0 : 1
const skipped = count.skipped === 0 ? "" : `, ${count.skipped} skipped`
console.log(`${count.passed} passed, ${count.failed} failed${skipped}`)
