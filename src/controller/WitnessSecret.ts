/**
 * The Secret `plenuslb-witness`, whose key seals what voters are asked. The controller makes it when there is none, and
 * never Helm, which would make another one with each upgrade; operators have it mounted. This is the only Secret that the
 * controller may read besides those that pools name.
 */
import { Effect, Option, Schema } from "effect"
import { managedByLabel, managedByValue, witnessKey, witnessSecretName } from "../api/Names.ts"
import { type Secret, secrets } from "../api/Secret.ts"
import { keyOf, type WitnessKey } from "../api/WitnessMessage.ts"
import { Kubernetes, type KubernetesError } from "../ports/Kubernetes.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"

const decodeBase64 = Schema.decodeUnknownOption(Schema.StringFromBase64)
const encodeBase64 = Schema.encodeSync(Schema.StringFromBase64)

/** Many takeovers that wait read it but once; and it is looked for again when somebody deleted it. */
const KEPT_MILLIS = 10_000

export interface WitnessSecret {
  /** Undefined: there is none, or it cannot be read now. */
  readonly read: Effect.Effect<WitnessKey | undefined, never, Kubernetes>
  /** Makes it when there is none. To be called by the leader. */
  readonly ensure: Effect.Effect<void, never, Kubernetes>
}

const textIn = ({ data }: Secret): string => Option.getOrElse(decodeBase64(data?.[witnessKey]), () => "")

const tell = (error: KubernetesError) =>
  Effect.as(
    Effect.logWarning("key of the voters neither read nor made").pipe(Effect.annotateLogs({ error: error.message })),
    undefined
  )

export const make = (namespace: string, newKey: Effect.Effect<string>): WitnessSecret => {
  const ref = { namespace, name: witnessSecretName }
  let known: { readonly key: WitnessKey | undefined; readonly atMillis: number } | undefined

  const keep = (key: WitnessKey | undefined) =>
    Effect.map(monotonicMillis, (atMillis) => {
      known = { key, atMillis }
      return key
    })

  const fetch = Effect.gen(function* () {
    const kubernetes = yield* Kubernetes
    return yield* keep(keyOf(textIn(yield* kubernetes.get(secrets, ref))))
  })

  const recent = Effect.gen(function* () {
    const nowMillis = yield* monotonicMillis
    if (known === undefined || nowMillis - known.atMillis > KEPT_MILLIS) return yield* fetch
    return known.key
  })

  const create = Effect.gen(function* () {
    const kubernetes = yield* Kubernetes
    const text = yield* newKey
    yield* kubernetes.create(secrets, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { ...ref, labels: { [managedByLabel]: managedByValue } },
      data: { [witnessKey]: encodeBase64(text) }
    })
    yield* keep(keyOf(text))
    yield* Effect.logInfo("key of the voters made").pipe(Effect.annotateLogs({ secret: witnessSecretName }))
  })

  return {
    read: Effect.catch(recent, tell),
    ensure: Effect.asVoid(recent).pipe(
      Effect.catchIf(
        ({ isGone }) => isGone,
        () => create
      ),
      Effect.catch(tell)
    )
  }
}
