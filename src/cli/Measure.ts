/**
 * The contract of every command that measures: a table for people, progress on a terminal, with `--json FILE` one object
 * whose keys carry their unit, and exit code 0 only when every bound held.
 */
import { Data, Effect, FileSystem, Runtime } from "effect"
import { Flag } from "effect/cli"

export interface Table {
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

/** A sentence, and whether it is true. A command that only compares has none. */
export interface Bound {
  readonly says: string
  readonly held: boolean
}

export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

export interface Measurement {
  readonly table: Table
  readonly bounds: ReadonlyArray<Bound>
  readonly json: { readonly [key: string]: Json }
}

/** Printed already, hence not reported again; the exit code is 1. */
export class BoundsMissed extends Data.TaggedError("BoundsMissed")<{ readonly message: string }> {
  override readonly [Runtime.errorReported] = true
}
export class ResultNotWritten extends Data.TaggedError("ResultNotWritten")<{ readonly message: string }> {}

export const jsonFlag = Flag.String("json").pipe(
  Flag.withMetavar("FILE"),
  Flag.withDescription("Write the result to FILE as one JSON object whose keys carry their unit"),
  Flag.optional
)

const isNumeric = (cell: string): boolean => /^-?[\d.,]+( ?[a-zA-Z%/]+)?$/.test(cell)

/** Columns as wide as their widest cell; numbers to the right. */
export const render = ({ columns, rows }: Table): ReadonlyArray<string> => {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => (row[index] ?? "").length))
  )
  const right = columns.map((_, index) => rows.length > 0 && rows.every((row) => isNumeric(row[index] ?? "")))
  const line = (cells: ReadonlyArray<string>) =>
    cells
      .map((cell, index) =>
        right[index] === true ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)
      )
      .join("  ")
      .trimEnd()
  return [line(columns), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)]
}

/** What a number may count in. An epoch and a seed are names that happen to be numbers. */
const units = /(Millis|Seconds|Count|Bytes|MiB|PerSecond|Percent|Ratio|[eE]poch|[sS]eed)$/

/** Paths of the numbers whose key names no unit; a program that has one has a bug. */
export const keysWithoutUnit = (value: Json, path = ""): ReadonlyArray<string> => {
  if (typeof value === "number") return units.test(path) ? [] : [path]
  if (typeof value !== "object" || value === null) return []
  if (Array.isArray(value)) return value.flatMap((each: Json) => keysWithoutUnit(each, path))
  return Object.entries(value).flatMap(([key, each]) => keysWithoutUnit(each, path === "" ? key : `${path}.${key}`))
}

export const writeJson = Effect.fnUntraced(function* (file: string, json: Measurement["json"]) {
  const unnamed = keysWithoutUnit(json)
  if (unnamed.length > 0) return yield* Effect.die(new Error(`keys without unit: ${unnamed.join(", ")}`))
  const files = yield* FileSystem.FileSystem
  yield* files.writeFileString(file, `${JSON.stringify(json, undefined, 2)}\n`).pipe(
    Effect.mapError(
      ({ message }) =>
        new ResultNotWritten({
          message: `--json ${file} cannot be written: ${message}. Name a file in a folder of yours.`
        })
    )
  )
})

/** Table, missed bounds, file, exit code: the end of every command that measures. */
export const finish = Effect.fnUntraced(function* (
  measurement: Measurement,
  jsonFile: string | undefined,
  print: (line: string) => Effect.Effect<void>
) {
  const missed = measurement.bounds.filter(({ held }) => !held)
  yield* Effect.forEach(render(measurement.table), print)
  yield* Effect.forEach(missed, ({ says }) => print(`MISSED: ${says}`))
  if (jsonFile !== undefined) {
    const allBoundsHeld = missed.length === 0
    yield* writeJson(jsonFile, { ...measurement.json, allBoundsHeld, missedBounds: missed.map(({ says }) => says) })
  }
  if (missed.length > 0) {
    return yield* new BoundsMissed({ message: `${missed.length} of ${measurement.bounds.length} bounds missed` })
  }
})
