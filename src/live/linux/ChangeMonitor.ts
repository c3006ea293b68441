/**
 * Wakes when a link or an address of the node changed: `ip -o monitor`, of whose output only the fact that there is
 * some is used (6.1 ignores `-j` here). It is started again when it ends, and every start wakes once it listens, so that
 * a reader who reads the state after each waking misses nothing.
 */
import type { ChildProcess } from "node:child_process"
import { readFile } from "node:fs/promises"
import { type Cause, Clock, Effect, Queue, Stream } from "effect"
import { notStarted, start, type Reason, type Toolbox } from "./Tool.ts"

const pauseMinMillis = 100
const pauseMaxMillis = 5_000
/** A monitor that lived this long was healthy: the next pause is the shortest again. */
const healthyMillis = 10_000
const listenPollMillis = 5
const listenMaxPolls = 200

/** One waking may stand for many changes. Fails only when the tool cannot be started. */
export const changes = (toolbox: Toolbox): Stream.Stream<void, Reason> =>
  Stream.callback<void, Reason>((queue) => Effect.forkScoped(watchForEver(toolbox, queue)), {
    bufferSize: 1,
    strategy: "sliding"
  })

const watchForEver = Effect.fnUntraced(function* (toolbox: Toolbox, queue: Queue.Queue<void, Reason | Cause.Done>) {
  let pauseMillis = pauseMinMillis
  while (true) {
    const startedAt = yield* Clock.currentTimeMillis
    const exit = yield* Effect.exit(watchOnce(toolbox, () => Queue.offerUnsafe(queue, undefined)))
    if (exit._tag === "Failure") return yield* Queue.failCause(queue, exit.cause)
    const lived = (yield* Clock.currentTimeMillis) - startedAt
    if (lived >= healthyMillis) pauseMillis = pauseMinMillis
    yield* Effect.logWarning("the monitor of links and addresses ended and will be started again").pipe(
      Effect.annotateLogs({ livedMillis: lived, pauseMillis })
    )
    yield* Effect.sleep(pauseMillis)
    pauseMillis = Math.min(pauseMaxMillis, pauseMillis * 2)
  }
})

/** Ends when the process does. */
const watchOnce = (toolbox: Toolbox, wake: () => void): Effect.Effect<void, Reason> =>
  Effect.scoped(
    Effect.gen(function* () {
      const args = ["-o", "monitor", "address", "link"]
      const child = yield* Effect.acquireRelease(
        Effect.sync(() => start(toolbox, toolbox.ip, args, ["ignore", "pipe", "pipe"])),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      const ended = Effect.callback<void, Reason>((resume) => {
        child.on("close", () => resume(Effect.void))
        child.on("error", (error) => resume(Effect.fail(notStarted(toolbox.ip, error))))
        child.stderr?.resume()
        child.stdout?.on("data", wake)
      })
      yield* Effect.forkScoped(Effect.andThen(untilItListens(child), Effect.sync(wake)))
      return yield* ended
    })
  )

/**
 * `ip monitor` prints nothing when it begins to listen, but its netlink socket appears, under the id of the process and
 * with its groups. Without /proc it wakes after a second all the same.
 */
const untilItListens = Effect.fnUntraced(function* (child: ChildProcess) {
  for (let poll = 0; poll < listenMaxPolls; poll++) {
    const sockets = yield* Effect.promise(() => readFile(`/proc/${child.pid}/net/netlink`, "utf8").catch(() => ""))
    if (isListening(sockets, child.pid ?? 0)) return
    yield* Effect.sleep(listenPollMillis)
  }
})

/** Columns of /proc/net/netlink: sk, Eth (0 is rtnetlink), Pid, Groups (a bit mask), … */
export const isListening = (sockets: string, pid: number): boolean =>
  sockets.split("\n").some((line) => {
    const [, protocol, port, groups] = line.trim().split(/\s+/)
    return protocol === "0" && port === String(pid) && Number.parseInt(groups ?? "0", 16) !== 0
  })
