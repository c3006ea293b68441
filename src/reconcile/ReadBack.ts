/** After a conflict or a lost reply the watch may lag behind, so the object itself is read into the cache. */
import { Effect } from "effect"
import type { KubernetesObject, ObjectRef, ResourceType } from "../api/KubernetesObject.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import type { Reflector } from "./Reflector.ts"

/** Runs a write and keeps the cache in step with it, whatever became of it; the error is passed on. */
export const writing = <A extends KubernetesObject, B extends A | void, R>(
  write: Effect.Effect<B, KubernetesError, R>,
  type: ResourceType<A>,
  ref: ObjectRef,
  reflector: Reflector<A>
): Effect.Effect<B, KubernetesError, R | Kubernetes> =>
  write.pipe(
    Effect.tap((written) =>
      Effect.sync(() => {
        if (written !== undefined) reflector.absorb(written as A)
      })
    ),
    Effect.tapError((error) =>
      error.category === "conflict" || error.category === "ambiguous"
        ? Kubernetes.use((kubernetes) => kubernetes.get(type, ref)).pipe(
            Effect.map((object) => reflector.absorb(object)),
            Effect.ignore
          )
        : Effect.void
    )
  )
