/** The story in virtual time: half a minute of cluster passes in less than a second, and no machine is too slow for it. */
import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Logger } from "effect"
import { keysWithoutUnit } from "../../../src/cli/Measure.ts"
import * as Playground from "../../../src/cli/playground/Playground.ts"
import { runVirtually } from "../../conformance/kubernetes/VirtualTime.ts"

const examples = readdirSync("examples").map((file) => ({ file, text: readFileSync(`examples/${file}`, "utf8") }))

const play = (manifests: typeof examples, isTerminal = false) => {
  let printed = ""
  const write = (text: string) =>
    Effect.sync(() => {
      printed += text
    })
  const story = Playground.run({ profile: "default", examples: manifests }, { write, isTerminal })
  const exit = runVirtually(Effect.provideService(story, Logger.CurrentLoggers, new Set()))
  if (Exit.isFailure(exit)) throw new Error(String(exit.cause))
  return { measurement: exit.value, printed }
}

const missedIn = ({ measurement }: ReturnType<typeof play>) =>
  measurement.bounds.filter(({ held }) => !held).map(({ says }) => says)

const told = play(examples)

describe("playground", () => {
  it("goes as told, with the examples as they are", () => {
    assert.deepStrictEqual(missedIn(told), [])
    assert.isAbove(told.measurement.bounds.length, 15)
  })

  it("tells what happens in the order in which it happens", () => {
    const facts = [
      "controller-1 leads",
      "PersistentIPPool anyone",
      "DaemonSet plenuslb-operator",
      "no PersistentIPPool lists 192.0.2.11",
      "192.0.2.11 granted from pool rack-1",
      "Service default/hello-kubernetes shows 192.0.2.11",
      "Service web/shop shows 198.51.100.16",
      "only for the namespaces project1 and project2",
      "the provider routes 198.18.",
      "IPAllocation default/edge is gone",
      "loses its power",
      "has not changed for",
      "is fenced",
      "192.0.2.10 moves from node-",
      '"192.0.2.10 is at',
      "the client has its answers back",
      "IPAllocation web/shop is gone"
    ]
    let position = 0
    for (const fact of facts) {
      const found = told.printed.indexOf(fact, position)
      assert.notStrictEqual(found, -1, `"${fact}" is not told, or too early, after: ${told.printed.slice(position)}`)
      position = found
    }
  })

  it("moves the address off the dead node, under the next epoch, with an announcement by the new holder", () => {
    const { json } = told.measurement
    assert.notStrictEqual(json["newNode"], json["poweredOffNode"])
    assert.match(
      told.printed,
      new RegExp(`192.0.2.10 moves from ${String(json["poweredOffNode"])} to ${String(json["newNode"])}, epoch`)
    )
    assert.include(told.printed, `${String(json["newNode"])}: gratuitous ARP on eth0, "192.0.2.10 is at`)
  })

  it("writes seven times in the whole life of a Service: three to serve, one to report, three to let go", () => {
    const rows = told.measurement.table.rows.map(([service, , , , , , writes]) => [service, writes])
    assert.deepInclude(rows, ["web/shop", "7"])
  })

  it("names a unit in every key of its JSON", () => {
    assert.deepStrictEqual(keysWithoutUnit(told.measurement.json), [])
  })

  it("overwrites its progress on a terminal, and writes plain lines elsewhere", () => {
    assert.notInclude(told.printed, "\r")
    assert.include(play(examples, true).printed, "\r")
  })

  it("says what is missing when an address of the story is in no pool", () => {
    const without = examples.map(({ file, text }) => ({ file, text: text.replaceAll("    - 192.0.2.11\n", "") }))
    const [missed, ...more] = missedIn(play(without))
    assert.include(missed, "a client gets an answer")
    assert.deepStrictEqual(more, [])
  })

  it("says which file is no YAML, and why", () => {
    const broken = examples.map(({ file, text }) => ({ file, text: file === "bare-metal.yaml" ? "{" : text }))
    assert.match(missedIn(play(broken)).join(), /^bare-metal.yaml is no YAML: .+/)
  })

  it("says which example is missing", () => {
    const without = examples.filter(({ file }) => file !== "bare-metal.yaml")
    assert.deepStrictEqual(missedIn(play(without)), ["the folder of examples has no bare-metal.yaml"])
  })

  it("ends at once, and without a trace of an error, when it is interrupted", { timeout: 60_000 }, async () => {
    const child = spawn(process.execPath, ["src/main.ts", "playground"], { stdio: ["ignore", "pipe", "pipe"] })
    let errors = ""
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()))
    child.stdout.once("data", () => child.kill("SIGINT"))
    const code = await new Promise((resolve) => child.on("exit", resolve))
    assert.deepStrictEqual({ code, errors }, { code: 130, errors: "" })
  })
})
