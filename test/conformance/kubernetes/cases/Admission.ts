/** What becomes of a custom resource on its way in: pruning, defaults, schema, CEL rules. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { ipAllocations } from "../../../../src/api/IPAllocation.ts"
import { persistentIPPools } from "../../../../src/api/PersistentIPPool.ts"
import { Kubernetes, type KubernetesError } from "../../../../src/ports/Kubernetes.ts"
import {
  type Case,
  given,
  invalid,
  newNamespace,
  refused,
  uniqueName,
  untyped,
  type Untyped,
  versionOf
} from "../Case.ts"
import { allocation, createAllocation, rawAllocations } from "../Objects.ts"

const rawPools = untyped(persistentIPPools)

const createPool = (spec: object): Effect.Effect<Untyped, KubernetesError, Kubernetes> =>
  Effect.gen(function* () {
    const kubernetes = yield* Kubernetes
    const name = yield* uniqueName("pool")
    const created = yield* kubernetes.create(rawPools, { metadata: { name }, spec })
    yield* kubernetes.delete(rawPools, { name })
    return created
  })

export const admissionCases: ReadonlyArray<Case> = [
  given(
    "fields that the schema does not declare are dropped from what is created, deep inside too",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { spec } = allocation(namespace, "a")
      const [entry] = spec.allocations
      const created = yield* kubernetes.create(rawAllocations, {
        metadata: { name: "a", namespace },
        surprise: 1,
        spec: { ...spec, surprise: 1, allocations: [{ ...entry, surprise: 1 }] }
      })
      assert.deepStrictEqual(created["spec"], spec)
      assert.isUndefined(created["surprise"])
    })
  ),
  given(
    "fields that the schema does not declare are dropped from a patch, which then changes nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createAllocation(namespace, "a")
      const patch = { spec: { surprise: 1 } }
      const patched = yield* kubernetes.patch(ipAllocations, { namespace, name: "a" }, patch)
      assert.strictEqual(versionOf(patched), versionOf(created))
    })
  ),
  given(
    "defaults of the schema are stored",
    Effect.gen(function* () {
      const created = yield* createPool({ addresses: ["192.0.2.10"] })
      assert.deepInclude(created["spec"], { addresses: ["192.0.2.10"], autoAssign: false, priority: 100 })
    })
  ),
  given(
    "a default does not overrule what is written",
    Effect.gen(function* () {
      const created = yield* createPool({ addresses: ["192.0.2.10"], autoAssign: true, priority: 0 })
      assert.deepInclude(created["spec"], { autoAssign: true, priority: 0 })
    })
  ),
  given(
    "a null counts as absent, and is defaulted",
    Effect.gen(function* () {
      const created = yield* createPool({ addresses: ["192.0.2.10"], priority: null, options: null })
      assert.deepInclude(created["spec"], { priority: 100 })
      assert.notProperty(created["spec"], "options")
    })
  ),
  given(
    "a default inside an object appears only with that object",
    Effect.gen(function* () {
      const hostNetworkInterface = { addAddressesToInterface: true, interfaceName: "pl0" }
      const created = yield* createPool({ addresses: ["192.0.2.10"], options: { hostNetworkInterface } })
      assert.deepInclude(created["spec"], {
        options: { hostNetworkInterface: { ...hostNetworkInterface, mode: "auto" } }
      })
    })
  ),
  given("a missing required field is Invalid and named", invalid("spec.addresses: Required value", createPool({}))),
  given(
    "a value of the wrong type is Invalid and named",
    Effect.gen(function* () {
      yield* invalid("spec.addresses", createPool({ addresses: "192.0.2.10" }))
      yield* invalid("spec.autoAssign", createPool({ addresses: ["192.0.2.10"], autoAssign: "yes" }))
    })
  ),
  given(
    "a value outside an enum or a bound is Invalid and named",
    Effect.gen(function* () {
      const options = { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "magic" } }
      yield* invalid("spec.options.hostNetworkInterface.mode", createPool({ addresses: ["192.0.2.10"], options }))
      yield* invalid("spec.priority", createPool({ addresses: ["192.0.2.10"], priority: -1 }))
    })
  ),
  given(
    "a CEL rule is enforced, with its own sentence and the path of the field",
    Effect.gen(function* () {
      const reason = yield* refused("Invalid", createPool({ addresses: ["192.0.2.49-192.0.2.40"] }))
      const message = "message" in reason ? reason.message : ""
      assert.match(message, /^PersistentIPPool\.loadbalancing\.plenus\.io "pool-[0-9a-f]+" is invalid: /)
      assert.include(
        message,
        'spec.addresses[0]: Invalid value: "192.0.2.49-192.0.2.40": the range ends before it starts: write the lower'
      )
    })
  ),
  given(
    "of a CEL rule on an object or a list the message shows no value",
    invalid("spec.addresses: Invalid value: the list is empty: write at least one", createPool({ addresses: [] }))
  ),
  given(
    "CEL rules are enforced on update too, and the refused update changes nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createAllocation(namespace, "a")
      const patch = { spec: { allocations: [{ address: "nonsense", pool: "rack-1" }] } }
      yield* invalid("spec.allocations[0].address", kubernetes.patch(ipAllocations, { namespace, name: "a" }, patch))
      assert.deepStrictEqual(yield* kubernetes.get(ipAllocations, { namespace, name: "a" }), created)
    })
  ),
  given(
    "all that is wrong is told at once",
    Effect.gen(function* () {
      const reason = yield* refused("Invalid", createPool({ addresses: ["192.0.2.10"], priority: -1, autoAssign: 1 }))
      const message = "message" in reason ? reason.message : ""
      assert.include(message, "spec.priority")
      assert.include(message, "spec.autoAssign")
    })
  ),
  given(
    "while the schema is violated no CEL rule is evaluated, and the message says so",
    Effect.gen(function* () {
      const reason = yield* refused("Invalid", createPool({ addresses: ["nonsense"], autoAssign: "yes" }))
      const message = "message" in reason ? reason.message : ""
      assert.notInclude(message, "spec.addresses[0]")
      assert.include(message, "some validation rules were not checked")
    })
  ),
  given(
    "two entries of one key in a list with keys are Invalid in a patch of the status",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createAllocation(namespace, "a")
      const entry = { address: "192.0.2.10", node: "n1", phase: "Serving" }
      const patch = { status: { addresses: [entry, entry] } }
      yield* invalid(
        "status.addresses[1]: Duplicate value",
        kubernetes.patch(ipAllocations, { namespace, name: "a" }, patch, { subresource: "status" })
      )
    })
  )
]
