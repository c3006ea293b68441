/** A place where one program runs, and is started again after it ended: a Pod with its kubelet. */
import { Cause, Effect, Exit, Fiber, Logger, References, type Scope } from "effect"
import { Kubernetes } from "../../ports/Kubernetes.ts"
import type { MemoryKubernetes } from "../../memory/kubernetes/MemoryKubernetes.ts"
import type { Kernel } from "../kernel/Kernel.ts"
import type { Process } from "../kernel/Process.ts"
import type { Host } from "./Host.ts"
import type { Links } from "./Links.ts"
import type { Story } from "./Story.ts"
import type { Truth } from "./Truth.ts"

export type Program = (process: Process) => Effect.Effect<unknown, unknown, Kubernetes | Scope.Scope>

export interface Surroundings {
  readonly kernel: Kernel
  readonly story: Story
  readonly memory: MemoryKubernetes
  readonly links: Links
  readonly truth: Truth
  readonly hearsLogs: boolean
}

/** What the program logs, also what it would only say when asked for more, becomes part of the truth. */
const hearing = <A, E>(run: Effect.Effect<A, E>, client: string, truth: Truth): Effect.Effect<A, E> => {
  const logger = Logger.map(Logger.formatJson, (text) => truth.logged(client, text))
  return run.pipe(
    Effect.provideService(Logger.CurrentLoggers, new Set([logger])),
    Effect.provideService(References.MinimumLogLevel, "All")
  )
}

const operatorDown = "no operator runs"

export class Post {
  /** Name of the client at the API server. */
  readonly client: string
  /** The machine on which it runs; controllers have one of their own. */
  readonly host: Host | undefined
  process: Process | undefined
  /** Started again by its kubelet unless this is false. */
  mayRun = true
  private fiber: Fiber.Fiber<unknown, unknown> | undefined
  private readonly surroundings: Surroundings
  private readonly program: Program

  constructor(client: string, host: Host | undefined, surroundings: Surroundings, program: Program) {
    this.client = client
    this.host = host
    this.surroundings = surroundings
    this.program = program
    surroundings.links.add(client)
  }

  get isRunning(): boolean {
    return this.process?.isRunning === true
  }

  start(): void {
    const { hearsLogs, kernel, links, story, truth } = this.surroundings
    const process = kernel.process(this.client)
    this.process = process
    this.host?.processes.add(process)
    if (this.host !== undefined) truth.setImpaired(this.host.name, operatorDown, false)
    story.tell(`${this.client} starts`)
    const run = Effect.scoped(this.program(process)).pipe(
      Effect.provideService(Kubernetes, links.portFor(this.client, process)),
      Effect.onExit((exit) => Effect.sync(() => this.ended(process, exit)))
    )
    this.fiber = Effect.runForkWith(process.context)(hearsLogs ? hearing(run, this.client, truth) : run)
  }

  /** As by SIGTERM: it may do what it must before it ends, if it can run. */
  terminate(): void {
    const { fiber, process } = this
    if (fiber === undefined || process === undefined) return
    this.surroundings.story.tell(`${this.client} is asked to end`)
    Effect.runForkWith(process.context)(Fiber.interrupt(fiber))
  }

  /** As by `kill -9`. */
  kill(): void {
    this.surroundings.story.tell(`${this.client} is killed`)
    this.clear()
  }

  /** Its machine is no more. */
  clear(): void {
    if (this.process === undefined) return
    this.process.kill()
    this.host?.processes.delete(this.process)
    this.process = undefined
    // One that went with its machine is cleared later, when another may run there.
    if (this.host?.processes.size === 0) this.surroundings.truth.setImpaired(this.host.name, operatorDown, true)
    this.surroundings.links.forget(this.client)
  }

  private ended(process: Process, exit: Exit.Exit<unknown, unknown>): void {
    if (this.process !== process) return
    this.surroundings.story.tell(`${this.client} ends: ${howOf(exit)}`)
    this.clear()
  }
}

/** Without the ids of fibers, which another run in this process has others of. */
const howOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit) ? "done" : Cause.hasInterruptsOnly(exit.cause) ? "as asked" : String(exit.cause)
