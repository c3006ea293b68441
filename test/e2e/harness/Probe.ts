/** A client that asks an address 200 times a second, and what it saw. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { onTestFinished } from "vitest"
import { eventually } from "./eventually.ts"
import { httpFromClient, networkOf } from "./Lab.ts"
import type { ProbeReport, Target } from "./probe-client.ts"

const PERIOD_MILLIS = 5

export interface Probe {
  readonly report: () => Promise<ProbeReport>
  /** Asks no more, waits until everything had time to be answered, and tells what was lost. */
  readonly finish: () => Promise<ProbeReport>
  /** Counts and gaps begin anew. */
  readonly restart: () => void
  /** Waits until a probe that was sent after this call is answered. */
  readonly answers: () => Promise<void>
}

/** A report for each target, in their order. */
export interface Probes {
  readonly report: () => Promise<ReadonlyArray<ProbeReport>>
  readonly finish: () => Promise<ReadonlyArray<ProbeReport>>
  readonly restart: () => void
  readonly answer: () => Promise<void>
}

const asking = (child: ChildProcess): Pick<Probes, "report" | "finish" | "restart"> => {
  const waiting: Array<(reports: ReadonlyArray<ProbeReport>) => void> = []
  if (child.stdout === null || child.stdin === null) throw new Error("the probe has no pipes")
  const { stdin } = child
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(JSON.parse(line)))
  const asked = (line: string) =>
    new Promise<ReadonlyArray<ProbeReport>>((resolve) => {
      waiting.push(resolve)
      stdin.write(`${line}\n`)
    })
  return {
    report: () => asked("report"),
    finish: () => asked("finish"),
    restart: () => void stdin.write("restart\n")
  }
}

/**
 * Begins to count once the addresses answer. The first datagram waits until kube-proxy has rules for the address, TCP and
 * UDP in one transaction: what comes earlier leaves a flow without translation in the node's connection tracking, which
 * every later datagram from the same port renews, and which kube-proxy deletes only when the Service's endpoints change
 * (`CleanStaleEntries` in its pkg/proxy/conntrack, as of 1.36).
 */
export const probes = async (targets: ReadonlyArray<Target>, httpPort = 80): Promise<Probes> => {
  for (const address of new Set(targets.map((each) => each.address))) {
    await eventually(`${address} answers HTTP`, () => httpFromClient(address, httpPort))
  }
  const program = [process.execPath, join(import.meta.dirname, "probe-client.ts"), JSON.stringify(targets)]
  const child = spawn("nsenter", [networkOf("client"), ...program], { stdio: ["pipe", "pipe", "inherit"] })
  onTestFinished(() => void child.stdin.end())
  const { finish, report, restart } = asking(child)
  const answer = async () => {
    const next = (await report()).map(({ lastAnswered, sent }) => Math.max(sent, lastAnswered + 1))
    await eventually(
      `${targets.map(({ address, kind }) => `${kind} ${address}`).join(", ")} answer a probe`,
      async () => {
        const now = await report()
        return now.every(({ lastAnswered }, index) => lastAnswered >= (next[index] ?? 0))
      }
    )
  }
  await answer()
  restart()
  return { report, finish, restart, answer }
}

const only = ([first]: ReadonlyArray<ProbeReport>): ProbeReport => {
  if (first === undefined) throw new Error("the probe told nothing")
  return first
}

export const probe = async (address: string, port = 80): Promise<Probe> => {
  const { answer, finish, report, restart } = await probes(
    [{ kind: "udp", address, port, periodMillis: PERIOD_MILLIS }],
    port
  )
  return {
    report: async () => only(await report()),
    finish: async () => only(await finish()),
    restart,
    answers: answer
  }
}
