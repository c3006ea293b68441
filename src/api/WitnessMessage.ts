/**
 * What voters are asked and answer (`POST /witness`), and how both are sealed. Whoever can send packets on the network of
 * the nodes could otherwise keep an address on a dead node, or have it taken from a living one.
 *
 * A question is sealed by an HMAC-SHA-256 (RFC 2104) under the key of Secret `plenuslb-witness`, an answer by one over the
 * question, which holds a nonce, and the answer: an old answer fits no new question, nor one voter's another's question. A
 * repeated question lets nobody serve: it can make a voter vouch once more, which delays a takeover, or never again for a hold
 * id of which it was asked to confirm a promise, which costs that node this voter in an outage.
 */
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import { Option, Redacted, Schema } from "effect"

const asked = {
  /** Node name of the voter: an address may by now be another machine's. */
  voter: Schema.String,
  /** Hold id of the node that the question is about. */
  holdId: Schema.String,
  nonce: Schema.String
}

/** Have you lost the control plane? Whoever says yes has vouched for the node. */
const Evidence = Schema.Struct({ kind: Schema.Literal("Evidence"), ...asked })
/** Have you not vouched for it within this time? Nodes ask it of themselves, to see whether their voters answer. */
const Promised = Schema.Struct({ kind: Schema.Literal("Promise"), ...asked, withinMillis: Schema.Finite })
/** Have you, the same process, not vouched for it since that answer? */
const Confirmed = Schema.Struct({
  kind: Schema.Literal("Confirm"),
  ...asked,
  process: Schema.String,
  sinceMillis: Schema.Finite
})

export const Question = Schema.Union([Evidence, Promised, Confirmed])
export type Question = typeof Question.Type

export const Answer = Schema.Struct({
  yes: Schema.Boolean,
  /** Names the process of the voter: one that was started since has forgotten what the first has said. */
  process: Schema.String,
  /** When it answered, on its own monotonic clock; only the same process can make use of it. */
  atMillis: Schema.Finite
})
export type Answer = typeof Answer.Type

/** Text that is the same in the Secret, in the file that it is mounted as, and here; redacted by type. */
export type WitnessKey = Redacted.Redacted

/** Bytes of a sealed message: twice what the longest names need. */
export const messageBytesMax = 4096

/** 64 hex digits are written; what is shorter than half of that was put there by hand, and is no key. */
const keyLengthMin = 32

export const keyOf = (text: string): WitnessKey | undefined => {
  const trimmed = text.trim()
  return trimmed.length < keyLengthMin ? undefined : Redacted.make(trimmed, { label: "witness key" })
}

const Sealed = Schema.fromJsonString(Schema.Struct({ text: Schema.String, mac: Schema.String }))
const decodeSealed = Schema.decodeUnknownOption(Sealed)
const decodeQuestion = Schema.decodeUnknownOption(Schema.fromJsonString(Question))
const decodeAnswer = Schema.decodeUnknownOption(Schema.fromJsonString(Answer))

const macOf = (text: string, key: WitnessKey): string =>
  bytesToHex(hmac(sha256, utf8ToBytes(Redacted.value(key)), utf8ToBytes(text)))

/** Takes as long for a guess that begins well as for any other. */
const isEqual = (a: string, b: string): boolean => {
  let difference = a.length ^ b.length
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ (b.charCodeAt(index) || 0)
  return difference === 0
}

const seal = (text: string, about: string, key: WitnessKey): string =>
  JSON.stringify({ text, mac: macOf(`${about}\n${text}`, key) })

const open = (message: string, about: string, key: WitnessKey): string | undefined => {
  const sealed = Option.getOrUndefined(decodeSealed(message))
  if (sealed === undefined || !isEqual(macOf(`${about}\n${sealed.text}`, key), sealed.mac)) return undefined
  return sealed.text
}

export const sealQuestion = (question: Question, key: WitnessKey): string =>
  seal(JSON.stringify(question), "question", key)

/** Undefined: not sealed under this key, or not a question. */
export const openQuestion = (message: string, key: WitnessKey): Question | undefined =>
  Option.getOrUndefined(decodeQuestion(open(message, "question", key)))

/** `asking` is the sealed question, as it was received. */
export const sealAnswer = (answer: Answer, asking: string, key: WitnessKey): string =>
  seal(JSON.stringify(answer), `answer\n${asking}`, key)

/** Undefined: not an answer to this very question under this key. `asking` is the sealed question, as it was sent. */
export const openAnswer = (message: string, asking: string, key: WitnessKey): Answer | undefined =>
  Option.getOrUndefined(decodeAnswer(open(message, `answer\n${asking}`, key)))
