/** What happened, in order: its hash says whether two runs were the same, its lines tell people what led to what. */
import { hash32 } from "../../domain/Hash32.ts"
import type { Kernel } from "../kernel/Kernel.ts"

export interface StoryOptions {
  /** Lines are kept for reading only when somebody will read them. */
  readonly isTold: boolean
}

export class Story {
  readonly lines: Array<string> = []
  /** Things that were noted, by name: what coverage counts. */
  readonly seen = new Map<string, number>()
  private readonly kernel: Kernel
  private readonly isTold: boolean
  private readonly startMillis: number
  private low = 0x811c_9dc5
  private high = 0x1234_5678

  constructor(kernel: Kernel, { isTold }: StoryOptions) {
    this.kernel = kernel
    this.isTold = isTold
    this.startMillis = kernel.nowMillis
  }

  /** Part of the trace; `text` says what, not when. */
  tell(text: string): void {
    const { nowMillis } = this.kernel
    this.low = hash32(text, (this.low ^ nowMillis) >>> 0)
    this.high = hash32(text, (this.high + this.low) >>> 0)
    if (this.isTold) this.lines.push(`${this.clock(nowMillis)}  ${text}`)
  }

  /** A fault that changed something, or a situation worth having seen ("sometimes" assertion). */
  note(name: string): void {
    this.seen.set(name, (this.seen.get(name) ?? 0) + 1)
    this.tell(`* ${name}`)
  }

  /** 16 hex digits; equal for equal runs. */
  hash(): string {
    return `${hex(this.high)}${hex(this.low)}`
  }

  /** Virtual time since the start: seconds with milliseconds. */
  private clock(nowMillis: number): string {
    return ((nowMillis - this.startMillis) / 1000).toFixed(3).padStart(9)
  }
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0")
