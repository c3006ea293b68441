/** Labels and the grammar of `label_selector`: section "Label Selector" of the API docs. */
import { Result } from "effect"
import { type LabelSelector, matches, type Requirement } from "../../domain/LabelSelector.ts"
import type { Labels } from "./Resources.ts"

const namePattern = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/u
const dnsLabel = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
const prefixPattern = new RegExp(`^${dnsLabel}(\\.${dnsLabel})*$`, "u")
const valuePattern = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/u

const isKey = (key: string): boolean => {
  const slash = key.indexOf("/")
  const prefix = slash < 0 ? undefined : key.slice(0, slash)
  if (!namePattern.test(key.slice(slash + 1))) return false
  return prefix === undefined || (prefix.length <= 253 && prefixPattern.test(prefix))
}

/** What is wrong with labels that a client wants to set, one sentence each. */
export const problemsOf = (labels: Labels): ReadonlyArray<string> =>
  Object.entries(labels).flatMap(([key, value]) => {
    if (!isKey(key)) return [`label key '${key}' is invalid`]
    if (key.startsWith("hetzner.cloud/")) return [`label key '${key}' is reserved`]
    return valuePattern.test(value) ? [] : [`label value '${value}' is invalid`]
  })

/** The failure is the term that cannot be read. An empty selector selects everything. */
export const parseSelector = (text: string): Result.Result<(labels: Labels) => boolean, string> => {
  const requirements: Array<Requirement> = []
  // Commas inside parentheses belong to a set.
  for (const term of text.trim() === "" ? [] : text.split(/,(?![^(]*\))/u)) {
    const parsed = parseTerm(term.trim())
    if (parsed === undefined) return Result.fail(term.trim())
    requirements.push(parsed)
  }
  const selector: LabelSelector = { matchExpressions: requirements }
  return Result.succeed((labels) => matches(selector, labels))
}

const setTerm = /^([^\s!=(),]+)\s+(in|notin)\s*\(([^()]*)\)$/u
const equalityTerm = /^([^\s!=(),]+)\s*(=|==|!=)\s*([^\s!=(),]*)$/u
const existenceTerm = /^(!?)\s*([^\s!=(),]+)$/u

const parseTerm = (term: string): Requirement | undefined => {
  const requirement = requirementOf(term)
  if (requirement === undefined || !isKey(requirement.key)) return undefined
  return (requirement.values ?? []).every((value) => valuePattern.test(value)) ? requirement : undefined
}

/** `!=` and `notin` also select what has no such label: both are `NotIn`. */
const requirementOf = (term: string): Requirement | undefined => {
  const [isSet, setKey = "", word, list = ""] = setTerm.exec(term) ?? []
  if (isSet !== undefined) {
    const values = list.split(",").map((value) => value.trim())
    return { key: setKey, operator: word === "in" ? "In" : "NotIn", values }
  }
  const [isEquality, key = "", sign, value = ""] = equalityTerm.exec(term) ?? []
  if (isEquality !== undefined) return { key, operator: sign === "!=" ? "NotIn" : "In", values: [value] }
  const [isExistence, not, existing = ""] = existenceTerm.exec(term) ?? []
  if (isExistence === undefined) return undefined
  return { key: existing, operator: not === "!" ? "DoesNotExist" : "Exists" }
}
