/**
 * Wakes when a link or an address of the node changed: `ip -o monitor`, of whose output only the fact that there is
 * some is used (6.1 ignores `-j` here). It is started again when it ends, and every start wakes once it listens, so that
 * a reader who reads the state after each waking misses nothing.
 */
import { readdir, readFile, readlink } from "node:fs/promises"
import { type Cause, Clock, Effect, Queue, Stream } from "effect"
import * as StayingProcess from "./StayingProcess.ts"
import { notStarted, type Reason, type Toolbox } from "./Tool.ts"

const pauseMinMillis = 100
const pauseMaxMillis = 5_000
/** A monitor that lived this long was healthy: the next pause is the shortest again. */
const healthyMillis = 10_000
/** Of what it says before it ends, such as that it does not know an argument. */
const errorMaxCharacters = 512
const listenPollMillis = 5
const pollsBetweenWakings = 200
const listenMaxPolls = 12_000

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
    let said = ""
    const onError = (text: string) => void (said = (said + text).slice(-errorMaxCharacters))
    const exit = yield* Effect.exit(watchOnce(toolbox, () => Queue.offerUnsafe(queue, undefined), onError))
    if (exit._tag === "Failure") return yield* Queue.failCause(queue, exit.cause)
    const lived = (yield* Clock.currentTimeMillis) - startedAt
    if (lived >= healthyMillis) pauseMillis = pauseMinMillis
    yield* Effect.logWarning("the monitor of links and addresses ended and will be started again").pipe(
      Effect.annotateLogs({ livedMillis: lived, pauseMillis, said: said.trim() })
    )
    yield* Effect.sleep(pauseMillis)
    pauseMillis = Math.min(pauseMaxMillis, pauseMillis * 2)
  }
})

/** Ends when the process does. */
const watchOnce = (toolbox: Toolbox, wake: () => void, onError: (text: string) => void): Effect.Effect<void, Reason> =>
  Effect.scoped(
    Effect.gen(function* () {
      const args = ["-o", "monitor", "address", "link"]
      const { ended, pid } = yield* Effect.acquireRelease(
        Effect.sync(() => StayingProcess.start(toolbox, toolbox.ip, args, { onOutput: wake, onErrors: onError })),
        ({ kill }) => Effect.sync(kill)
      )
      yield* Effect.forkScoped(Effect.andThen(untilItListens(pid, wake), Effect.sync(wake)))
      const end = yield* ended
      if (end._tag === "NotStarted") return yield* Effect.fail(notStarted(toolbox.ip, end.error))
    })
  )

/**
 * `ip monitor` prints nothing when it begins to listen, but its sockets appear in /proc. As long as they do not (a machine
 * that is out of breath, no /proc) it wakes every second, so that a reader is late but misses nothing.
 */
const untilItListens = Effect.fnUntraced(function* (pid: number | undefined, wake: () => void) {
  for (let poll = 1; poll <= listenMaxPolls; poll++) {
    if (yield* Effect.promise(() => readSockets(`/proc/${pid}`).then(isListening, () => false))) return
    if (poll % pollsBetweenWakings === 0) wake()
    yield* Effect.sleep(listenPollMillis)
  }
})

export interface Sockets {
  /** Of the process: the inode numbers of its open sockets. */
  readonly inodes: ReadonlySet<string>
  /** Of its network namespace: /proc/net/netlink. */
  readonly netlink: string
}

export const readSockets = async (process: string): Promise<Sockets> => {
  const descriptors = await readdir(`${process}/fd`)
  const targets = await Promise.all(descriptors.map((each) => readlink(`${process}/fd/${each}`).catch(() => "")))
  return {
    inodes: new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [])),
    netlink: await readFile(`${process}/net/netlink`, "utf8")
  }
}

/**
 * `ip monitor` joins its groups and then, on the same socket, reads the names of all links, when it drops every change
 * that comes in between. With that behind it, it opens a second socket of rtnetlink: from then on it hears everything
 * (iproute2, ip/ipmonitor.c and lib/libnetlink.c, `rtnl_dump_filter`).
 *
 * Columns of /proc/net/netlink: sk, Eth (0 is rtnetlink), Pid, Groups (a bit mask), Rmem, Wmem, Dump, Locks, Drops, Inode.
 */
export const isListening = ({ inodes, netlink }: Sockets): boolean => {
  const groups = netlink
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1] === "0" && inodes.has(columns[9] ?? ""))
    .map((columns) => Number.parseInt(columns[3] ?? "0", 16))
  return groups.length > 1 && groups.some((mask) => mask !== 0)
}
