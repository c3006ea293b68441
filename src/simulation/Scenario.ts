/**
 * Runs a script (`scenario/Script.ts`) in a world of three nodes and two controllers, with a fixed order and no preemption, so
 * that what happened reads as documentation. Every invariant is judged as in a run of a seed, and at the end every
 * liveness must hold.
 */
import { Effect } from "effect"
import { liveness } from "../invariants/all.ts"
import { withGuard } from "./kernel/Guard.ts"
import { Kernel } from "./kernel/Kernel.ts"
import { converge } from "./Convergence.ts"
import { Court, Stopped, untilConvicted } from "./Court.ts"
import { verdictOf, type Verdict } from "./Run.ts"
import type { Violation } from "../invariants/GroundTruth.ts"
import { commands } from "./scenario/Commands.ts"
import { Narrator } from "./scenario/Narrator.ts"
import type { Block, Script } from "./scenario/Script.ts"
import { type Act, Stuck, waitUntil } from "./scenario/Stage.ts"
import { Story } from "./world/Story.ts"
import * as World from "./world/World.ts"

export interface ScenarioOptions {
  /** Called before the first command: where a disturbance is put in. */
  readonly prepare?: ((world: World.World) => void) | undefined
  /** What `endOf` must become; undefined: whatever it is. */
  readonly end?: string | undefined
}

export interface ScenarioResult {
  readonly verdict: Verdict
  readonly violations: ReadonlyArray<Violation>
  /** With what happened in this run. */
  readonly script: Script
  /** What Services have and show, and what kernels hold, without who holds it. */
  readonly end: string
  readonly hash: string
}

const seed = 1
const nodesCount = 3
const controllersCount = 2
/** A block ends when nothing was told for so long: longer than any pause between two steps of one piece of work. */
const quietMillis = 2_000
/** After the last command: what an operator or a controller waits for at most, in a cluster that nothing disturbs. */
const convergeMillis = 60_000

/** What a scenario waits for in vain is a liveness that failed: one of ours, where one knows why. */
const stoppedBy = (error: Stuck, world: World.World): Stopped => {
  const unmet = liveness.flatMap((each) => each.unmet(world.truth))
  return new Stopped("liveness", unmet.length > 0 ? unmet : [{ invariant: "scenario", message: error.message }])
}

const actOf = (world: World.World, line: string): Act => {
  for (const { act, form } of commands) {
    const found = form.exec(line)
    if (found !== null) return act(world, found.slice(1))
  }
  return Effect.fail(new Stuck(`"${line}" is no command: src/simulation/scenario/*Commands.ts have them all`))
}

/** Whether it runs without breaking anything. */
export const isFaultFree = ({ blocks }: Script): boolean =>
  !blocks.some(({ commands: lines }) =>
    lines.some((line) => commands.some(({ form, isFault }) => isFault && form.test(line)))
  )

export const endOf = ({ truth }: World.World): string => {
  const shown = [...truth.services].map(([key, { status }]) => {
    const ingress = status?.loadBalancer?.ingress ?? []
    return `Service ${key} shows ${ingress.map(({ ip }) => ip).join(",")}`
  })
  const granted = [...truth.allocations].map(([key, { spec, status }]) => {
    const addresses = spec.allocations.map(({ address, pool }) => `${address} of ${pool}`)
    return `${key} has ${addresses.join(",")}: ${status?.state}`
  })
  const held = [...truth.holders].flatMap(([address, nodes]) =>
    nodes.size === 0 ? [] : [`${address} is on ${nodes.size} node(s)`]
  )
  const bought = truth.cloud.map(
    ({ labels, network, node }) =>
      `cloud: ${network}, ${labels["ownership"] ?? "nobody's"}, ${node === undefined ? "not routed" : "routed"}`
  )
  return [...shown, ...granted, ...held, ...bought].toSorted().join("\n")
}

const runBlock = Effect.fnUntraced(function* (world: World.World, narrator: Narrator, block: Block) {
  narrator.take()
  for (const line of block.commands) yield* actOf(world, line)
  const isQuiet = () => world.kernel.nowMillis - narrator.lastMillis >= quietMillis
  narrator.lastMillis = world.kernel.nowMillis
  yield* waitUntil("it is quiet", isQuiet)
  return { ...block, happened: narrator.take() }
})

export const runScenario = (script: Script, options: ScenarioOptions = {}): ScenarioResult => {
  const kernel = new Kernel({ seed, preemption: 0, isShuffled: false })
  const story = new Story(kernel, { isTold: false })
  const narrator = new Narrator(kernel)
  const court = new Court()
  const blocks: Array<Block> = []
  let end = ""
  const scenario = Effect.fnUntraced(function* (world: World.World) {
    for (const block of script.blocks) {
      blocks.push(block.commands.length === 0 ? block : yield* runBlock(world, narrator, block))
    }
    if (options.end !== undefined) {
      const wanted = options.end
      yield* waitUntil(`the end is\n${wanted}\nas without disturbance`, () => endOf(world) === wanted)
    }
    end = endOf(world)
    yield* converge(world, { withinMillis: convergeMillis, since: "the end of the script" })
    court.look()
  })
  const program = Effect.gen(function* () {
    const world = yield* World.make(kernel, story, { nodesCount, controllersCount, hearsLogs: false }, (event) => {
      court.hear(event)
      narrator.hear(event, court.world?.truth ?? { cloud: [] })
    })
    court.world = world
    narrator.follow(world.memory)
    options.prepare?.(world)
    return yield* Effect.raceFirst(
      Effect.mapError(scenario(world), (error) => (error instanceof Stuck ? stoppedBy(error, world) : error)),
      untilConvicted(court)
    )
  })
  const { verdict, violations } = verdictOf(() => withGuard(() => kernel.run(program)))
  return { verdict, violations, script: { name: script.name, blocks }, end, hash: story.hash() }
}
