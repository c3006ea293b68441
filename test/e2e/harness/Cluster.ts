/** The API server: reads through our own adapter and Schemas, writes with kubectl, as a user does. */
import { spawn } from "node:child_process"
import { Effect, Layer, ManagedRuntime } from "effect"
import type { Event } from "../../../src/api/Event.ts"
import { events } from "../../../src/api/Event.ts"
import type { KubernetesObject, ObjectRef, ResourceType } from "../../../src/api/KubernetesObject.ts"
import { nodes } from "../../../src/api/Node.ts"
import * as Kubeconfig from "../../../src/live/kubernetes/Kubeconfig.ts"
import * as LiveKubernetes from "../../../src/live/kubernetes/LiveKubernetes.ts"
import { Kubernetes, type Selection } from "../../../src/ports/Kubernetes.ts"
import { eventually } from "./eventually.ts"
import { command, kubeconfig } from "./Lab.ts"

const runtime = ManagedRuntime.make(LiveKubernetes.layer().pipe(Layer.provide(Kubeconfig.layer({ path: kubeconfig }))))

export const get = <A extends KubernetesObject>(type: ResourceType<A>, ref: ObjectRef): Promise<A | undefined> =>
  runtime.runPromise(
    Kubernetes.use((kubernetes) => kubernetes.get(type, ref)).pipe(
      Effect.map((object): A | undefined => object),
      Effect.catchIf(
        (error) => error.reason._tag === "NotFound",
        () => Effect.undefined
      )
    )
  )

export const list = <A extends KubernetesObject>(
  type: ResourceType<A>,
  selection: Selection = {}
): Promise<ReadonlyArray<A>> =>
  runtime.runPromise(
    Kubernetes.use((kubernetes) => kubernetes.list(type, selection)).pipe(Effect.map(({ items }) => items))
  )

/**
 * Short names only of what v0.4 had too: kubectl keeps for hours which resources there are, and one that has seen v0.4's
 * definitions knows no `pip`.
 */
export const kubectl = (...args: ReadonlyArray<string>): Promise<string> => command("kubectl", ...args)

/** Any object of any kind: what the API server makes of it is what is tested. */
export interface Manifest {
  readonly [field: string]: unknown
}

const writeWith = async (
  options: ReadonlyArray<string>,
  manifests: ReadonlyArray<Manifest | string>
): Promise<void> => {
  const documents = manifests.map((each) => (typeof each === "string" ? each : JSON.stringify(each)))
  const child = spawn("kubectl", [...options, "-f", "-"], { stdio: ["pipe", "ignore", "pipe"] })
  let refused = ""
  child.stderr.on("data", (text) => (refused += String(text)))
  child.stdin.end(documents.join("\n---\n"))
  const code = await new Promise((resolve) => child.once("close", resolve))
  if (code !== 0) throw new Error(refused.trim())
}

export const remove = (...args: ReadonlyArray<string>): Promise<string> =>
  kubectl("delete", "--ignore-not-found", "--wait=false", ...args)

/** `kubectl apply`; a string is taken as it is, YAML included. */
export const apply = (...manifests: ReadonlyArray<Manifest | string>): Promise<void> => writeWith(["apply"], manifests)

/** The same for manifests that name no namespace. */
export const applyIn = (namespace: string, ...manifests: ReadonlyArray<Manifest | string>): Promise<void> =>
  writeWith(["apply", "-n", namespace], manifests)

/** Without a look at what is there: half the requests. */
export const create = (...manifests: ReadonlyArray<Manifest | string>): Promise<void> =>
  writeWith(["create"], manifests)

/** Events on one object, oldest first. */
export const eventsOn = async (kind: string, ref: ObjectRef): Promise<ReadonlyArray<Event>> =>
  (await list(events, { namespace: ref.namespace ?? "default" })).filter(
    ({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === ref.name
  )

export const readinessOf = async (node: string): Promise<string | undefined> =>
  (await get(nodes, { name: node }))?.status?.conditions?.find(({ type }) => type === "Ready")?.status

export const allReady = (nodeNames: ReadonlyArray<string>): Promise<boolean> =>
  eventually("every node is Ready", async () => {
    const states = await Promise.all(nodeNames.map(readinessOf))
    return states.every((state) => state === "True")
  })
