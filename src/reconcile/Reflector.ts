/**
 * A cache that follows a part of the API: list, then watch from there, for ever. Changes are handed to a synchronous
 * handler in the order in which they happened, so that indexes built in it are never out of step with the cache.
 *
 * The reply to an own write is `absorb`ed: the cache then has the write although the watch has not brought it yet, and
 * the older events that still arrive are dropped by resourceVersion. Without it a reconciler would act again on what it
 * has just changed. A deletion leaves a tombstone, or a late reply would bring the object back.
 */
import { Deferred, Effect, Random, Stream } from "effect"
import type { Scope } from "effect"
import type { KubernetesObject, ObjectRef, ResourceType } from "../api/KubernetesObject.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError, ObjectList, Selection, Undecodable, WatchEvent } from "../ports/Kubernetes.ts"
import { forkForEver } from "./ForEver.ts"
import { guarded } from "./Guarded.ts"
import { monotonicMillis } from "./Monotonic.ts"
import { isNewer } from "./ResourceVersion.ts"
import * as Signal from "./Signal.ts"

/** `before` absent: new. `after` absent: gone. A delete and re-create under one name arrives as two changes. */
export interface Change<A> {
  readonly key: string
  readonly before: A | undefined
  readonly after: A | undefined
}

export interface Handlers<A> {
  /** The watch has brought something, a bookmark included; what it tells follows. Not for what is absorbed. */
  readonly onHeard?: () => void
  readonly onChange?: (change: Change<A>) => void
  /** The object exists and cannot be read; its last readable state stays in the cache. */
  readonly onUndecodable?: (key: string, undecodable: Undecodable) => void
  /** One that was never readable is gone: no `onChange` tells of it. */
  readonly onUndecodableGone?: (key: string) => void
  /** It can be read again, or is gone, which is told besides. */
  readonly onUndecodableOver?: (key: string) => void
  /** After every complete list, the first included. */
  readonly onSynced?: (listing: Listing<A>) => void
}

export interface Listing<A> {
  readonly items: ReadonlyArray<A>
  /** Monotonic milliseconds: the list shows what was written before that. */
  readonly askedMillis: number
}

export interface Reflector<A extends KubernetesObject> {
  readonly get: (key: string) => A | undefined
  readonly values: () => Iterable<A>
  readonly size: () => number
  /** By key; an object leaves it when it becomes readable or is deleted. */
  readonly undecodable: ReadonlyMap<string, Undecodable>
  readonly isSynced: () => boolean
  readonly synced: Effect.Effect<void>
  /** Monotonic milliseconds of the last list or watch event, bookmarks included. */
  readonly lastContactMillis: () => number
  /** Counts the complete lists: a reader that must know that nothing was missed compares it. */
  readonly listings: () => number
  /** Takes the reply to an own write into the cache. */
  readonly absorb: (object: A) => void
  /**
   * Ends the watch that is open, or the pause before the next, and goes on from there with another at once: for whoever
   * learns by a request of its own that the API can be reached again. A watch that died on the way is silent for minutes.
   */
  readonly reconnect: () => void
  /** Lists anew, and returns once it is done: the cache then has all that was written before this was asked for. */
  readonly relist: Effect.Effect<void>
}

/** `shop/web`, or the name alone for cluster-scoped kinds. */
export const keyOf = (metadata: ObjectRef): string =>
  metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`

/** The inverse of `keyOf`: neither names nor namespaces may hold a slash. */
export const refOf = (key: string): ObjectRef => {
  const slash = key.indexOf("/")
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

const TOMBSTONES_MAX = 10_000

class Cache<A extends KubernetesObject> {
  readonly objects = new Map<string, A>()
  readonly undecodable = new Map<string, Undecodable>()
  private readonly tombstones = new Map<string, string>()
  private readonly handlers: Handlers<A>
  synced = false
  listings = 0
  lastContactMillis = 0

  constructor(handlers: Handlers<A>) {
    this.handlers = handlers
  }

  set(object: A): void {
    const key = keyOf(object.metadata)
    const before = this.objects.get(key)
    const version = object.metadata.resourceVersion
    if (!isNewer(version, before?.metadata.resourceVersion) || !isNewer(version, this.tombstones.get(key))) return
    if (!isNewer(version, this.undecodable.get(key)?.metadata.resourceVersion)) return
    this.forgetUndecodable(key)
    if (before !== undefined && before.metadata.uid !== object.metadata.uid) {
      this.objects.delete(key)
      this.handlers.onChange?.({ key, before, after: undefined })
      this.objects.set(key, object)
      this.handlers.onChange?.({ key, before: undefined, after: object })
      return
    }
    this.objects.set(key, object)
    this.handlers.onChange?.({ key, before, after: object })
  }

  delete(key: string, resourceVersion: string): void {
    const before = this.objects.get(key)
    const unread = this.undecodable.get(key)
    const latest = unread?.metadata.resourceVersion ?? before?.metadata.resourceVersion
    if (latest !== undefined && isNewer(latest, resourceVersion)) return
    this.forgetUndecodable(key)
    this.tombstones.set(key, resourceVersion)
    const oldest = this.tombstones.keys().next().value
    if (this.tombstones.size > TOMBSTONES_MAX && oldest !== undefined) this.tombstones.delete(oldest)
    if (before === undefined) {
      if (unread !== undefined) this.handlers.onUndecodableGone?.(key)
      return
    }
    this.objects.delete(key)
    this.handlers.onChange?.({ key, before, after: undefined })
  }

  private forgetUndecodable(key: string): void {
    if (this.undecodable.delete(key)) this.handlers.onUndecodableOver?.(key)
  }

  /** What was readable before stays, unless it was another object of that name. */
  report(undecodable: Undecodable): void {
    const { resourceVersion, uid } = undecodable.metadata
    const key = keyOf(undecodable.metadata)
    const before = this.objects.get(key)
    if (!isNewer(resourceVersion, before?.metadata.resourceVersion)) return
    if (!isNewer(resourceVersion, this.tombstones.get(key))) return
    if (before !== undefined && before.metadata.uid !== uid) {
      this.objects.delete(key)
      this.handlers.onChange?.({ key, before, after: undefined })
    }
    this.undecodable.set(key, undecodable)
    this.handlers.onUndecodable?.(key, undecodable)
  }

  replaceAll(list: ObjectList<A>, askedMillis: number): void {
    const present = new Set([...list.items, ...list.undecodable].map(({ metadata }) => keyOf(metadata)))
    for (const key of [...this.objects.keys(), ...this.undecodable.keys()]) {
      if (!present.has(key)) this.delete(key, list.resourceVersion)
    }
    for (const item of list.items) this.set(item)
    for (const item of list.undecodable) this.report(item)
    this.synced = true
    this.listings += 1
    this.handlers.onSynced?.({ items: list.items, askedMillis })
  }

  take(event: WatchEvent<A>): string | undefined {
    this.handlers.onHeard?.()
    switch (event.type) {
      case "Added":
      case "Modified":
        this.set(event.object)
        return event.object.metadata.resourceVersion
      case "Deleted": {
        const version = event.object.metadata.resourceVersion
        if (version !== undefined) this.delete(keyOf(event.object.metadata), version)
        return version
      }
      case "Undecodable": {
        const { metadata } = event.object
        if (event.deleted !== true) this.report(event.object)
        else if (metadata.resourceVersion !== undefined) this.delete(keyOf(metadata), metadata.resourceVersion)
        return metadata.resourceVersion
      }
      case "Bookmark":
        return event.resourceVersion
    }
  }
}

export interface Options<A extends KubernetesObject> extends Handlers<A> {
  readonly type: ResourceType<A>
  readonly selection?: Selection
  /** A kind that the API server need not have counts as empty then, and is looked for again every few minutes. */
  readonly mayBeMissing?: boolean
}

const MISSING_PAUSE_MILLIS = 300_000
const PAUSE_FIRST_MILLIS = 200
const PAUSE_CAP_MILLIS = 10_000
/** After a restart of the API server every client lists at once; half a second of spread spares it. */
const RELIST_SPREAD_MILLIS = 500
/** After a watch that was closed at once. */
const REOPEN_FIRST_MILLIS = 50
/** What lived for longer was not closed at once. */
const CLOSED_AT_ONCE_MILLIS = 1_000

/**
 * What went wrong since the watch last brought anything. Each kind by itself: a list after a long outage must not wait for as
 * long as that has taught to wait.
 */
class Setbacks {
  private readonly counts = new Map<"failed" | "expired" | "closed", number>()

  readonly pauseAfter = (error: KubernetesError): Effect.Effect<void> =>
    Effect.flatMap(Random.next, (random) => {
      const isExpired = error.reason._tag === "Expired"
      const full = this.next(isExpired ? "expired" : "failed", PAUSE_FIRST_MILLIS)
      // Who expires once waits for the others' sake, and who expires again for the server's.
      if (isExpired && full === PAUSE_FIRST_MILLIS) return Effect.sleep(random * RELIST_SPREAD_MILLIS)
      const asked = error.reason._tag === "Throttled" ? error.reason.retryAfterMillis : 0
      return Effect.sleep(Math.ceil(Math.max(asked, full / 2 + (full / 2) * random)))
    })

  /** After one that ended in peace. */
  readonly pauseBeforeReopening = (livedMillis: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (livedMillis >= CLOSED_AT_ONCE_MILLIS) this.counts.delete("closed")
      return Effect.sleep(this.next("closed", REOPEN_FIRST_MILLIS))
    })

  clear(): void {
    this.counts.clear()
  }

  private next(kind: "failed" | "expired" | "closed", firstMillis: number): number {
    const before = this.counts.get(kind) ?? 0
    this.counts.set(kind, before + 1)
    return Math.min(PAUSE_CAP_MILLIS, firstMillis * 2 ** Math.min(before, 16))
  }
}

/** Who waits for a list that is still to begin. */
class Relisting {
  private readonly waiting = new Set<Deferred.Deferred<void>>()
  private readonly onWait: () => void

  constructor(onWait: () => void) {
    this.onWait = onWait
  }

  readonly wait: Effect.Effect<void> = Effect.flatMap(Deferred.make<void>(), (done) => {
    this.waiting.add(done)
    this.onWait()
    return Effect.ensuring(
      Deferred.await(done),
      Effect.sync(() => this.waiting.delete(done))
    )
  })

  isAwaited(): boolean {
    return this.waiting.size > 0
  }

  /** A list begins; what it answers is to be called when it is complete. */
  begun(): () => void {
    const waiting = [...this.waiting]
    return () => {
      for (const each of waiting) {
        this.waiting.delete(each)
        Deferred.doneUnsafe(each, Effect.void)
      }
    }
  }
}

export const make = Effect.fnUntraced(function* <A extends KubernetesObject>(
  options: Options<A>
): Effect.fn.Return<Reflector<A>, never, Kubernetes | Scope.Scope> {
  const kubernetes = yield* Kubernetes
  const { type, selection = {} } = options
  const guard = guarded<A>(options, type.plural)
  const cache = new Cache<A>(guard.handlers)
  const synced = yield* Deferred.make<void>()
  const reconnecting = yield* Signal.make
  /** Where the next watch continues; absent: list first. */
  let position: string | undefined
  const setbacks = new Setbacks()
  const relisting = new Relisting(reconnecting.give)

  /** In one piece: a reconnection may interrupt a round anywhere, and who waits for the first list waits once. */
  const complete = (all: ObjectList<A>, askedMillis: number) =>
    Effect.uninterruptible(
      Effect.andThen(
        Effect.sync(() => cache.replaceAll(all, askedMillis)),
        Deferred.succeed(synced, undefined)
      )
    )

  const list = Effect.gen(function* () {
    const askedMillis = yield* monotonicMillis
    const done = relisting.begun()
    const all = yield* kubernetes.list(type, selection)
    cache.lastContactMillis = yield* monotonicMillis
    yield* complete(all, askedMillis)
    yield* guard.report
    position = all.resourceVersion
    done()
    return all.resourceVersion
  })

  /** What came together: an effect for each of many events costs more than what most of them change. */
  const take = (events: ReadonlyArray<WatchEvent<A>>) =>
    Effect.flatMap(monotonicMillis, (now) => {
      cache.lastContactMillis = now
      setbacks.clear()
      for (const event of events) position = cache.take(event) ?? position
      return guard.report
    })

  const recover = Effect.fnUntraced(function* (error: KubernetesError) {
    if (options.mayBeMissing === true && error.reason._tag === "NotFound" && error.reason.kindMissing) {
      yield* complete({ items: [], undecodable: [], resourceVersion: "0" }, yield* monotonicMillis)
      return yield* Effect.sleep(MISSING_PAUSE_MILLIS)
    }
    if (error.reason._tag === "Expired") position = undefined
    yield* Effect.logWarning("watch interrupted").pipe(
      Effect.annotateLogs({ resource: type.plural, error: error.message })
    )
    yield* setbacks.pauseAfter(error)
  })

  /** One list if needed, then one watch until its end. */
  const round = Effect.gen(function* () {
    const from = position === undefined || relisting.isAwaited() ? yield* list : position
    const openedMillis = yield* monotonicMillis
    yield* Stream.runForEachArray(kubernetes.watch(type, selection, from), take)
    yield* setbacks.pauseBeforeReopening((yield* monotonicMillis) - openedMillis)
  }).pipe(Effect.catch(recover))

  const reconnection = Effect.map(reconnecting.wait, () => setbacks.clear())
  yield* forkForEver(`watch of ${type.plural}`, Effect.raceFirst(round, reconnection))
  return {
    get: (key) => cache.objects.get(key),
    values: () => cache.objects.values(),
    size: () => cache.objects.size,
    undecodable: cache.undecodable,
    isSynced: () => cache.synced,
    synced: Deferred.await(synced),
    lastContactMillis: () => cache.lastContactMillis,
    listings: () => cache.listings,
    absorb: (object) => cache.set(object),
    reconnect: reconnecting.give,
    relist: relisting.wait
  }
})
