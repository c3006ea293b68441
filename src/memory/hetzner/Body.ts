/** Request bodies are closed: a key that is not known is an error, and so is a value of another type. */
import { Result, Schema, SchemaIssue } from "effect"
import { type ApiError, error, invalidInput } from "./Reply.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const parse = (text: string): Result.Result<unknown, ApiError> =>
  Result.try({ try: (): unknown => JSON.parse(text), catch: () => error("json_error", "invalid JSON in request") })

export const read = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  text: string | undefined
): Result.Result<S["Type"], ApiError> =>
  Result.gen(function* () {
    const json = yield* parse(text ?? "")
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      return yield* Result.fail(error("json_error", "invalid JSON in request"))
    }
    const decode = Schema.decodeUnknownResult(schema, { onExcessProperty: "error", errors: "all" })
    return yield* Result.mapError(decode(json), ({ issue }) => fieldsOf(issue))
  })

const fieldsOf = (issue: SchemaIssue.Issue): ApiError => {
  const messages = new Map<string, ReadonlyArray<string>>()
  for (const { message, path = [] } of format(issue).issues) {
    const [key = ""] = path
    const name = String(typeof key === "object" ? key.key : key)
    messages.set(name, [...(messages.get(name) ?? []), message])
  }
  return invalidInput(...[...messages].map(([name, texts]) => ({ name, messages: texts })))
}
