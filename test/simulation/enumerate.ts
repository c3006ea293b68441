/** `npm run simulate -- --enumerate`, and the replay of one point of it (`--scenario NAME --at N --mode MODE`). */
import { Effect } from "effect"
import * as Measure from "../../src/cli/Measure.ts"
import { enumerate, type Enumeration, type Mode, runDisturbed } from "../../src/simulation/Enumerate.ts"
import { render } from "../../src/simulation/scenario/Script.ts"
import type { RunResult } from "../../src/simulation/Run.ts"
import { readScript } from "./scripts.ts"

type Print = (line: string) => Effect.Effect<void>

const linesOf = ({ failure, scenario }: Enumeration): ReadonlyArray<string> =>
  failure === undefined
    ? []
    : [
        ...failure.violations.map(({ invariant, message }) => `${invariant}: ${message}`),
        `${scenario}, effect ${failure.point.at}: ${failure.effect?.client} ${failure.effect?.what}, ${failure.point.mode}`,
        `replay: npm run simulate -- --scenario ${scenario} --at ${failure.point.at} --mode ${failure.point.mode}`
      ]

export const enumerateAll = Effect.fnUntraced(function* (
  scenarios: ReadonlyArray<string>,
  jsonFile: string | undefined,
  print: Print
) {
  const startedAt = performance.now()
  const done = scenarios.map((name) => enumerate(readScript(name)))
  const elapsedSeconds = Math.round((performance.now() - startedAt) / 1000)
  const pointsCount = done.reduce((sum, each) => sum + each.pointsCount, 0)
  yield* Effect.forEach(done.flatMap(linesOf), print)
  const measurement: Measure.Measurement = {
    table: {
      columns: ["scenario", "effects", "points", "verdict"],
      rows: [
        ...done.map(({ effectsCount, failure, pointsCount: points, scenario }) => [
          scenario,
          String(effectsCount),
          String(points),
          failure === undefined ? "all passed" : "FAILED"
        ]),
        [`${done.length} in ${elapsedSeconds} s`, "", String(pointsCount), ""]
      ]
    },
    bounds: done.map(({ failure, scenario }) => ({
      says: `${scenario} is safe and reaches its end from every point`,
      held: failure === undefined
    })),
    json: {
      elapsedSeconds,
      pointsCount,
      scenarios: done.map((each) => ({
        name: each.scenario,
        effectsCount: each.effectsCount,
        pointsCount: each.pointsCount,
        passed: each.failure === undefined
      }))
    }
  }
  yield* Measure.finish(measurement, jsonFile, print)
})

/** Tells what happened when one effect goes wrong; without a number, when none does. */
export const replay = Effect.fnUntraced(function* (scenario: string, at: number | undefined, mode: Mode, print: Print) {
  const script = readScript(scenario)
  const undisturbed = runDisturbed(script, undefined)
  const result = at === undefined ? undisturbed : runDisturbed(script, { at, mode }, undisturbed.end)
  yield* print(render(result.script))
  const effect = at === undefined ? undefined : undisturbed.effects[at - 1]
  if (effect !== undefined) yield* print(`effect ${at}: ${effect.client} ${effect.what}, ${mode}`)
  for (const { invariant, message } of result.violations) yield* print(`${invariant}: ${message}`)
  yield* print(`${scenario}: ${result.verdict}, ${result.effects.length} effects, trace ${result.hash}`)
  return result.verdict satisfies RunResult["verdict"]
})
