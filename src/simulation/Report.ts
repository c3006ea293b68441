/** A failure in words: what was broken, what led to it, and the one command that replays it. */
import type { RunOptions, RunResult } from "./Run.ts"

/** Of the story, at most so many lines before the end. */
const linesMax = 60

/** What can be named in a message: addresses, `namespace/name`, nodes. */
const nameable = /[0-9a-f]*:[0-9a-f:]+|\d+\.\d+\.\d+\.\d+|[a-z0-9-]+\/[a-z0-9-]+|\bnode-\d+\b/g

/** Lines that concern what the violation names, and everything that a fault did. */
const relevant = (story: ReadonlyArray<string>, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  story.filter(
    (line) =>
      /\* |VIOLATION|loses power|boots|starts|ends|is killed|the faults end/.test(line) ||
      names.some((name) => line.includes(name))
  )

export const commandOf = ({ faultMillis, nodesCount, only, seed, servicesCount }: RunOptions): string =>
  [
    `npm run simulate -- --seed ${seed}`,
    ...(only === undefined ? [] : [`--only '${only.join(",")}'`]),
    ...(nodesCount === undefined ? [] : [`--nodes ${nodesCount}`]),
    ...(servicesCount === undefined ? [] : [`--services ${servicesCount}`]),
    ...(faultMillis === undefined ? [] : [`--fault-seconds ${faultMillis / 1000}`])
  ].join(" ")

/** `result` of a run that was told (`isTold`). */
export const reportOf = (options: RunOptions, result: RunResult): ReadonlyArray<string> => {
  const names = result.violations.flatMap(({ message }) => message.match(nameable) ?? [])
  const lines = relevant(result.story, names)
  const left = lines.length > linesMax ? [`  (${lines.length - linesMax} earlier lines: --story prints all)`] : []
  return [
    `seed ${result.seed} broke ${result.verdict}:`,
    ...result.violations.slice(0, 5).map(({ invariant, message }) => `  ${invariant}: ${message}`),
    `with ${result.nodesCount} nodes, ${result.servicesCount} Services, faults: ${result.faults.join(", ") || "none"}`,
    "what happened:",
    ...left,
    ...lines.slice(-linesMax).map((line) => `  ${line}`),
    "replay:",
    `  ${commandOf(options)}`
  ]
}
