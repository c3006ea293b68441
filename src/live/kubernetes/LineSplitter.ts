/**
 * Lines out of byte chunks that end anywhere. It cuts at the byte 0x0A, which is no part of any other UTF-8 sequence,
 * and decodes whole lines only, so that a character cut in two by the network is never damaged. JSON has no raw line
 * breaks. A line of n chunks costs n, not n².
 */
export interface LineSplitter {
  /** The lines that this chunk completes. */
  readonly push: (chunk: Uint8Array) => ReadonlyArray<string>
  /** Whether a line has begun and not ended. */
  readonly isOpen: () => boolean
}

const newline = 0x0a

export const make = (): LineSplitter => {
  const decoder = new TextDecoder()
  let pending: Array<Uint8Array> = []

  const take = (last: Uint8Array): string => {
    if (pending.length === 0) return decoder.decode(last)
    const whole = Buffer.concat([...pending, last])
    pending = []
    return decoder.decode(whole)
  }

  return {
    push: (chunk) => {
      const lines: Array<string> = []
      let start = 0
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
        lines.push(take(chunk.subarray(start, end)))
        start = end + 1
      }
      if (start < chunk.length) pending.push(chunk.subarray(start))
      return lines.filter((line) => line.trim() !== "")
    },
    isOpen: () => pending.length > 0
  }
}
