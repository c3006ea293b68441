/** A bug in one place of the shipping code, put in while the file is loaded; nothing on disk changes. */
export interface Mutant {
  readonly name: string
  /** What the bug is, for the table. */
  readonly what: string
  /** From the root of the repository. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
  /** Changed with it, in the same file: what would make up for the bug. */
  readonly also?: ReadonlyArray<{ readonly find: string; readonly replace: string }>
  /** Imports that `replace` needs, put before the first line. */
  readonly imports?: string
  /** Id of the invariant that must find it; `hung`: it takes many times as long. */
  readonly killedBy: string
  /** Size of the cluster that it shows in; `drawn`: as the seed says. Undefined: a few nodes and Services. */
  readonly cluster?: { readonly nodesCount: number; readonly servicesCount: number } | "drawn" | undefined
  /** It shows on an ordinary day, before any fault: then a scenario or a seed without faults must find it. */
  readonly isFoundWithoutFaults?: true | undefined
  /** What it takes to show it meets in few seeds of thousands: a scenario, with faults, that brings it about and must find it. */
  readonly scenario?: string
  /** Seeds that are known to find it: asked first where there is little time. */
  readonly seeds?: ReadonlyArray<number>
}

/** Throws when a text that it changes is not there exactly once. */
export const mutate = ({ also = [], file, find, imports, name, replace }: Mutant, source: string): string => {
  const mutated = [{ find, replace }, ...also].reduce((before, each) => {
    const parts = before.split(each.find)
    if (parts.length !== 2) {
      throw new Error(
        `mutant ${name}: its text stands ${parts.length - 1} times in ${file}; write it anew for the code as it is`
      )
    }
    return parts.join(each.replace)
  }, source)
  return `${imports === undefined ? "" : `${imports}\n`}${mutated}`
}
