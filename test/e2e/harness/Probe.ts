/** A client that asks an address 200 times a second, and what it saw. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { onTestFinished } from "vitest"
import { eventually } from "./eventually.ts"
import { httpFromClient, networkOf } from "./Lab.ts"
import type { ProbeReport } from "./probe-client.ts"

const PERIOD_MILLIS = 5

export interface Probe {
  readonly report: () => Promise<ProbeReport>
  /** Counts and gaps begin anew. */
  readonly restart: () => void
  /** Waits until a probe that was sent after this call is answered. */
  readonly answers: () => Promise<void>
}

const asking = (child: ChildProcess): Pick<Probe, "report" | "restart"> => {
  const waiting: Array<(report: ProbeReport) => void> = []
  if (child.stdout === null || child.stdin === null) throw new Error("the probe has no pipes")
  const { stdin } = child
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(JSON.parse(line)))
  const report = () =>
    new Promise<ProbeReport>((resolve) => {
      waiting.push(resolve)
      stdin.write("report\n")
    })
  return { report, restart: () => void stdin.write("restart\n") }
}

/**
 * Begins to count once the address answers. The first datagram waits until kube-proxy has rules for the address, TCP and
 * UDP in one transaction: what comes earlier leaves a flow without translation in the node's connection tracking, which
 * every later datagram from the same port renews, and which kube-proxy deletes only when the Service's endpoints change
 * (`CleanStaleEntries` in its pkg/proxy/conntrack, as of 1.36).
 */
export const probe = async (address: string, port = 80): Promise<Probe> => {
  await eventually(`${address} answers HTTP`, () => httpFromClient(address, port))
  const program = [process.execPath, join(import.meta.dirname, "probe-client.ts"), address, `${port}`]
  const child = spawn("nsenter", [networkOf("client"), ...program, `${PERIOD_MILLIS}`], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  onTestFinished(() => void child.stdin.end())
  const { report, restart } = asking(child)
  const answers = async () => {
    const { lastAnswered, sent } = await report()
    const next = Math.max(sent, lastAnswered + 1)
    await eventually(`${address} answers a probe`, async () => (await report()).lastAnswered >= next)
  }
  await answers()
  restart()
  return { report, restart, answers }
}
