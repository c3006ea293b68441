/**
 * `npm run simulate`: runs seeds of the simulator and says what they showed.
 *
 *     npm run simulate -- --seed 7 [--only power-loss,reply-lost] [--story]
 *     npm run simulate -- --seeds 100 [--from 1]
 */
import { parseArgs } from "node:util"
import { run } from "../../src/simulation/Run.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1" },
    from: { type: "string", default: "1" },
    only: { type: "string" },
    story: { type: "boolean", default: false }
  }
})
const counts = (map: ReadonlyMap<string, number>): string =>
  [...map].map(([name, count]) => `${name} ${count}`).join(", ")

const from = Number(values.seed ?? values.from)
let failed = false
for (let seed = from; seed < from + Number(values.seeds); seed++) {
  const startedAt = performance.now()
  const result = run({ seed, only: values.only?.split(",").filter((name) => name !== ""), isTold: values.story })
  const speed = Math.round(result.simulatedMillis / (performance.now() - startedAt))
  for (const line of result.story) console.log(line)
  for (const { invariant, message } of result.violations) console.log(`${invariant}: ${message}`)
  console.log(
    `seed ${seed}: ${result.verdict}, ${speed} x real time, trace ${result.hash}, nodes ${result.nodesCount}, ` +
      `Services ${result.servicesCount}, faults ${result.faults.join(",")}; ` +
      `seen ${counts(result.seen)}; excused ${counts(result.excused)}`
  )
  failed ||= result.verdict !== "passed"
}
process.exitCode = failed ? 1 : 0
