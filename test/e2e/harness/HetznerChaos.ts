/** A provider on a bad day: replays of one seed make the same choices, as far as requests come in the same order. */
import type { Fault, RoutedRequest } from "../../../src/memory/hetzner/Faults.ts"

/** Mulberry32: 32 bits of state are enough for choices. */
export const random = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

const BURST = 6
const limited: Fault = { refuse: { code: "rate_limit_exceeded" } }

const ofAny: ReadonlyArray<Fault> = [
  { loseReply: true },
  { badGateway: "before" },
  { badGateway: "after" },
  { refuse: { code: "unavailable" } },
  { refuse: { code: "server_error" } }
]
const ofReads: ReadonlyArray<Fault> = [...ofAny, { staleMillis: 2000 }]
const ofWrites: ReadonlyArray<Fault> = [
  ...ofAny,
  { refuse: { code: "locked" } },
  { refuse: { code: "conflict" } },
  { action: { millis: 4000 } },
  { action: { status: "error" } },
  { action: { vanishes: true } },
  { action: { isMute: true } }
]

export interface BadDay {
  readonly policy: (request: RoutedRequest) => Fault
  /** Requests that something was done to. */
  readonly faults: () => number
}

/** Something happens to a third of the writes and a sixth of the reads, and now and then the project's budget is spent. */
export const badDay = (next: () => number): BadDay => {
  let burst = 0
  let faults = 0
  const choose = ({ method }: RoutedRequest): Fault | undefined => {
    if (burst > 0) {
      burst -= 1
      return limited
    }
    if (next() < 0.02) {
      burst = BURST
      return limited
    }
    const [kinds, share] = method === "GET" ? ([ofReads, 1 / 6] as const) : ([ofWrites, 1 / 3] as const)
    return next() < share ? kinds[Math.floor(next() * kinds.length)] : undefined
  }
  return {
    policy: (request) => {
      const fault = choose(request)
      if (fault !== undefined) faults += 1
      return fault ?? {}
    },
    faults: () => faults
  }
}
