/** One complaint about one field, and how the API server joins them into the message of a 422. */
export interface FieldError {
  /** `spec.addresses[0]`; empty for the whole object. */
  readonly path: string
  /** `Invalid value: …`, `Required value`, `Forbidden: …`. */
  readonly message: string
  /** CEL rules are not evaluated on an object with such an error. */
  readonly blocksRules: boolean
}

export const fieldError = (path: string, message: string): FieldError => ({ path, message, blocksRules: false })

const unchecked =
  "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"

/** `kind` as in `IPAllocation.loadbalancing.plenus.io`; the core group has no suffix. */
export const invalidMessage = (
  kind: string,
  name: string,
  errors: ReadonlyArray<FieldError>,
  someRulesUnchecked: boolean
): string => {
  const parts = errors.map(({ path, message }) => `${path === "" ? "<nil>" : path}: ${message}`)
  if (someRulesUnchecked) parts.push(unchecked)
  return `${kind} "${name}" is invalid: ${parts.length === 1 ? parts.join("") : `[${parts.join(", ")}]`}`
}
