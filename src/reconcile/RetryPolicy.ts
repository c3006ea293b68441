/**
 * When a failed key is tried again: one table by the error's category, read by the work queue alone. Full jitter (AWS
 * Architecture Blog, "Exponential Backoff And Jitter") over the upper half, so that many keys that failed together do
 * not return together and none returns at once. v0.4 waited 1 s x 1.2, at most 5 minutes, and gave up after two days;
 * the cap is kept, giving up is not.
 */
import type { Category } from "../ports/Category.ts"

interface Backoff {
  readonly firstMillis: number
  readonly factor: number
  readonly capMillis: number
}

export const backoffByCategory: { readonly [C in Category]: Backoff } = {
  conflict: { firstMillis: 10, factor: 2, capMillis: 5_000 },
  ambiguous: { firstMillis: 50, factor: 2, capMillis: 10_000 },
  transient: { firstMillis: 200, factor: 2, capMillis: 30_000 },
  throttled: { firstMillis: 1_000, factor: 2, capMillis: 60_000 },
  permanent: { firstMillis: 1_000, factor: 2, capMillis: 300_000 }
}

/** `failures` counts from 1; `random` is in [0, 1); `atLeastMillis` is the pause that a server asked for. */
export const delayMillis = (category: Category, failures: number, random: number, atLeastMillis = 0): number => {
  const { firstMillis, factor, capMillis } = backoffByCategory[category]
  const full = Math.min(capMillis, firstMillis * factor ** Math.min(failures - 1, 30))
  return Math.max(atLeastMillis, Math.ceil(full / 2 + (full / 2) * random))
}
