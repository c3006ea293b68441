/** Bytes that grow: a frontier of packed states, the parents of all states. */
import type { Packer, Unpacker } from "./System.ts"

export interface Buffer extends Packer {
  readonly length: number
  readonly capacity: number
  readonly bytes: () => Uint8Array
  /** Forgets what was put after `length`. */
  readonly cutTo: (length: number) => void
}

export const makeBuffer = (initialCapacity = 1 << 16): Buffer => {
  let bytes = new Uint8Array(initialCapacity)
  let length = 0
  const put = (value: number): void => {
    if (!(value >= 0 && value <= 255)) throw new Error(`a packed number must be 0 to 255, got ${value}`)
    if (length === bytes.length) {
      const larger = new Uint8Array(bytes.length * 2)
      larger.set(bytes)
      bytes = larger
    }
    bytes[length++] = value
  }
  return {
    put,
    get length() {
      return length
    },
    get capacity() {
      return bytes.length
    },
    bytes: () => bytes,
    cutTo: (to) => {
      length = to
    }
  }
}

export const unpacker = (bytes: Uint8Array, from: number): Unpacker => {
  let at = from
  return { take: () => bytes[at++] ?? 0 }
}

/** How each state was reached: from which other, and as which of what can happen there. */
export interface Parents {
  readonly bytes: number
  readonly push: (parent: number, ordinal: number) => void
  readonly of: (state: number) => readonly [parent: number, ordinal: number]
}

const CHUNK = 1 << 20

/** In chunks, so that growing copies nothing. */
export const makeParents = (): Parents => {
  const parents: Array<Uint32Array> = []
  const ordinals: Array<Uint16Array> = []
  let count = 0
  return {
    get bytes() {
      return parents.length * CHUNK * 6
    },
    push: (parent, ordinal) => {
      const at = count % CHUNK
      if (at === 0) {
        parents.push(new Uint32Array(CHUNK))
        ordinals.push(new Uint16Array(CHUNK))
      }
      const [lastParents, lastOrdinals] = [parents.at(-1), ordinals.at(-1)]
      if (lastParents !== undefined) lastParents[at] = parent
      if (lastOrdinals !== undefined) lastOrdinals[at] = ordinal
      count += 1
    },
    of: (state) => {
      const chunk = Math.floor(state / CHUNK)
      return [parents[chunk]?.[state % CHUNK] ?? 0, ordinals[chunk]?.[state % CHUNK] ?? 0]
    }
  }
}
