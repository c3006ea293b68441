/**
 * Makes what would leave the simulation throw for as long as a run lasts: the machine's time, chance, timers and
 * promises. A call to one of them is a bug of the program under test, and the message names it.
 */
export class Ambient extends Error {
  override readonly name = "Ambient"
  constructor(what: string) {
    super(`${what} was used during a simulation: take it from a service (Clock, Random, a port)`)
  }
}

interface Guarded {
  readonly owner: object
  readonly key: string
  readonly name: string
}

const guarded = (): ReadonlyArray<Guarded> => [
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "Promise", "fetch"].map((key) => ({
    owner: globalThis,
    key,
    name: key
  })),
  { owner: Date, key: "now", name: "Date.now" },
  { owner: Math, key: "random", name: "Math.random" },
  { owner: performance, key: "now", name: "performance.now" },
  { owner: process, key: "nextTick", name: "process.nextTick" },
  { owner: process, key: "hrtime", name: "process.hrtime" },
  ...["getRandomValues", "randomUUID"].map((key) => ({ owner: crypto, key, name: `crypto.${key}` }))
]

/** Reading and writing dates is arithmetic; only the date of now is the machine's. */
const newTimelessDate = (): DateConstructor => {
  const Ordinary = Date
  return class TimelessDate extends Ordinary {
    constructor(...parts: ReadonlyArray<number>) {
      if (parts.length === 0) throw new Ambient("new Date()")
      super(...(parts as [number]))
    }
  } as DateConstructor
}

/** Runs the body with the guard up; it must not outlive the call. */
export const withGuard = <A>(body: () => A): A => {
  const OrdinaryDate = globalThis.Date
  const saved = guarded().map((each) => ({ ...each, before: Object.getOwnPropertyDescriptor(each.owner, each.key) }))
  for (const { key, name, owner } of saved) {
    const refuse = function (): never {
      throw new Ambient(name)
    }
    // A class whose prototype stays, so that `instanceof` can still be asked.
    refuse.prototype = (Reflect.get(owner, key) as { readonly prototype?: object }).prototype ?? {}
    for (const method of ["now", "resolve", "reject", "all"]) Reflect.set(refuse, method, refuse)
    Object.defineProperty(owner, key, { configurable: true, writable: true, value: refuse })
  }
  globalThis.Date = newTimelessDate()
  try {
    return body()
  } finally {
    globalThis.Date = OrdinaryDate
    for (const { before, key, owner } of saved) {
      if (before === undefined) Reflect.deleteProperty(owner, key)
      else Object.defineProperty(owner, key, before)
    }
  }
}
