/** Timers by time; those of one instant come in an order that the seed has drawn. */
export interface Timer {
  readonly atMillis: number
  /** Among equals of `atMillis`. */
  readonly rank: number
  /** Among equals of `rank`. */
  readonly number: number
  run: () => void
  isCancelled: boolean
}

const nothing = (): void => {}

const isBefore = (left: Timer, right: Timer): boolean =>
  left.atMillis !== right.atMillis
    ? left.atMillis < right.atMillis
    : left.rank !== right.rank
      ? left.rank < right.rank
      : left.number < right.number

export class TimerHeap {
  private heap: Array<Timer> = []
  private cancelledCount = 0

  push(timer: Timer): void {
    this.heap.push(timer)
    this.rise(this.heap.length - 1)
  }

  /**
   * It stays in the heap until its time, unless half of the heap is such; what it would have run goes at once, with the fiber
   * behind it, or a patience of seconds keeps as many seconds of garbage out of the collector's reach.
   */
  cancel(timer: Timer): void {
    if (timer.isCancelled) return
    timer.isCancelled = true
    timer.run = nothing
    this.cancelledCount++
    if (this.cancelledCount > 64 && this.cancelledCount * 2 > this.heap.length) this.compact()
  }

  /** The next one that is not cancelled. */
  pop(): Timer | undefined {
    while (true) {
      const first = this.heap[0]
      const last = this.heap.pop()
      if (first === undefined || last === undefined) return undefined
      if (first !== last) {
        this.heap[0] = last
        this.sink(0)
      }
      if (!first.isCancelled) return first
      this.cancelledCount--
    }
  }

  private compact(): void {
    this.heap = this.heap
      .filter(({ isCancelled }) => !isCancelled)
      .toSorted((left, right) => (isBefore(left, right) ? -1 : 1))
    this.cancelledCount = 0
  }

  private rise(start: number): void {
    const { heap } = this
    let index = start
    const timer = heap[index] as Timer
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = heap[parentIndex] as Timer
      if (!isBefore(timer, parent)) break
      heap[index] = parent
      index = parentIndex
    }
    heap[index] = timer
  }

  private sink(start: number): void {
    const { heap } = this
    let index = start
    const timer = heap[index] as Timer
    while (true) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++
      if (!isBefore(heap[child] as Timer, timer)) break
      heap[index] = heap[child] as Timer
      index = child
    }
    heap[index] = timer
  }
}
