/** Commands in the network namespaces of a node and its neighbours. */
import { execFileSync } from "node:child_process"

export interface Namespaces {
  readonly node: string
  readonly peer: string
}

export const prefixOf = (namespace: string): ReadonlyArray<string> => ["nsenter", `--net=/run/netns/${namespace}`]

/** Runs in a namespace; a failure is a bug of the test. */
export const runIn = (namespace: string, command: ReadonlyArray<string>): string => {
  const [nsenter = "", ...args] = [...prefixOf(namespace), ...command]
  return execFileSync(nsenter, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
}
