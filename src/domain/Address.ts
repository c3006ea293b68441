/**
 * An address in canonical form: dotted quad, or RFC 5952 lower case. Two spellings of one address are one value, so an
 * `Address` may be compared and used as a key as it is.
 */
import type { Brand } from "effect"

export type Address = string & Brand.Brand<"plenuslb/Address">
