/**
 * Asks voters over plain HTTP, `POST /witness` on their health port: messages are sealed, and hold no secret. A fresh
 * connection for each question: a pooled one may have died with what it led to, which is the very thing that is asked
 * about.
 */
import { request } from "node:http"
import { Effect, Layer } from "effect"
import * as WitnessMessage from "../../api/WitnessMessage.ts"
import { answerMillisMax, NotBelieved, type Peer, PeerError, Peers, Silent } from "../../ports/Peers.ts"

interface Reply {
  readonly status: number
  readonly body: string
}

const silent = (message: string): PeerError => new PeerError({ reason: new Silent({ message }) })
const notBelieved = (message: string): PeerError => new PeerError({ reason: new NotBelieved({ message }) })

const post = ({ host, port }: Peer, body: string): Effect.Effect<Reply, PeerError> =>
  Effect.callback<Reply, PeerError>((resume) => {
    const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }
    const sent = request({ host, port, method: "POST", path: "/witness", agent: false, headers }, (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => {
        text += chunk
        if (text.length > WitnessMessage.messageBytesMax) sent.destroy(new Error("the answer is too long"))
      })
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, body: text })))
      response.on("error", (error) => resume(Effect.fail(silent(error.message))))
    })
    sent.on("error", (error) => resume(Effect.fail(silent(error.message))))
    sent.end(body)
    return Effect.sync(() => sent.destroy())
  }).pipe(
    // Of a host or port that cannot be Node throws, and who asks for ever would never ask anybody again.
    Effect.catchDefect((defect) => Effect.fail(silent(String(defect))))
  )

const ask = Effect.fnUntraced(function* (
  peer: Peer,
  question: WitnessMessage.Question,
  key: WitnessMessage.WitnessKey
): Effect.fn.Return<WitnessMessage.Answer, PeerError> {
  const asking = WitnessMessage.sealQuestion(question, key)
  const { body, status } = yield* post(peer, asking).pipe(
    Effect.timeout(answerMillisMax),
    Effect.catchTag("TimeoutError", () => Effect.fail(silent(`no answer within ${answerMillisMax} ms`)))
  )
  if (status !== 200) return yield* notBelieved(`HTTP status ${status}`)
  return WitnessMessage.openAnswer(body, asking, key) ?? (yield* notBelieved("the answer is not sealed with our key"))
})

export const layer: Layer.Layer<Peers> = Layer.succeed(Peers, Peers.of({ ask }))
