import { setTimeout as sleep } from "node:timers/promises"

/** Generous: it bounds a test that fails, and says nothing about how long a thing may take. */
const LIMIT_SECONDS = 180
const PAUSE_MILLIS = 100

/**
 * Looks until there is an answer other than undefined or false. What it looks at must be a condition that once true is
 * enough: an assertion about it follows afterwards, once, and is never repeated.
 */
export const eventually = async <A>(
  what: string,
  look: () => Promise<A | undefined | false>,
  limitSeconds: number = LIMIT_SECONDS
): Promise<A> => {
  const deadline = performance.now() + limitSeconds * 1000
  let last: unknown
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) throw new Error(`not within ${limitSeconds} s: ${what}`, { cause: last })
    await sleep(PAUSE_MILLIS)
  }
}

/** Milliseconds that an action took, for the figures that tests print. */
export const timed = async <A>(action: () => Promise<A>): Promise<readonly [A, number]> => {
  const started = performance.now()
  const result = await action()
  return [result, Math.round(performance.now() - started)]
}

/** One line beside the test's name; figures are for reading, nothing is asserted of them. */
export const figure = (text: string): void => console.log(`figure: ${text}`)
