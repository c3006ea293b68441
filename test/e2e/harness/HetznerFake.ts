/**
 * The provider of the lab: our fake as one more machine on its LAN, with servers named like the nodes, and the router that
 * follows it. The fake runs in the test's own process: a test reads its truth and sets its faults without a detour, and
 * it ends with the test, whatever becomes of that.
 */
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Effect, Exit, Scope } from "effect"
import type { HetznerProject } from "../../../src/memory/hetzner/HetznerProject.ts"
import type { FloatingIp, Type } from "../../../src/memory/hetzner/Resources.ts"
import { serve } from "../../hetzner-fake/Server.ts"
import { eventually } from "./eventually.ts"
import { cluster, nodeNames } from "./Lab.ts"
import * as Product from "./Product.ts"

/** The lab's host, where its API server listens too. */
const LISTEN = "172.30.0.1"

/** Raised by hand at the vendor; the ten of a new project are what a test of quotas would want. */
const FLOATING_IPS_MAX = 40

/** Shorter than at the vendor, long enough to be seen running. */
const ACTION_MILLIS = 500

export interface HetznerFake {
  /** For the controller, with the version. */
  readonly endpoint: string
  /** Both open the one project; purchases tell by which. Random, so that one that leaks is found by looking for it. */
  readonly tokens: { readonly inline: string; readonly secret: string }
  readonly project: HetznerProject
  readonly floatingIps: () => ReadonlyArray<FloatingIp>
  /** The one that this address belongs to. */
  readonly floatingIpOf: (address: string) => FloatingIp | undefined
  /** The node to whose server the provider sends packets for the address. */
  readonly routedTo: (address: string) => string | undefined
  readonly serverId: (node: string) => number
  /** What a person buys in the console, with the address that a Service would name. */
  readonly buy: (type: Type, name: string) => { readonly id: number; readonly address: string }
  /** Requests of this route so far. */
  readonly requests: (route: string) => number
  /** The plug first; then the provider says `off`. */
  readonly powerOff: (node: string) => Promise<void>
  readonly powerOn: (node: string) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Of IPv6 a floating IP is a network, of which the first address after its own is used. */
export const addressOf = ({ ip }: Pick<FloatingIp, "ip">): string => ip.replace("/64", "1")

/** Holds every floating IP's packets to the fake's word until it is ended. */
const startRouter = async (endpoint: string): Promise<() => Promise<void>> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "hetzner-router.ts"), endpoint], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const ended = once(child, "exit")
  const lines: Array<string> = []
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line))
  await eventually("the router follows the fake", async () => lines.includes("following"))
  return async () => {
    child.stdin.end()
    await ended
  }
}

const views = (project: HetznerProject) => {
  const { truth } = project
  const floatingIps = () => truth.floatingIps()
  const floatingIpOf = (address: string) => floatingIps().find((each) => addressOf(each) === address)
  return {
    project,
    floatingIps,
    floatingIpOf,
    routedTo: (address: string) => {
      const server = floatingIpOf(address)?.server
      return truth.servers().find(({ id }) => id === server)?.name
    },
    serverId: (node: string): number => {
      const found = truth.servers().find(({ name }) => name === node)
      if (found === undefined) throw new Error(`the fake has no server ${node}`)
      return found.id
    },
    buy: (type: Type, name: string) => {
      const bought = project.console.addFloatingIp({ type, name })
      return { id: bought.id, address: addressOf(bought) }
    },
    requests: (route: string) => project.requests().get(route) ?? 0
  }
}

export const start = async (): Promise<HetznerFake> => {
  const tokens = { inline: `inline-${randomUUID()}`, secret: `secret-${randomUUID()}` }
  const scope = Scope.makeUnsafe()
  const { baseUrl, project } = await Effect.runPromise(
    serve({
      listen: LISTEN,
      port: 0,
      floatingIpsMax: FLOATING_IPS_MAX,
      actionTime: { millis: ACTION_MILLIS },
      tokens: Object.entries(tokens).map(([name, secret]) => ({ secret, name, mayWrite: true }))
    }).pipe(Scope.provide(scope))
  )
  for (const name of nodeNames) project.console.addServer({ name })
  const stopRouter = await startRouter(baseUrl)
  const seen = views(project)
  return {
    endpoint: baseUrl,
    tokens,
    ...seen,
    powerOff: async (node) => {
      await cluster("node-power-off", node)
      project.console.setServerStatus(seen.serverId(node), "off")
    },
    powerOn: async (node) => {
      project.console.setServerStatus(seen.serverId(node), "running")
      await cluster("node-power-on", node)
    },
    stop: async () => {
      await stopRouter()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  }
}

/** Name of the Secret that the controller may read. */
export const secretName = "hcloud"

/** PlenusLB that asks this fake, and tells all that it can. */
export const install = async ({ endpoint }: HetznerFake): Promise<void> => {
  const values = [`hetzner.endpoint=${endpoint}`, "logLevel=debug", `controller.secretNames={${secretName}}`]
  await Product.install(...values.flatMap((value) => ["--set", value]))
  await Product.installed()
}

/** As the other tests want it. */
export const uninstall = async (): Promise<void> => {
  await Product.install()
  await Product.installed()
}
