/**
 * The states that were seen, as fingerprints of 64 bits in typed arrays (a `Set` ends at 16.7 million). Two states that
 * share one would be taken for the same: with n states that happens somewhere with a probability below n^2 / 2^65, one in
 * 40,000 for 30 million.
 */

/** Above it, probes become long. */
const LOAD_MAX = 0.6

export interface Fingerprints {
  readonly count: number
  readonly bytes: number
  /** False when it was there already. `low` and `high` are unsigned, and not both 0. */
  readonly add: (low: number, high: number) => boolean
}

export const make = (initialCapacity = 1 << 16): Fingerprints => {
  let capacity = initialCapacity
  let lows = new Uint32Array(capacity)
  let highs = new Uint32Array(capacity)
  let count = 0

  /** The slot that holds the pair, or the free one where it belongs. */
  const slotOf = (low: number, high: number): number => {
    const mask = capacity - 1
    let slot = (low ^ (high >>> 7)) & mask
    while ((lows[slot] !== 0 || highs[slot] !== 0) && (lows[slot] !== low || highs[slot] !== high)) {
      slot = (slot + 1) & mask
    }
    return slot
  }

  const grow = (): void => {
    const [oldLows, oldHighs] = [lows, highs]
    capacity *= 2
    lows = new Uint32Array(capacity)
    highs = new Uint32Array(capacity)
    for (const [index, low] of oldLows.entries()) {
      const high = oldHighs[index] ?? 0
      if (low === 0 && high === 0) continue
      const slot = slotOf(low, high)
      lows[slot] = low
      highs[slot] = high
    }
  }

  const add = (low: number, high: number): boolean => {
    const slot = slotOf(low, high)
    if (lows[slot] !== 0 || highs[slot] !== 0) return false
    lows[slot] = low
    highs[slot] = high
    count += 1
    if (count > capacity * LOAD_MAX) grow()
    return true
  }

  return {
    get count() {
      return count
    },
    get bytes() {
      return capacity * 8
    },
    add
  }
}

/** Two independent hashes of 32 bits over `bytes[from, to)`, each ended as in MurmurHash3; the pair is never (0, 0). */
export const fingerprint = (bytes: Uint8Array, from: number, to: number): readonly [low: number, high: number] => {
  let low = 0x9e3779b9
  let high = 0x85ebca6b
  for (let index = from; index < to; index++) {
    const byte = bytes[index] ?? 0
    low = Math.imul(low ^ byte, 0x01000193)
    low ^= low >>> 15
    high = Math.imul(high + byte + 1, 0x5bd1e995)
    high ^= high >>> 13
  }
  return [ended(low) || 1, ended(high)]
}

const ended = (hash: number): number => {
  let value = hash
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
