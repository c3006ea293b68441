/** Budgets of requests: section "Rate Limiting" of the API docs. */

export interface BudgetOptions {
  readonly requestsMax: number
  readonly refillPerSecond: number
}

/** 3600 an hour and project, given back at one a second. */
export const generalBudget: BudgetOptions = { requestsMax: 3600, refillPerSecond: 1 }

/** The docs say only that actions have a budget of their own and that it is higher; how much is our guess. */
export const actionsBudget: BudgetOptions = { requestsMax: 36_000, refillPerSecond: 10 }

export interface Budget {
  /** False: nothing is left for this request. */
  readonly take: (nowMillis: number) => boolean
  readonly headers: (nowMillis: number) => { readonly [name: string]: string }
  /** As if somebody else in the project had spent it. */
  readonly drain: (nowMillis: number) => void
}

export const make = ({ refillPerSecond, requestsMax }: BudgetOptions, startMillis: number): Budget => {
  let left = requestsMax
  let countedMillis = startMillis
  const refill = (nowMillis: number): void => {
    left = Math.min(requestsMax, left + ((nowMillis - countedMillis) / 1000) * refillPerSecond)
    countedMillis = nowMillis
  }
  return {
    take: (nowMillis) => {
      refill(nowMillis)
      if (left < 1) return false
      left -= 1
      return true
    },
    headers: (nowMillis) => {
      refill(nowMillis)
      return {
        "ratelimit-limit": String(requestsMax),
        "ratelimit-remaining": String(Math.floor(left)),
        // When the bucket is full again, not when the next request may pass.
        "ratelimit-reset": String(Math.ceil(nowMillis / 1000 + (requestsMax - left) / refillPerSecond))
      }
    },
    drain: (nowMillis) => {
      refill(nowMillis)
      left = 0
    }
  }
}
