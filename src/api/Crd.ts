/**
 * The three CustomResourceDefinitions, generated from the Schemas. `npm run generate` prints them, `plenuslb crds apply`
 * writes them, and the in-memory API admits objects by them, so that what a test accepts a cluster accepts.
 *
 * v0.4's controller created CRDs of the same names (without status subresource on the pools), and they are replaced by a
 * forced server-side apply, never deleted: deleting a CRD deletes every object of its kind.
 */
import { JsonSchema, Schema } from "effect"
import type { CustomResourceDefinition, PrinterColumn } from "./CustomResourceDefinition.ts"
import { EphemeralIPPool, ephemeralIPPools } from "./EphemeralIPPool.ts"
import { IPAllocation, ipAllocations } from "./IPAllocation.ts"
import type { KubernetesObject, ResourceType } from "./KubernetesObject.ts"
import { managedByLabel, managedByValue } from "./Names.ts"
import { PersistentIPPool, persistentIPPools } from "./PersistentIPPool.ts"
import { type JsonNode, structural, type StructuralSchema } from "./StructuralSchema.ts"

interface Definition {
  readonly type: ResourceType<KubernetesObject>
  readonly schema: Schema.Constraint
  readonly shortNames: ReadonlyArray<string>
  readonly categories?: ReadonlyArray<string>
  readonly columns: ReadonlyArray<PrinterColumn>
}

const age: PrinterColumn = {
  name: "Age",
  type: "date",
  description: "Since when the object exists.",
  jsonPath: ".metadata.creationTimestamp"
}

const poolColumns: ReadonlyArray<PrinterColumn> = [
  {
    name: "Addresses",
    type: "integer",
    description: "Addresses that the pool has.",
    jsonPath: ".status.addressesTotal"
  },
  {
    name: "In-Use",
    type: "integer",
    description: "Addresses that are granted.",
    jsonPath: ".status.addressesInUse"
  },
  {
    name: "Available",
    type: "integer",
    description: "Addresses that can still be granted.",
    jsonPath: ".status.addressesAvailable"
  },
  {
    name: "Ready",
    type: "string",
    description: "Whether the pool can grant addresses.",
    jsonPath: '.status.conditions[?(@.type=="Ready")].status'
  },
  {
    name: "Reason",
    type: "string",
    description: "Why.",
    jsonPath: '.status.conditions[?(@.type=="Ready")].reason'
  },
  {
    name: "Message",
    type: "string",
    description: "Why, in a sentence.",
    jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    priority: 1
  },
  age
]

const allocationColumns: ReadonlyArray<PrinterColumn> = [
  { name: "Type", type: "string", description: "ephemeral or persistent.", jsonPath: ".spec.type" },
  { name: "Addresses", type: "string", description: "The addresses granted.", jsonPath: ".spec.addressList" },
  { name: "Node", type: "string", description: "The nodes that hold them.", jsonPath: ".spec.nodeList" },
  { name: "State", type: "string", description: "How far it is.", jsonPath: ".status.state" },
  { name: "Message", type: "string", description: "The state in a sentence.", jsonPath: ".status.message" },
  age
]

const definitions: ReadonlyArray<Definition> = [
  {
    type: persistentIPPools,
    schema: PersistentIPPool,
    shortNames: ["pip", "persistentippool"],
    columns: poolColumns
  },
  {
    type: ephemeralIPPools,
    schema: EphemeralIPPool,
    shortNames: ["eip", "ephemeralippool"],
    columns: poolColumns
  },
  { type: ipAllocations, schema: IPAllocation, shortNames: ["ipa"], categories: ["all"], columns: allocationColumns }
]

/** The Schema as JSON Schema, with our annotations in it: what CRD and reference page are made of. */
export const annotatedSchema = (schema: Schema.Constraint) =>
  JsonSchema.toDocumentDraft04(
    Schema.toJsonSchemaDocument(schema, { includeAnnotationKey: (key) => key.startsWith("x-") })
  )

/** The API server owns these three and allows no rule on them; the texts are Kubernetes' own. */
const objectProperties: { readonly [key: string]: StructuralSchema } = {
  apiVersion: {
    type: "string",
    description: "APIVersion defines the versioned schema of this representation of an object."
  },
  kind: {
    type: "string",
    description: "Kind is a string value representing the REST resource this object represents."
  },
  metadata: { type: "object" }
}

const openApiSchema = (schema: Schema.Constraint): StructuralSchema => {
  const document = annotatedSchema(schema)
  const root: JsonNode = document.schema
  const { properties, required, ...rest } = structural(root, document.definitions)
  return {
    ...rest,
    required: (required ?? []).filter((key) => !(key in objectProperties)),
    properties: { ...properties, ...objectProperties }
  }
}

const definitionOf = ({ type, schema, shortNames, categories, columns }: Definition): CustomResourceDefinition => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${type.plural}.${type.group}`, labels: { [managedByLabel]: managedByValue } },
  spec: {
    group: type.group,
    scope: type.namespaced ? "Namespaced" : "Cluster",
    names: {
      kind: type.kind,
      listKind: `${type.kind}List`,
      plural: type.plural,
      singular: type.kind.toLowerCase(),
      shortNames,
      ...(categories === undefined ? {} : { categories })
    },
    versions: [
      {
        name: type.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: columns,
        schema: { openAPIV3Schema: openApiSchema(schema) }
      }
    ]
  }
})

export const customResourceDefinitions: ReadonlyArray<CustomResourceDefinition> = definitions.map(definitionOf)
