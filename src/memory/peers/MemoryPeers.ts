/**
 * Voters in memory, found by host and port as on a network. How a question gets there, and whether it does, is the
 * caller's: at once and always unless it says otherwise.
 */
import { Effect } from "effect"
import * as WitnessMessage from "../../api/WitnessMessage.ts"
import { answerMillisMax, NotBelieved, type Peer, PeerError, Peers, type Respond, Silent } from "../../ports/Peers.ts"

/** Carries a question to the voter and its answer back. Never ending is what a cut cable does. */
export type Carry = (peer: Peer, respond: Effect.Effect<string | undefined>) => Effect.Effect<string | undefined>

export interface MemoryPeers {
  /** False: the port is taken. */
  readonly listen: (peer: Peer, respond: Respond) => boolean
  readonly close: (peer: Peer) => void
  readonly peers: (carry?: Carry) => Peers["Service"]
}

const keyOf = ({ host, port }: Peer): string => `${host} ${port}`

const silent = (message: string) => Effect.fail(new PeerError({ reason: new Silent({ message }) }))

export const make = (): MemoryPeers => {
  const listening = new Map<string, Respond>()

  const ask = (carry: Carry): Peers["Service"]["ask"] =>
    Effect.fnUntraced(function* (peer, question, key) {
      const asking = WitnessMessage.sealQuestion(question, key)
      // Looked up where the question arrives, not where it is sent.
      const arriving = Effect.suspend(() => listening.get(keyOf(peer))?.(asking) ?? Effect.never)
      const answer = yield* carry(peer, arriving).pipe(
        Effect.timeout(answerMillisMax),
        Effect.catchTag("TimeoutError", () => silent(`no answer within ${answerMillisMax} ms`))
      )
      const opened = answer === undefined ? undefined : WitnessMessage.openAnswer(answer, asking, key)
      if (opened !== undefined) return opened
      return yield* new PeerError({
        reason: new NotBelieved({ message: "its key is another one, or it is another node" })
      })
    })

  return {
    listen: (peer, respond) => {
      if (listening.has(keyOf(peer))) return false
      listening.set(keyOf(peer), respond)
      return true
    },
    close: (peer) => void listening.delete(keyOf(peer)),
    peers: (carry = (_, respond) => respond) => Peers.of({ ask: ask(carry) })
  }
}
