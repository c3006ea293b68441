/**
 * A tool that ran, and printed something else than what is read here: a version that nobody has tried. What it means is not
 * guessed. The error names the tool, its version, what was found and what was expected, for a person who chooses the image.
 */
import { Effect } from "effect"
import { ToolFailed } from "../../ports/NodeNetwork.ts"
import { run, type Reason, type Toolbox } from "./Tool.ts"

export interface Misread {
  readonly tool: string
  /** After the tool's name, for whoever wants to see it himself. */
  readonly args: ReadonlyArray<string>
  readonly found: string
  /** As the object of "expected". */
  readonly expected: string
}

/** Of a text that may be megabytes long. */
const quoteMax = 200

export const quote = (text: string): string => {
  const trimmed = text.trim().replace(/\s+/g, " ")
  return trimmed.length > quoteMax ? `${trimmed.slice(0, quoteMax)}…` : trimmed
}

export const misreading = "printed what is not understood"

/** Its text may hold any word of the tool's, and must not be searched for what it usually means. */
export const isMisread = (reason: Reason): boolean =>
  reason._tag === "ToolFailed" && reason.message.startsWith(misreading)

/** The first line with a number that has a dot: socat begins with its author. */
export const versionIn = (text: string): string | undefined => {
  const line = text.split("\n").find((each) => /\d+\.\d+/.test(each))
  return line === undefined ? undefined : quote(line)
}

/** All tools of the box know `-V`. It is asked for only after the tool has run. */
const versionOf = (toolbox: Toolbox, tool: string): Effect.Effect<string> =>
  run(toolbox, tool, ["-V"]).pipe(
    Effect.map((text) => versionIn(text) ?? "unknown"),
    Effect.orElseSucceed(() => "unknown")
  )

export const misread = Effect.fnUntraced(function* (
  toolbox: Toolbox,
  { args, expected, found, tool }: Misread
): Effect.fn.Return<never, Reason> {
  const version = yield* versionOf(toolbox, tool)
  const command = [tool, ...args].join(" ")
  return yield* Effect.fail(
    new ToolFailed({
      tool,
      message:
        `${misreading} for "${command}": ${found}. Expected: ${expected}. Its version: ${version}. Run the operator from ` +
        "PlenusLB's own image of this release, whose tools are known, or report what the command prints."
    })
  )
})
