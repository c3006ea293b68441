/** The playground as a program: builds the world, has the story told, and sums up. What it needs of the machine is given. */
import { Effect } from "effect"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"
import type { Bound, Json, Measurement } from "../Measure.ts"
import * as Screen from "./Screen.ts"
import * as Story from "./Story.ts"
import * as World from "./World.ts"

const intro = [
  "PlenusLB playground: the controller and the operators as they are, on a Kubernetes API and three nodes in memory.",
  "No root and no cluster; nothing outside this process is touched."
]

interface Row {
  readonly service: string
  readonly address: string
  readonly node: string
  readonly epoch: number
  readonly state: string
  readonly outageMillis: number
  readonly writesCount: number
}

const rowOf = (world: World.World, key: string): Row => {
  const allocation = World.allocationOf(world, key)
  const address = World.shownAddress(world, key)
  return {
    service: key,
    address: address ?? "",
    node: World.holderOf(world, key) ?? "",
    epoch: World.epochOf(world, key),
    state: World.serviceOf(world, key) === undefined ? "deleted" : (allocation?.status?.state ?? "pending"),
    outageMillis: address === undefined ? 0 : (world.probes.seen(address)?.outageMillis ?? 0),
    writesCount: world.ledger.writes.get(key) ?? 0
  }
}

const cellsOf = ({ address, epoch, node, outageMillis, service, state, writesCount }: Row): ReadonlyArray<string> => [
  service,
  address === "" ? "-" : address,
  node === "" ? "-" : node,
  epoch === 0 ? "-" : String(epoch),
  state,
  outageMillis === 0 ? "none" : `${(outageMillis / 1000).toFixed(2)} s`,
  String(writesCount)
]

const jsonOf = (row: Row): Json => ({ ...row })

/** Never fails with `NotAsTold`: what was not as told is a bound that did not hold. */
export const run = Effect.fnUntraced(function* (options: World.Options, output: Screen.Output) {
  const startedAt = yield* monotonicMillis
  const screen = yield* Screen.make(output)
  for (const line of intro) screen.heading(line)
  const world = yield* World.make(options, screen)
  const told = yield* Effect.result(Story.tell(world, output.isTerminal))
  const moved = told._tag === "Success" ? told.success : undefined
  const failure: ReadonlyArray<Bound> = told._tag === "Failure" ? [{ says: told.failure.message, held: false }] : []
  const rows = [Story.byExternalIp, Story.byAnnotation, Story.byPool, Story.refused].map((key) => rowOf(world, key))
  screen.heading("")
  yield* screen.flush
  const measurement: Measurement = {
    table: {
      columns: ["SERVICE", "ADDRESS", "NODE", "EPOCH", "STATE", "OUTAGE", "WRITES"],
      rows: rows.map(cellsOf)
    },
    bounds: [...world.expectations.all.filter(({ held }) => held), ...failure],
    json: {
      command: "playground",
      profile: options.profile,
      quietMillis: world.cluster.times.quietMillis,
      elapsedMillis: (yield* monotonicMillis) - startedAt,
      ...(moved === undefined
        ? {}
        : { poweredOffNode: moved.from, newNode: moved.to, fencedAfterMillis: moved.fencedAfterMillis }),
      expectations: world.expectations.all.map(({ held, says }) => ({ says, held })),
      services: rows.map(jsonOf)
    }
  }
  return measurement
}, Effect.scoped)
