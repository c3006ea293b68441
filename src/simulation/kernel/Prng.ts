/**
 * Chance of a run: SplitMix (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014) in its
 * 32-bit form. Parts of a run draw from generators of their own, so that one fewer draw in one does not change the rest.
 */
import { hash32 } from "../../domain/Hash32.ts"

export class Prng {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** An integer in [0, 2^32). */
  next(): number {
    this.state = (this.state + 0x9e37_79b9) | 0
    let mixed = this.state ^ (this.state >>> 16)
    mixed = Math.imul(mixed, 0x21f0_aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a_2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }

  /** In [0, 1). */
  fraction(): number {
    return (this.next() * 2 ** 21 + (this.next() >>> 11)) / 2 ** 53
  }

  /** An integer in [min, max]. */
  between(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1))
  }

  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability
  }

  /** Undefined of an empty list only. */
  pick<A>(items: ReadonlyArray<A>): A | undefined {
    return items[this.between(0, items.length - 1)]
  }

  /** In any order, each as likely (Fisher and Yates). */
  shuffled<A>(items: ReadonlyArray<A>): ReadonlyArray<A> {
    const rest = [...items]
    return items.flatMap(() => rest.splice(this.between(0, rest.length - 1), 1))
  }

  /** A generator of its own for a part of the run; the same name gives the same one. */
  fork(name: string): Prng {
    return new Prng(hash32(name, this.state))
  }
}
