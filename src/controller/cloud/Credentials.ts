/** The token of a pool: from a Secret in our own namespace, or as v0.4 has it, from the pool itself. */
import { Effect, Option, Redacted, Result, Schema } from "effect"
import type { HetznerIntegration } from "../../api/CloudIntegration.ts"
import { secrets } from "../../api/Secret.ts"
import type { Lack } from "../../domain/PlanInput.ts"
import { Kubernetes, type KubernetesError } from "../../ports/Kubernetes.ts"

const decodeBase64 = Schema.decodeUnknownOption(Schema.StringFromBase64)

const textOf = (base64: string | undefined): string => Option.getOrElse(decodeBase64(base64), () => "").trim()

/** What a header can carry (RFC 6750): a Secret may hold two lines, or a whole file. */
const tokenPattern = /^[\x21-\x7e]+$/

const readable = (text: string, where: string): Result.Result<Redacted.Redacted, Lack> =>
  tokenPattern.test(text)
    ? Result.succeed(Redacted.make(text))
    : Result.fail({
        reason: "TokenMalformed",
        message: `${where} is no token: it has spaces, line breaks or characters that no token has. Put the token there, and nothing else.`
      })

/** Read anew each time it is asked for, so that a rotated token needs no restart. Failures are told as what is lacking. */
export const tokenOf = Effect.fnUntraced(function* (
  { token, tokenSecretRef }: HetznerIntegration,
  namespace: string
): Effect.fn.Return<Result.Result<Redacted.Redacted, Lack>, never, Kubernetes> {
  if (tokenSecretRef === undefined) {
    const inline = token?.trim() ?? ""
    return inline === ""
      ? Result.fail({
          reason: "TokenMissing",
          message: "spec.cloudIntegration.hetzner has no token: write tokenSecretRef with the name of a Secret."
        })
      : readable(inline, "spec.cloudIntegration.hetzner.token")
  }
  const { key = "token", name } = tokenSecretRef
  const kubernetes = yield* Kubernetes
  const found = yield* Effect.result(kubernetes.get(secrets, { namespace, name }))
  if (Result.isFailure(found)) return unread(found.failure, namespace, name)
  const value = textOf(found.success.data?.[key])
  return value === ""
    ? Result.fail({
        reason: "SecretKeyMissing",
        message: `Secret ${namespace}/${name} has no text under the key ${key}. Put the token there.`
      })
    : readable(value, `Key ${key} of Secret ${namespace}/${name}`)
})

const unread = ({ message, reason }: KubernetesError, namespace: string, name: string) => {
  if (reason._tag === "NotFound") {
    return Result.fail({
      reason: "SecretNotFound",
      message:
        `There is no Secret ${namespace}/${name}. Create it in the controller's namespace: ` +
        `kubectl create secret generic -n ${namespace} ${name} --from-literal=token=…`
    })
  }
  return reason._tag === "Denied"
    ? Result.fail({
        reason: "SecretForbidden",
        message: `The controller may not read Secret ${namespace}/${name}. Add "${name}" to controller.secretNames of the chart.`
      })
    : Result.fail({ reason: "SecretUnreadable", message: `Secret ${namespace}/${name} cannot be read now: ${message}` })
}
