/** The kernel's own account of a node's addresses: whether one was ever taken off, however briefly. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { onTestFinished } from "vitest"
import { eventually } from "./eventually.ts"
import { networkOf, onNode } from "./Lab.ts"

/** On every node; a deletion of it, and an addition, prove that the monitor listens before a test relies on its silence. */
const canary = "192.0.2.254/32"

export interface AddressMonitor {
  /** Lines of `ip monitor` that tell of a removal of this address so far. */
  readonly removals: (address: string) => ReadonlyArray<string>
}

export const monitorAddresses = async (node: string): Promise<AddressMonitor> => {
  const lines: Array<string> = []
  const child = spawn("nsenter", [networkOf(node), "ip", "-o", "-4", "monitor", "address"], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  onTestFinished(() => void child.kill())
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line))
  await eventually("the monitor hears of a change", async () => {
    await onNode(node, "ip", "address", "replace", canary, "dev", "lo")
    await onNode(node, "ip", "address", "delete", canary, "dev", "lo")
    return lines.some((line) => line.startsWith("Deleted") && line.includes(canary))
  })
  return { removals: (address) => lines.filter((line) => line.startsWith("Deleted") && line.includes(` ${address}/`)) }
}
