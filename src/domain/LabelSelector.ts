/** `metav1.LabelSelector`: all of `matchLabels` and all of `matchExpressions` must hold. */

export interface LabelSelector {
  readonly matchLabels?: { readonly [key: string]: string } | undefined
  readonly matchExpressions?: ReadonlyArray<Requirement> | undefined
}

export interface Requirement {
  readonly key: string
  /** `In`, `NotIn`, `Exists` or `DoesNotExist`; another word matches nothing. */
  readonly operator: string
  readonly values?: ReadonlyArray<string> | undefined
}

export type Labels = { readonly [key: string]: string }

/** An empty selector matches everything, and so does an absent one: our fields say "absent: every". */
export const matches = (selector: LabelSelector | undefined, labels: Labels = {}): boolean =>
  Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => valueOf(labels, key) === value) &&
  (selector?.matchExpressions ?? []).every((requirement) => satisfies(requirement, valueOf(labels, requirement.key)))

/** As in Kubernetes, `NotIn` also matches an object that has no such label. */
const satisfies = ({ operator, values = [] }: Requirement, value: string | undefined): boolean => {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value)
    case "NotIn":
      return value === undefined || !values.includes(value)
    case "Exists":
      return value !== undefined
    case "DoesNotExist":
      return value === undefined
    default:
      return false
  }
}

/** A label may be called `constructor`. */
const valueOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined

/** As `kubectl -l` would take it: `tier=edge,zone in (a,b),!legacy`. */
export const format = (selector: LabelSelector): string =>
  [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(selector.matchExpressions ?? []).map(formatRequirement)
  ].join(",")

const formatRequirement = ({ key, operator, values = [] }: Requirement): string => {
  switch (operator) {
    case "In":
      return `${key} in (${values.join(",")})`
    case "NotIn":
      return `${key} notin (${values.join(",")})`
    case "Exists":
      return key
    case "DoesNotExist":
      return `!${key}`
    default:
      return `${key} ${operator}`
  }
}
