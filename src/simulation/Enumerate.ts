/**
 * Every place at which one process can fail, one after the other: a scenario is run once for each external effect (a write
 * to the API, a change of a kernel) and each way to fail there. Chance finds what happens often; this finds the rest.
 * Renewals of leases are left out of the count, and so are events, which only tell.
 */
import { leaderLeaseName } from "../api/Names.ts"
import type { Violation } from "../invariants/GroundTruth.ts"
import type { ApiRequest, Fault } from "../memory/kubernetes/Faults.ts"
import type { HttpRequest } from "../ports/HttpExchange.ts"
import { Conflict } from "../ports/Kubernetes.ts"
import { runScenario, type ScenarioResult } from "./Scenario.ts"
import type { Script } from "./scenario/Script.ts"
import { type CloudTrouble, isCloudWrite, nameOfCloudRequest } from "./world/CloudSite.ts"
import type { World } from "./world/World.ts"

/** The last two are answers of the API server: a change of a kernel has none of them. */
export const modes = ["crash-before", "crash-after", "lose-reply", "conflict"] as const
export type Mode = (typeof modes)[number]

export interface Point {
  /** From 1 on. */
  readonly at: number
  readonly mode: Mode
}

export interface ExternalEffect {
  readonly client: string
  readonly what: string
  readonly isKernel: boolean
}

export interface Failure {
  readonly scenario: string
  readonly point: Point
  readonly effect: ExternalEffect | undefined
  readonly violations: ReadonlyArray<Violation>
}

export interface Enumeration {
  readonly scenario: string
  readonly effectsCount: number
  readonly pointsCount: number
  readonly failure: Failure | undefined
}

const writes = new Set(["create", "replace", "patch", "apply", "delete"])

/** An operator that registers anew after a fence does so by the same request as it renews by, and is left out with it. */
const isRenewal = ({ method, name, plural, user }: ApiRequest): boolean =>
  plural === "leases" && method === "replace" && (name === leaderLeaseName || user.startsWith("operator-"))

const isEffect = (request: ApiRequest): boolean =>
  writes.has(request.method) && request.plural !== "events" && !isRenewal(request)

const nameOf = ({ method, name, namespace, plural, subresource }: ApiRequest): string =>
  [`${method} ${plural}`, namespace, name, subresource].filter((part) => part !== undefined).join("/")

/** Counts the effects of our programs, and lets one go wrong. */
class Disturbance {
  readonly effects: Array<ExternalEffect> = []
  private readonly world: World
  private readonly point: Point | undefined

  constructor(world: World, point: Point | undefined) {
    this.world = world
    this.point = point
    world.links.faults.set("enumeration", (request) => this.request(request))
    world.cloud.faults.set("enumeration", (client, request) => this.cloudRequest(client, request))
    for (const host of world.hosts) {
      host.crossing = {
        before: (client, what) => {
          if (this.count({ client, what, isKernel: true }) === "crash-before") this.kill(client)
        },
        after: (client) => {
          const isLast = this.effects.length === this.point?.at
          if (isLast && this.point?.mode === "crash-after" && this.effects.at(-1)?.client === client) this.kill(client)
        }
      }
    }
  }

  private request(request: ApiRequest): Fault | undefined {
    if (!isEffect(request)) return undefined
    const client = request.user
    switch (this.count({ client, what: nameOf(request), isKernel: false })) {
      case undefined:
        return undefined
      case "crash-before":
        this.kill(client)
        return { delayMillis: 1 }
      case "crash-after":
        // The server acts in this very step; nothing that the client sends afterwards can arrive before the timer.
        this.world.kernel.setTimer(1, () => this.kill(client))
        return { replyDelayMillis: 1_000 }
      case "lose-reply":
        return { delayMillis: 1, loseReply: true, replyDelayMillis: 1 }
      case "conflict":
        return { delayMillis: 1, refuse: new Conflict({ message: "the object has been modified" }) }
    }
  }

  private cloudRequest(client: string, request: HttpRequest): CloudTrouble | undefined {
    if (!isCloudWrite(request)) return undefined
    switch (this.count({ client, what: nameOfCloudRequest(request), isKernel: false })) {
      case undefined:
        return undefined
      case "crash-before":
        this.kill(client)
        return { delayMillis: 1 }
      case "crash-after":
        // The provider acts in this very step; the reply takes longer.
        this.world.kernel.setTimer(1, () => this.kill(client))
        return undefined
      case "lose-reply":
        return { fault: { loseReply: true } }
      case "conflict":
        return { fault: { refuse: { code: "conflict" } } }
    }
  }

  private count(effect: ExternalEffect): Mode | undefined {
    this.effects.push(effect)
    return this.effects.length === this.point?.at ? this.point.mode : undefined
  }

  private kill(client: string): void {
    const { controllers, operators } = this.world
    for (const post of [...controllers, ...operators]) if (post.client === client) post.kill()
  }
}

/** With a point: once, disturbed there, and with the end that an undisturbed run has. */
export const runDisturbed = (
  script: Script,
  point: Point | undefined,
  end?: string
): ScenarioResult & { readonly effects: ReadonlyArray<ExternalEffect> } => {
  let disturbance: Disturbance | undefined
  const result = runScenario(script, {
    end,
    prepare: (world) => {
      disturbance = new Disturbance(world, point)
    }
  })
  return { ...result, effects: disturbance?.effects ?? [] }
}

export const pointsOf = (effects: ReadonlyArray<ExternalEffect>): ReadonlyArray<Point> =>
  effects.flatMap(({ isKernel }, index) =>
    modes.filter((mode) => !isKernel || mode.startsWith("crash")).map((mode) => ({ at: index + 1, mode }))
  )

export const enumerate = (script: Script, onPoint: (done: number, of: number) => void = () => {}): Enumeration => {
  const undisturbed = runDisturbed(script, undefined)
  const points = pointsOf(undisturbed.effects)
  const counted = { scenario: script.name, effectsCount: undisturbed.effects.length, pointsCount: points.length }
  const failed = (point: Point, violations: ReadonlyArray<Violation>): Enumeration => ({
    ...counted,
    failure: { scenario: script.name, point, effect: undisturbed.effects[point.at - 1], violations }
  })
  if (undisturbed.verdict !== "passed") return failed({ at: 0, mode: "crash-before" }, undisturbed.violations)
  for (const [index, point] of points.entries()) {
    const result = runDisturbed(script, point, undisturbed.end)
    onPoint(index + 1, points.length)
    if (result.verdict !== "passed") return failed(point, result.violations)
  }
  return { ...counted, failure: undefined }
}
