/**
 * For how long an answer of the API server is awaited. A request that is given up there is work done for nothing, and asked for
 * again: an API server that is out of breath gets no breath that way. So the next one is given twice the time, and no less than
 * twice of what the last answers took; that is taken back answer by answer.
 */
const LEAST_MILLIS = 1_000

/** After an outage the first request may have been sent into it. */
const MOST_MILLIS = 4_000

const LESS_BY_ANSWER_MILLIS = 100

export class Patience {
  private givenMillis = LEAST_MILLIS

  get millis(): number {
    return this.givenMillis
  }

  answered(afterMillis: number): void {
    this.give(Math.max(2 * afterMillis, this.givenMillis - LESS_BY_ANSWER_MILLIS))
  }

  /** One that had so much: of those that were sent at once, only the first makes a difference. */
  givenUp(hadMillis: number): void {
    this.give(Math.max(2 * hadMillis, this.givenMillis))
  }

  private give(millis: number): void {
    this.givenMillis = Math.min(MOST_MILLIS, Math.max(LEAST_MILLIS, millis))
  }
}
