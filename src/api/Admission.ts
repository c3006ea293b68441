/**
 * What only the API server enforces, as annotations on the Schemas; `Crd.ts` turns them into the CRDs.
 *
 * Formats, bounds and rules are refused at admission and never on reading: an object stored before a rule existed (v0.4
 * had none), or by a later version, must decode, or one bad field would take every address of its pool away. Whoever
 * reads a field that has a format parses it, and reports what does not parse.
 *
 * Rules are preferred to `pattern` where a person writes the field, since a pattern's refusal is a regular expression
 * and a rule's is a sentence. They use only what both the API server and `@marcbachmann/cel-js` evaluate.
 */

/** Keys that `Crd.ts` merges into the property as they are. */
export interface Bounds {
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly maxProperties?: number
}

export interface Rule {
  /** CEL; the value stands in `self`. */
  readonly rule: string
  /** What to write instead. */
  readonly message: string
}

interface Field {
  readonly description: string
  readonly default?: unknown
  /** What absence means, where the program decides it; shown in the reference, written nowhere. */
  readonly absent?: string
  readonly since?: "1.0"
  readonly bounds?: Bounds
  readonly rules?: ReadonlyArray<Rule>
  readonly listType?: "atomic" | "set"
  /** Makes the list a map with these keys. */
  readonly listKeys?: ReadonlyArray<string>
  /** A struct that is replaced as a whole by server-side apply. */
  readonly atomicStruct?: boolean
  readonly format?: string
}

/** Annotations of one field. Give it to `.annotate`. */
export const field = (f: Field): { readonly [key: string]: unknown } => ({
  description: f.description,
  ...(f.default === undefined ? {} : { "x-crd-default": f.default }),
  ...(f.absent === undefined ? {} : { "x-absent": f.absent }),
  ...(f.since === undefined ? {} : { "x-since": f.since }),
  ...(f.bounds === undefined ? {} : { "x-bounds": f.bounds }),
  ...(f.format === undefined ? {} : { format: f.format }),
  ...(f.rules === undefined ? {} : { "x-kubernetes-validations": f.rules }),
  ...(f.listType === undefined ? {} : { "x-kubernetes-list-type": f.listType }),
  ...(f.listKeys === undefined ? {} : { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": f.listKeys }),
  ...(f.atomicStruct === true ? { "x-kubernetes-map-type": "atomic" } : {})
})

const octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
export const ipv4 = `${octet}([.]${octet}){3}`

const group = "[0-9a-fA-F]{1,4}"
/** RFC 4291 text form without a zone and without an embedded IPv4 address. */
export const ipv6 = [
  `(${group}:){7}${group}`,
  `(${group}:){1,7}:`,
  `(${group}:){1,6}:${group}`,
  `(${group}:){1,5}(:${group}){1,2}`,
  `(${group}:){1,4}(:${group}){1,3}`,
  `(${group}:){1,3}(:${group}){1,4}`,
  `(${group}:){1,2}(:${group}){1,5}`,
  `${group}:(:${group}){1,6}`,
  `:(:${group}){1,7}`,
  "::"
].join("|")

/** Names of Secrets, Nodes and pools. */
export const dnsSubdomain = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
export const dnsLabel = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
