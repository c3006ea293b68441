/** Runs tasks in a thread of its own, and ends what takes many times as long as it should. */
import { Worker } from "node:worker_threads"
import { Data, Effect } from "effect"
import type { Mutant } from "./Mutant.ts"
import type { Finding, Message, Task } from "./worker.ts"

export interface Answer {
  readonly findings: ReadonlyArray<Finding>
  readonly cpuMillis: number
}

export interface Limit {
  /** Below that nobody is suspected. */
  readonly leastMillis: number
  /** CPU time that the task may take; asked once it took `leastMillis`, since the answer may itself take long. */
  readonly of: (task: Task) => Effect.Effect<number>
}

export interface Runner {
  readonly ask: (task: Task) => Effect.Effect<Answer>
}

class Ended extends Data.TaggedError("Ended")<{ readonly message: string }> {}

const lookEveryMillis = 250
/** A mutant that hoards is ended by the engine, not by the machine. */
const memoryMebibytes = 1_500

/** As told by the thread itself until it answers, or by its end. */
const nextMessage = (worker: Worker) =>
  Effect.callback<Message, Ended>((resume) => {
    const onMessage = (message: Message) => finish(Effect.succeed(message))
    const onError = (error: unknown) => finish(Effect.fail(new Ended({ message: String(error) })))
    const onExit = (code: number) => finish(Effect.fail(new Ended({ message: `ended with ${code}` })))
    const deafen = () => worker.off("message", onMessage).off("error", onError).off("exit", onExit)
    const finish = (result: Effect.Effect<Message, Ended>) => {
      deafen()
      resume(result)
    }
    worker.on("message", onMessage).on("error", onError).on("exit", onExit)
    return Effect.sync(deafen)
  })

const cpuMillisOf = (worker: Worker) =>
  Effect.promise(async () => {
    const { system, user } = await worker.cpuUsage()
    return (system + user) / 1000
  })

const seconds = (millis: number) => (millis / 1000).toFixed(1)

const whereOf = ({ scenarios, seeds }: Task): string =>
  [...(scenarios.length > 0 ? ["scenarios"] : []), ...seeds.map(({ seed }) => `seed ${seed}`)].join(", ")

/** Never ends for a task that stays within its limit. */
const untilHung = Effect.fnUntraced(function* (worker: Worker, task: Task, limit: Limit) {
  const before = yield* cpuMillisOf(worker)
  while (true) {
    yield* Effect.sleep(lookEveryMillis)
    const spent = (yield* cpuMillisOf(worker)) - before
    if (spent < limit.leastMillis) continue
    const limitMillis = yield* limit.of(task)
    if (spent < limitMillis) continue
    const message = `hung: ended after ${seconds(spent)} s of CPU time, where ${seconds(limitMillis)} s were allowed`
    return { findings: [{ where: whereOf(task), invariant: "hung", message }], cpuMillis: spent } satisfies Answer
  }
})

const answerOf = (worker: Worker, task: Task, limit: Limit): Effect.Effect<Answer, Ended> => {
  const answered = Effect.map(nextMessage(worker), (message) =>
    message.type === "Answer" ? message : { findings: [], cpuMillis: 0 }
  )
  worker.postMessage(task)
  return Effect.raceFirst(answered, untilHung(worker, task, limit))
}

/** The thread is kept from task to task, and made anew after one that did not survive. */
export const newRunner = Effect.fnUntraced(function* (mutant: Mutant | undefined, limit: Limit) {
  let present: Worker | undefined
  const discard = Effect.promise(async () => {
    await present?.terminate()
    present = undefined
  })
  const started = Effect.gen(function* () {
    if (present !== undefined) return present
    present = new Worker(new URL("worker.ts", import.meta.url), {
      workerData: mutant,
      resourceLimits: { maxOldGenerationSizeMb: memoryMebibytes }
    })
    // One that is being ended may run out of memory just then, when nobody listens to it any more.
    present.on("error", () => {})
    yield* nextMessage(present)
    return present
  })
  yield* Effect.addFinalizer(() => discard)
  const ask = (task: Task) =>
    Effect.flatMap(started, (worker) => answerOf(worker, task, limit)).pipe(
      Effect.catch(({ message }) =>
        Effect.succeed<Answer>({ findings: [{ where: whereOf(task), invariant: "crash", message }], cpuMillis: 0 })
      ),
      Effect.tap(({ findings }) =>
        findings.some(({ invariant }) => invariant === "hung" || invariant === "crash") ? discard : Effect.void
      )
    )
  return { ask } satisfies Runner
})
