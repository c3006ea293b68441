/**
 * Lists, element by element. The API's document changes in place, and one floating IP of a new kind, anybody's in the project,
 * must not keep the cluster from all others. What is not understood is kept out and told; it is not taken for gone.
 */
import { Effect, Option, Result, Schema } from "effect"
import type { Unreadable } from "../../ports/Cloud.ts"
import * as Errors from "./Errors.ts"
import * as Wire from "./Wire.ts"

export interface Elements<A> {
  readonly read: ReadonlyArray<A>
  readonly unreadable: ReadonlyArray<Unreadable>
}

const Parts = Schema.Struct({
  id: Schema.optionalKey(Schema.Unknown),
  name: Schema.optionalKey(Schema.Unknown),
  ip: Schema.optionalKey(Schema.Unknown),
  labels: Schema.optionalKey(Schema.Unknown)
})
const partsOf = Schema.decodeUnknownOption(Parts)

const as = <A>(schema: Schema.Decoder<A>, value: unknown): A | undefined =>
  Option.getOrUndefined(Schema.decodeUnknownOption(schema)(value))

const nouns = { address: "floating IP", server: "server" } as const

/** Its labels and name tell whose it is, also where the rest says nothing. */
const unreadableOf = (kind: Unreadable["kind"], path: string, element: unknown, why: string): Unreadable => {
  const parts = Option.getOrUndefined(partsOf(element))
  const [id, name] = [as(Wire.Id, parts?.id), as(Schema.String, parts?.name)]
  const called = `${nouns[kind]} ${id ?? "without an id"}${name === undefined ? "" : ` (${name})`}`
  return {
    kind,
    id: id === undefined ? undefined : String(id),
    name,
    network: as(Schema.String, parts?.ip),
    labels: as(Wire.Labels, parts?.labels),
    error: Errors.ofElement(path, called, why.replaceAll(/\s+/g, " "))
  }
}

export const decode = <W, A>(
  kind: Unreadable["kind"],
  path: string,
  {
    elements,
    make,
    schema
  }: {
    readonly elements: ReadonlyArray<unknown>
    readonly schema: Schema.Decoder<W>
    readonly make: (wire: W) => A
  }
): Elements<A> => {
  const decodeOne = Schema.decodeUnknownResult(schema)
  const [read, unreadable] = [new Array<A>(), new Array<Unreadable>()]
  for (const element of elements) {
    const decoded = decodeOne(element)
    if (Result.isSuccess(decoded)) read.push(make(decoded.success))
    else unreadable.push(unreadableOf(kind, path, element, decoded.failure.message))
  }
  return { read, unreadable }
}

const decodeAction = Schema.decodeUnknownOption(Wire.Action)

/** What of actions is understood; the others count as not told of. */
export const actionsIn = ({ actions }: typeof Wire.ActionsReply.Type): ReadonlyArray<Wire.Action> =>
  actions.flatMap((each) => Option.toArray(decodeAction(each)))

/** What the lists have that is not understood, told in the log when it is new. */
export class Unread {
  private readonly byKind = new Map<Unreadable["kind"], ReadonlyArray<Unreadable>>()

  all(): ReadonlyArray<Unreadable> {
    return [...this.byKind.values()].flat()
  }

  /** Of a list as a whole: what it does not have any more is forgotten. */
  readonly note = <A>(kind: Unreadable["kind"], { read, unreadable }: Elements<A>): Effect.Effect<ReadonlyArray<A>> => {
    const told = new Set((this.byKind.get(kind) ?? []).map(({ error }) => error.message))
    this.byKind.set(kind, unreadable)
    const news = unreadable.filter(({ error }) => !told.has(error.message))
    const tell = ({ error, id, name }: Unreadable) =>
      Effect.logWarning("the cloud lists what is not understood; it is left alone").pipe(
        Effect.annotateLogs({ kind, id, name, error: error.message })
      )
    return Effect.as(Effect.forEach(news, tell, { discard: true }), read)
  }
}
