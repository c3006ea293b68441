/**
 * Other nodes' operators, asked directly and not through the API server, which may be away. An answer that comes is from
 * that voter and to this question; `test/conformance/peers` is this contract, run over HTTP and over the twin in memory.
 * It repeats nothing, and ends within `answerMillisMax`.
 */
import { Context, Schema } from "effect"
import type { Effect } from "effect"
import type { Answer, Question, WitnessKey } from "../api/WitnessMessage.ts"
import type { Category } from "./Category.ts"

/** Where a voter listens: the health port on an address of its node. */
export interface Peer {
  readonly host: string
  readonly port: number
}

/** For longer nobody waits: a voter that is as slow as that is none. */
export const answerMillisMax = 1_000

/** Nobody there, nobody answering in time, or a connection that broke: a dead voter looks like a dead cable. */
export class Silent extends Schema.TaggedClass<Silent>()("Silent", { message: Schema.String }) {
  readonly category: Category = "transient"
}
/** Somebody answers, and is no voter with our key: another key, another node, or another program. */
export class NotBelieved extends Schema.TaggedClass<NotBelieved>()("NotBelieved", { message: Schema.String }) {
  readonly category: Category = "permanent"
}

export class PeerError extends Schema.TaggedError<PeerError>()("PeerError", {
  reason: Schema.Union([Silent, NotBelieved])
}) {
  get category(): Category {
    return this.reason.category
  }
  override get message(): string {
    return `${this.reason._tag}: ${this.reason.message}`
  }
}

export class Peers extends Context.Service<
  Peers,
  { readonly ask: (peer: Peer, question: Question, key: WitnessKey) => Effect.Effect<Answer, PeerError> }
>()("plenuslb/ports/Peers") {}

/** A sealed question to a sealed answer; undefined: it is not believed. What a voter gives to whoever carries questions. */
export type Respond = (message: string) => Effect.Effect<string | undefined>
