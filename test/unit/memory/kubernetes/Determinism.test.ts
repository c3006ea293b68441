/** What the simulator demands: one synchronous run, nothing of the outside world, and the same again from the same seed. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Random } from "effect"
import * as MemoryKubernetes from "../../../../src/memory/kubernetes/MemoryKubernetes.ts"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { contractCases, installCrds } from "../../../conformance/kubernetes/suite.ts"
import { runVirtually } from "../../../conformance/kubernetes/VirtualTime.ts"

/** Every change of a run of the whole suite, and the cases that failed. */
const trace = (seed: string): { readonly changes: ReadonlyArray<string>; readonly failing: ReadonlyArray<string> } => {
  const changes: Array<string> = []
  const failing: Array<string> = []
  const program = Effect.gen(function* () {
    const memory = yield* MemoryKubernetes.make()
    memory.truth.subscribe(({ version, object }) => changes.push(`${version} ${JSON.stringify(object)}`))
    yield* Effect.forkScoped(memory.runControllers(1))
    const withPort = Effect.provideService(Kubernetes, memory.view("conformance"))
    yield* withPort(installCrds)
    yield* Effect.forEach(
      contractCases,
      ({ name, run }) =>
        Effect.map(Effect.exit(withPort(Effect.scoped(run))), (exit) => {
          if (Exit.isFailure(exit)) failing.push(`${name}: ${String(exit.cause)}`)
        }),
      { concurrency: 8 }
    )
  })
  const exit = runVirtually(program.pipe(Effect.scoped, Random.withSeed(seed)))
  if (Exit.isFailure(exit)) failing.push(String(exit.cause))
  return { changes, failing }
}

const forbidden = [
  "Date",
  "Promise",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "performance",
  "crypto",
  "fetch"
]

/** Runs with every door to the outside world locked. */
const locked = <A>(run: () => A): A => {
  const originals = forbidden.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  const random = Math.random
  for (const name of forbidden) {
    const refuse = (what: string): never => {
      throw new Error(`${name}${what} was used`)
    }
    const value = new Proxy(function () {}, {
      construct: () => refuse(""),
      apply: () => refuse(""),
      // `x instanceof Promise` asks nothing of the outside world.
      get: (_, key) => (key === Symbol.hasInstance ? () => false : refuse(`.${String(key)}`))
    })
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
  Math.random = () => {
    throw new Error("Math.random was used")
  }
  try {
    return run()
  } finally {
    for (const [name, descriptor] of originals)
      if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor)
    Math.random = random
  }
}

describe("the API server in memory", () => {
  it.each<readonly [string, () => unknown]>([
    ["the time", () => Date.now()],
    ["a date", () => new Date()],
    ["a Promise", () => Promise.resolve()],
    ["a timer", () => setTimeout(() => {}, 0)],
    ["randomness", () => Math.random()]
  ])("(the locks of this test hold: %s)", (_, reach) => {
    assert.throws(() => locked<unknown>(reach), "was used")
  })

  it("runs the whole suite without Promise, timer, date or randomness of the outside world", () => {
    assert.deepStrictEqual(locked(() => trace("locked")).failing, [])
  })

  it("does the same again from the same seed, and something else from another", () => {
    const first = trace("one")
    assert.isAbove(first.changes.length, 1000)
    assert.deepStrictEqual(trace("one").changes, first.changes)
    assert.notDeepEqual(trace("two").changes, first.changes)
  })
})
