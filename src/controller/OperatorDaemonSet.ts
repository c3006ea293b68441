/**
 * The DaemonSet of the operators exists while some pool puts addresses on an interface, as in v0.4. The chart renders it
 * into a ConfigMap; here it is written as it stands there. An object that v0.4 made is rewritten in place by PUT: its
 * selector is the same, so no operator Pod is orphaned, and nothing of the old template (privileged, gRPC port) stays, as
 * it would under server-side apply, which leaves the fields of other managers alone.
 */
import { Data, Effect, Option, Schema } from "effect"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import type { ConfigMap } from "../api/ConfigMap.ts"
import { DaemonSet, daemonSets } from "../api/DaemonSet.ts"
import { group } from "../domain/Annotations.ts"
import { daemonSetName } from "../api/Names.ts"
import { once } from "../api/Once.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"

export const templateConfigMapName = "plenuslb-operator-daemonset"
export const templateKey = "daemonset.json"
const hashAnnotation = `${group}/template-hash`

export type DaemonSetChange = Data.TaggedEnum<{
  Create: { readonly desired: DaemonSet }
  Replace: { readonly desired: DaemonSet; readonly present: DaemonSet }
  Delete: { readonly present: DaemonSet }
  /** Wanted, and there is nothing to make it from. */
  TemplateMissing: { readonly message: string }
}>
export const DaemonSetChange = Data.taggedEnum<DaemonSetChange>()

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(DaemonSet))

/** Once for each version of it: a plan is made at every change of a node. */
const readIn = once((template: ConfigMap) => {
  const text = template.data?.[templateKey] ?? ""
  const hash = bytesToHex(sha256(utf8ToBytes(text))).slice(0, 16)
  return Option.map(decode(text), ({ metadata, spec }) => ({ metadata, spec, hash }))
})

const desiredFrom = (template: ConfigMap, namespace: string): DaemonSet | undefined => {
  const read = readIn(template)
  if (Option.isNone(read)) return undefined
  const { hash, metadata, spec } = read.value
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: {
      name: daemonSetName,
      namespace,
      labels: metadata.labels ?? {},
      annotations: { ...metadata.annotations, [hashAnnotation]: hash }
    },
    ...(spec === undefined ? {} : { spec })
  }
}

/** What to do; undefined: nothing. */
export const plan = (
  wanted: boolean,
  template: ConfigMap | undefined,
  present: DaemonSet | undefined,
  namespace: string
): DaemonSetChange | undefined => {
  if (!wanted) return present === undefined ? undefined : DaemonSetChange.Delete({ present })
  const desired = template === undefined ? undefined : desiredFrom(template, namespace)
  if (desired === undefined) {
    return DaemonSetChange.TemplateMissing({
      message:
        `ConfigMap ${namespace}/${templateConfigMapName} has no readable ${templateKey}, from which the operators are ` +
        "deployed. Install it again with the chart (helm upgrade)."
    })
  }
  if (present === undefined) return DaemonSetChange.Create({ desired })
  const same = present.metadata.annotations?.[hashAnnotation] === desired.metadata.annotations?.[hashAnnotation]
  return same ? undefined : DaemonSetChange.Replace({ desired, present })
}

export const apply = Effect.fnUntraced(function* (
  change: Exclude<DaemonSetChange, { readonly _tag: "TemplateMissing" }>
): Effect.fn.Return<DaemonSet | undefined, KubernetesError, Kubernetes> {
  const kubernetes = yield* Kubernetes
  switch (change._tag) {
    case "Create":
      return yield* kubernetes.create(daemonSets, change.desired)
    case "Replace": {
      const { resourceVersion, uid } = change.present.metadata
      return yield* kubernetes.replace(daemonSets, {
        ...change.desired,
        metadata: { ...change.desired.metadata, resourceVersion, uid }
      })
    }
    case "Delete": {
      const { name, namespace, uid } = change.present.metadata
      yield* kubernetes.delete(daemonSets, { name, namespace }, { uid })
      return undefined
    }
  }
})
