/** Label selectors (equality, set-based, existence) and field selectors, as list and watch take them. */
import { Result } from "effect"
import type { JsonObject } from "./Json.ts"
import { objectAt, textAt } from "./Json.ts"

export type Matcher = (object: JsonObject) => boolean

type Requirement = (value: string | undefined) => boolean

export const parseLabels = (selector: string): Result.Result<Matcher, string> => {
  const requirements: Array<readonly [string, Requirement]> = []
  for (const term of splitTerms(selector)) {
    const parsed = parseTerm(term)
    if (parsed === undefined)
      return Result.fail(`unable to parse requirement: "${term}" in label selector "${selector}"`)
    requirements.push(parsed)
  }
  return Result.succeed((object) => {
    const labels = objectAt(object, "metadata", "labels")
    return requirements.every(([key, holds]) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined
      return holds(typeof value === "string" ? value : undefined)
    })
  })
}

/** A label that whatever the selector selects has, whatever its value; undefined: none that is easily told. */
export const requiredLabel = (selector: string): string | undefined => {
  for (const term of splitTerms(selector)) {
    const existence = existenceTerm.exec(term)
    if (existence?.[1] === "") return existence[2]
  }
  return undefined
}

/** Commas inside parentheses belong to a set. */
const splitTerms = (selector: string): ReadonlyArray<string> =>
  selector
    .split(/,(?![^(]*\))/u)
    .map((term) => term.trim())
    .filter((term) => term !== "")

const setTerm = /^([^\s!=(),]+)\s+(in|notin)\s+\(([^()]*)\)$/u
const equalityTerm = /^([^\s!=(),]+)\s*(=|==|!=)\s*([^\s!=(),]*)$/u
const existenceTerm = /^(!?)\s*([^\s!=(),]+)$/u

const parseTerm = (term: string): readonly [string, Requirement] | undefined => {
  const set = setTerm.exec(term)
  if (set?.[1] !== undefined && set[3] !== undefined) {
    const values = new Set(set[3].split(",").map((value) => value.trim()))
    return [set[1], set[2] === "in" ? isOneOf(values) : (value) => !isOneOf(values)(value)]
  }
  const equality = equalityTerm.exec(term)
  if (equality?.[1] !== undefined && equality[3] !== undefined) {
    const wanted = equality[3]
    return [equality[1], equality[2] === "!=" ? (value) => value !== wanted : (value) => value === wanted]
  }
  const existence = existenceTerm.exec(term)
  if (existence?.[2] === undefined) return undefined
  return [existence[2], existence[1] === "!" ? (value) => value === undefined : (value) => value !== undefined]
}

const isOneOf =
  (values: ReadonlySet<string>): Requirement =>
  (value) =>
    value !== undefined && values.has(value)

export const parseFields = (selector: string): Result.Result<Matcher, string> => {
  const requirements: Array<Matcher> = []
  for (const term of splitTerms(selector)) {
    const parsed = /^metadata\.(name|namespace)\s*(=|==|!=)\s*(.*)$/u.exec(term)
    if (parsed?.[1] === undefined) {
      const field = term.split(/[=!]/u)[0]
      return Result.fail(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`)
    }
    const [, field, operator, wanted = ""] = parsed
    requirements.push((object) => ((textAt(object, "metadata", field) ?? "") === wanted) === (operator !== "!="))
  }
  return Result.succeed((object) => requirements.every((holds) => holds(object)))
}
