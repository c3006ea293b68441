import { assert, describe, it } from "@effect/vitest"
import { spawn, type ChildProcess } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { eventually } from "../e2e/harness/eventually.ts"
import { root } from "./helm.ts"

const supervise = join(root, "docker/supervise.sh")

/** Starts a shell program under the supervisor; `line` awaits its next line. */
const start = (program: string) => {
  const child: ChildProcess = spawn(supervise, ["sh", "-c", program], { stdio: ["ignore", "pipe", "ignore"] })
  if (child.stdout === null) throw new Error("no stdout")
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve))
  return { child, ended, line: async (): Promise<string> => String((await lines.next()).value) }
}

/** Gone, or dead and not yet reaped: outside a container the orphans go to the machine's pid 1. */
const isAlive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")
  } catch {
    return false
  }
}

/** Prints its own process id and that of a tool that would outlive it, then waits; ends with 7 on SIGTERM. */
const agent = 'trap "exit 7" TERM; sleep 600 & echo $$ $!; wait'
const pids = (line: string): ReadonlyArray<number> => line.split(" ").map(Number)

describe.skipIf(process.platform !== "linux")("docker/supervise.sh", () => {
  it("starts a killed agent again, ends the tools it left, and passes SIGTERM on", async () => {
    const { child, ended, line } = start(agent)
    const [first = 0, tool = 0] = pids(await line())
    process.kill(first, "SIGKILL")
    const [second = 0] = pids(await line())
    assert.notStrictEqual(second, first)
    // A signal that was sent has not yet ended a process on a busy machine.
    await eventually("the tool is dead", async () => !isAlive(tool), 60)
    child.kill("SIGTERM")
    assert.strictEqual(await ended, 7)
    assert.isFalse(isAlive(second))
  })

  it.each([0, 3])("ends with code %i when the agent ended itself with it", async (code) => {
    assert.strictEqual(await start(`exit ${code}`).ended, code)
  })

  it("is not made to spin by an agent that dies at once, and SIGTERM ends it while it pauses", async () => {
    const { child, ended, line } = start("echo started; kill -9 $$")
    await line()
    await line()
    child.kill("SIGTERM")
    assert.isNotNull(await ended)
  })
})
