/** Pairs of flags that cannot both change something in one seed, and why. Coverage asks for all others. */
interface Infeasible {
  readonly pair: readonly [string, string]
  readonly reason: string
}

/** None: every fault leaves the others something to change, since none lasts for the whole time of faults. */
export const infeasible: ReadonlyArray<Infeasible> = []
