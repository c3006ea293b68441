/**
 * Why operators do not run, node by node, from what Kubernetes says of them: a Pod that could not be made (Pod Security,
 * a quota) is an event on the DaemonSet, one that was made tells in its own status what it waits for or how it ended.
 */
import { Option, Schema } from "effect"
import type { DaemonSet } from "../api/DaemonSet.ts"
import type { Event } from "../api/Event.ts"
import { daemonSetName } from "../api/Names.ts"
import type { Node } from "../api/Node.ts"
import type { ContainerStatus, Pod } from "../api/Pod.ts"

export interface Surroundings {
  readonly daemonSet: DaemonSet
  /** The operators'. */
  readonly pods: ReadonlyArray<Pod>
  readonly nodes: ReadonlyArray<Node>
  /** Of the DaemonSet's namespace. */
  readonly events: ReadonlyArray<Event>
}

export interface Trouble {
  /** A node's name, or how many nodes when it cannot be told which. */
  readonly where: string
  readonly what: string
}

/** Conditions are read by people: enough for any of Pod Security's sentences. */
const QUOTE_MAX = 500
const NAMED_MAX = 3

const quote = (text: string): string => {
  const trimmed = text.trim()
  return trimmed.length > QUOTE_MAX ? `${trimmed.slice(0, QUOTE_MAX)}…` : trimmed
}

const timeOf = ({ eventTime, lastTimestamp, metadata }: Event): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? ""

/** Of all that the DaemonSet's controller tried, the newest; without the Pod's name, which is new with each attempt. */
const refusal = (events: ReadonlyArray<Event>): string | undefined => {
  const newest = events
    .filter(({ involvedObject, reason }) => {
      const { kind, name } = involvedObject
      return kind === "DaemonSet" && name === daemonSetName && reason === "FailedCreate"
    })
    .reduce<Event | undefined>((best, each) => (best && timeOf(best) > timeOf(each) ? best : each), undefined)
  return newest?.message?.replace(/^(\(combined .*?\): )?Error creating: (pods "[^"]*" is forbidden: )?/, "")
}

const isReady = (node: Node): boolean =>
  node.status?.conditions?.some(({ status, type }) => type === "Ready" && status === "True") === true

const withoutPod = ({ daemonSet, events, nodes, pods }: Surroundings): ReadonlyArray<Trouble> => {
  const { currentNumberScheduled: current = 0, desiredNumberScheduled: desired = 0 } = daemonSet.status ?? {}
  if (current >= desired) return []
  const refused = refusal(events)
  const what = refused === undefined ? "there is no operator Pod" : `no operator Pod can be created: ${quote(refused)}`
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const having = new Set(staying.map(({ spec }) => spec?.nodeName))
  const lacking = nodes.map(({ metadata }) => metadata.name).filter((name) => !having.has(name))
  // Which nodes the DaemonSet is for is its scheduler's business: where the counts differ, nobody is named.
  return lacking.length === desired - current
    ? lacking.map((where) => ({ where, what }))
    : [{ where: `${desired - current} of ${desired} nodes`, what }]
}

const decodeLogLine = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ message: Schema.String, level: Schema.String }))
)

/** The kubelet keeps the end of a failed container's log. Its last line is the sentence it ended with, if it said one. */
const lastWords = (log: string): string => {
  const [line = ""] = log.trim().split("\n").slice(-1)
  return Option.match(decodeLogLine(line), {
    onNone: () => line,
    onSome: ({ level, message }) => (/^(fatal|error)$/i.test(level) ? message : "")
  })
}

/** States through which every Pod goes. */
const usual = new Set(["ContainerCreating", "PodInitializing"])

const containerTrouble = ({ lastState, ready, state }: ContainerStatus, log: string): string | undefined => {
  if (ready) return undefined
  const ended = state?.terminated ?? lastState?.terminated
  if (ended !== undefined) {
    const words = lastWords(ended.message ?? "")
    const how = words === "" ? `${ended.reason ?? "Error"}, exit code ${ended.exitCode}` : words
    return `the operator ended: ${quote(how)}`
  }
  if (state?.running !== undefined) return `the operator runs and is not ready; its log (${log}) says why`
  const { message = "", reason } = state?.waiting ?? {}
  if (reason === undefined || usual.has(reason)) return undefined
  return `the operator's Pod waits: ${reason}${message === "" ? "" : `, ${quote(message)}`}`
}

const podTrouble = ({ metadata, status }: Pod): string | undefined => {
  if (metadata.deletionTimestamp !== undefined) return undefined
  const unscheduled = status?.conditions?.find((each) => each.type === "PodScheduled" && each.status === "False")
  if (unscheduled !== undefined) return `the operator's Pod is not scheduled: ${quote(unscheduled.message ?? "")}`
  const log = `kubectl -n ${metadata.namespace ?? ""} logs ${metadata.name}`
  return status?.containerStatuses
    ?.map((container) => containerTrouble(container, log))
    .find((trouble) => trouble !== undefined)
}

/** A node that is not Ready is told of by itself, and its Pods' status is old. */
export const troublesOf = (surroundings: Surroundings): ReadonlyArray<Trouble> => {
  const down = new Set(surroundings.nodes.filter((node) => !isReady(node)).map(({ metadata }) => metadata.name))
  const ofPods = surroundings.pods.flatMap((pod): ReadonlyArray<Trouble> => {
    const what = podTrouble(pod)
    return what === undefined ? [] : [{ where: pod.spec?.nodeName ?? `Pod ${pod.metadata.name}`, what }]
  })
  return [...ofPods, ...withoutPod(surroundings)]
    .filter(({ where }) => !down.has(where))
    .toSorted((left, right) => (left.where < right.where ? -1 : 1))
}

const remedy = (troubles: ReadonlyArray<Trouble>, namespace: string): string =>
  troubles.some(({ what }) => what.includes("PodSecurity"))
    ? `Allow the operators the node's network: kubectl label --overwrite namespace ${namespace} ` +
      "pod-security.kubernetes.io/enforce=privileged"
    : `More: kubectl -n ${namespace} describe daemonset,pods -l app.kubernetes.io/name=${daemonSetName}`

/** Nodes with one trouble are named together; undefined: there is none. */
export const describe = (troubles: ReadonlyArray<Trouble>, namespace: string): string | undefined => {
  if (troubles.length === 0) return undefined
  const parts = [...Map.groupBy(troubles, ({ what }) => what)].map(([what, same]) => {
    const more = same.length > NAMED_MAX ? ` and ${same.length - NAMED_MAX} more` : ""
    const named = same.slice(0, NAMED_MAX).map(({ where }) => where)
    return `On ${named.join(", ")}${more} ${what.replace(/\.$/, "")}.`
  })
  return `No address can be held where no operator runs. ${parts.join(" ")} ${remedy(troubles, namespace)}.`
}
