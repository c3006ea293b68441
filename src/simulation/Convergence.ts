/** Waits until what must be so is so, and fails when it takes longer than it may. */
import { Effect } from "effect"
import { liveness } from "../invariants/all.ts"
import type { Violation } from "../invariants/GroundTruth.ts"
import { Stopped } from "./Court.ts"
import type { World } from "./world/World.ts"

const pollMillis = 50
/** What a provider has to do may take so much longer (simulation: L1). */
const cloudMillisDefault = 60_000

export interface Demand {
  readonly withinMillis: number
  /** How much longer what a provider has to do may take; a minute unless given. */
  readonly cloudMillis?: number
  /** What was done last, for the message. */
  readonly since: string
  /** Services that nothing is demanded of. */
  readonly without?: ReadonlySet<string>
  /** What is demanded besides all liveness. */
  readonly also?: () => ReadonlyArray<Violation>
}

export const unmetOf = (
  world: World,
  { also, without }: Pick<Demand, "also" | "without">
): ReadonlyArray<Violation> => [
  ...liveness
    .flatMap((each) => each.unmet(world.truth))
    .filter(({ about }) => about === undefined || without?.has(about) !== true),
  ...(also?.() ?? [])
]

export const converge = Effect.fnUntraced(function* (world: World, demand: Demand): Effect.fn.Return<void, Stopped> {
  const startMillis = world.kernel.nowMillis
  const { cloudMillis = cloudMillisDefault } = demand
  /** What a provider had to do something for: what is left once that is done takes a moment more. */
  const ofCloud = new Set<string>()
  while (true) {
    const unmet = unmetOf(world, demand)
    if (unmet.length === 0) return
    const waitedMillis = world.kernel.nowMillis - startMillis
    for (const { about, awaitsCloud } of unmet) if (awaitsCloud === true && about !== undefined) ofCloud.add(about)
    const isLate = ({ about, awaitsCloud = false }: Violation) =>
      waitedMillis > demand.withinMillis + (awaitsCloud || ofCloud.has(about ?? "") ? cloudMillis : 0)
    if (unmet.some(isLate)) {
      const late = `${demand.withinMillis / 1000} s after ${demand.since}`
      return yield* Effect.fail(
        new Stopped(
          "liveness",
          unmet.filter(isLate).map((each) => ({ ...each, message: `${each.message}, ${late}` }))
        )
      )
    }
    yield* Effect.sleep(pollMillis)
  }
})
