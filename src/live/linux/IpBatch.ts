/**
 * Changes of addresses through `ip -force -batch -`, all that wait at a time in one process: while one runs, the next
 * ones gather. A single change costs one process, a hundred at once one or two (measured: 7 ms instead of 340-620 ms
 * with a process each). No process stays, since a long-lived `ip -batch` leaks some 4 kB a line.
 */
import type { ChildProcess } from "node:child_process"
import { Effect } from "effect"
import { InterfaceMissing, ToolFailed } from "../../ports/NodeNetwork.ts"
import { misreading, quote } from "./Misread.ts"
import { notStarted, reasonOf, runMaxMillis, start, type Reason, type Toolbox } from "./Tool.ts"

export interface IpBatch {
  /** Submitted in one tick: run in this order, and in one process. */
  readonly submit: (command: ReadonlyArray<string>, interfaceName: string) => Effect.Effect<void, Reason>
}

interface Line {
  readonly text: string
  readonly interfaceName: string
  readonly done: (outcome: Effect.Effect<void, Reason>) => void
}

/** Bounds the time that the first one waits for the last one; a line takes some 30 µs. */
const linesMax = 1_000

export const make = (toolbox: Toolbox): IpBatch => {
  let waiting: Array<Line> = []
  let isRunning = false
  const next = () => {
    if (isRunning || waiting.length === 0) return
    const lines = waiting.splice(0, linesMax)
    isRunning = true
    runLines(toolbox, lines, (outcomes) => {
      isRunning = false
      lines.forEach((line, index) => line.done(outcomes(index)))
      next()
    })
  }
  const submit = (command: ReadonlyArray<string>, interfaceName: string) =>
    Effect.callback<void, Reason>((resume) => {
      if (!command.every(isPlainWord)) return resume(Effect.fail(notAWord(toolbox, command, interfaceName)))
      const line = { text: command.join(" "), interfaceName, done: resume }
      waiting.push(line)
      // In a microtask, so that what is submitted in one tick goes together.
      queueMicrotask(next)
      return Effect.sync(() => void (waiting = waiting.filter((each) => each !== line)))
    })
  return { submit }
}

/** A pool names the interface, and a batch has a syntax: no line break, quote, comment or variable may get into it. */
const isPlainWord = (word: string): boolean => /^[\w.:/@%+=-]+$/.test(word)

const notAWord = (toolbox: Toolbox, command: ReadonlyArray<string>, interfaceName: string): Reason =>
  // The kernel has no such names (dev_valid_name); of others, such as `a#b`, it is not known.
  /[\s/:]/.test(interfaceName) || interfaceName === ""
    ? new InterfaceMissing({ interfaceName })
    : new ToolFailed({
        tool: toolbox.ip,
        message: `not run, because ${JSON.stringify(command.find((word) => !isPlainWord(word)))} is no plain word`
      })

type Outcomes = (index: number) => Effect.Effect<void, Reason>

const runLines = (toolbox: Toolbox, lines: ReadonlyArray<Line>, done: (outcomes: Outcomes) => void): void => {
  const child = start(toolbox, toolbox.ip, ["-force", "-batch", "-"], ["pipe", "ignore", "pipe"])
  let errors = ""
  let failure: Reason | undefined
  const timer = setTimeout(() => {
    failure = new ToolFailed({ tool: toolbox.ip, message: `did not finish within ${runMaxMillis} ms` })
    child.kill("SIGKILL")
  }, runMaxMillis)
  child.stderr?.setEncoding("utf8").on("data", (text: string) => void (errors += text))
  child.on("error", (error) => void (failure = notStarted(toolbox.ip, error)))
  // "close" comes after "error" too, and after the last of stderr.
  child.on("close", (code) => {
    clearTimeout(timer)
    const reason = failure
    done(reason === undefined ? outcomesOf(toolbox, lines, errors, code) : () => Effect.fail(reason))
  })
  feed(child, lines)
}

const feed = (child: ChildProcess, lines: ReadonlyArray<Line>): void => {
  // A child that does not start or dies early says so itself.
  child.stdin?.on("error", () => undefined)
  child.stdin?.end(lines.map(({ text }) => `${text}\n`).join(""))
}

const outcomesOf = (toolbox: Toolbox, lines: ReadonlyArray<Line>, errors: string, code: number | null): Outcomes => {
  const { byLine, rest } = readErrors(errors)
  const how = `exit code ${code}`
  return (index) => {
    const interfaceName = lines[index]?.interfaceName ?? ""
    const said = byLine.get(index + 1)
    if (said !== undefined) return Effect.fail(reasonOf(toolbox.ip, said, how, interfaceName))
    // It did not get to the end: no one knows which of the others were run, and all of them may be run again.
    const isWhole = code === 0 || (rest === "" && byLine.size > 0)
    return isWhole ? Effect.void : Effect.fail(reasonOfAll(toolbox, lines.length, rest, how, interfaceName))
  }
}

/** Of many lines, what is said of none of them is no answer to each: "not found" of one is not that of another. */
const reasonOfAll = ({ ip }: Toolbox, count: number, rest: string, how: string, interfaceName: string): Reason => {
  const reason = reasonOf(ip, rest, how, interfaceName)
  return count > 1 && reason._tag === "ToolFailed"
    ? new ToolFailed({ tool: ip, message: `${misreading} for "${ip} -force -batch -": ${quote(reason.message)}` })
    : reason
}

/** Each failed line is told by its messages and then `Command failed -:LINE`; what follows the last one ended it all. */
export const readErrors = (text: string): { readonly byLine: ReadonlyMap<number, string>; readonly rest: string } => {
  const byLine = new Map<number, string>()
  let messages: Array<string> = []
  for (const line of text.split("\n")) {
    const failed = /^Command failed -:(\d+)$/.exec(line)?.[1]
    if (failed === undefined) messages.push(line)
    else {
      byLine.set(Number(failed), messages.join("\n").trim())
      messages = []
    }
  }
  return { byLine, rest: messages.join("\n").trim() }
}
