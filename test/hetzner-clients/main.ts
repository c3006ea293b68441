/**
 * `npm run hetzner-clients`: the official clients of Hetzner Cloud, for Python and for Go, each against a fake of its own on
 * a free port. What cannot run here is skipped, and said. The last line is the count of all checks: `N passed, N failed`. Exit
 * code 1 if one failed or nothing ran.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"

const here = import.meta.dirname
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "plenuslb")

interface Client {
  readonly name: string
  /** How to run it, or why it cannot run. */
  readonly prepare: () => { readonly command: string; readonly args: ReadonlyArray<string> } | { readonly skip: string }
}

const isThere = (command: string, ...args: ReadonlyArray<string>): boolean =>
  spawnSync(command, args, { stdio: "ignore" }).status === 0

/** Outside the repository, one for each state of the pins. */
const python = (): ReturnType<Client["prepare"]> => {
  const pins = join(here, "python/requirements.txt")
  const id = createHash("sha256").update(readFileSync(pins)).digest("hex").slice(0, 8)
  const environment = join(cache, `hetzner-python-${id}`)
  const interpreter = join(environment, "bin/python")
  const client = { command: interpreter, args: [join(here, "python/client.py")] }
  if (isThere(interpreter, "-c", "import hcloud")) return client
  if (!isThere("python3", "-c", "import venv")) return { skip: "there is no python3 with venv" }
  console.log(`installing the pins of ${pins} into ${environment}`)
  const isInstalled =
    spawnSync("python3", ["-m", "venv", environment], { stdio: "inherit" }).status === 0 &&
    spawnSync(interpreter, ["-m", "pip", "install", "--disable-pip-version-check", "-q", "-r", pins], {
      stdio: "inherit"
    }).status === 0
  return isInstalled ? client : { skip: "hcloud could not be installed with pip" }
}

const golang = (): ReturnType<Client["prepare"]> => {
  const go = ["go", "/usr/local/go/bin/go"].find((each) => isThere(each, "version"))
  if (go === undefined) return { skip: "there is no go, neither in PATH nor in /usr/local/go" }
  const binary = join(cache, "hetzner-go")
  if (!isThere(go, "mod", "download", "-C", join(here, "go"))) return { skip: "hcloud-go could not be fetched" }
  // What does not compile is no reason to skip.
  const built = spawnSync(go, ["build", "-C", join(here, "go"), "-o", binary, "."], { stdio: "inherit" })
  return { command: built.status === 0 ? binary : "false", args: [] }
}

const clients: ReadonlyArray<Client> = [
  { name: "Python", prepare: python },
  { name: "Go", prepare: golang }
]

/** A project that is large enough to page, and quick. */
const fakeArgs = ["--port", "0", "--floating-ips-max", "100", "--action-millis", "300"]
const secrets = { HCLOUD_TOKEN: "fake-token", HCLOUD_TOKEN_READONLY: "fake-readonly" }

const exitOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    child.once("error", (error) => {
      console.error(error.message)
      resolve(127)
    })
    child.once("exit", (code) => resolve(code ?? 1))
  })

/** The first line that it prints is its base URL. */
const startFake = async (): Promise<{ readonly endpoint: string; readonly end: () => Promise<unknown> }> => {
  const fake = spawn(process.execPath, [join(here, "../hetzner-fake/main.ts"), ...fakeArgs], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const ended = exitOf(fake)
  for await (const endpoint of createInterface({ input: fake.stdout })) {
    return {
      endpoint,
      end: () => {
        fake.kill("SIGTERM")
        return ended
      }
    }
  }
  throw new Error(`the fake ended with ${await ended} before it listened`)
}

interface Count {
  readonly passed: number
  readonly failed: number
}

/** Each client ends with its own count; one that says none has failed as a whole. */
const run = async (command: string, args: ReadonlyArray<string>, endpoint: string): Promise<Count> => {
  const env = { ...process.env, ...secrets, HCLOUD_ENDPOINT: endpoint }
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "inherit"] })
  const ended = exitOf(child)
  let count: Count | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line)
    const [, passed, failed] = /^(\d+) passed, (\d+) failed$/u.exec(line) ?? []
    if (passed !== undefined) count = { passed: Number(passed), failed: Number(failed) }
  }
  const code = await ended
  if (count === undefined) return { passed: 0, failed: 1 }
  return code !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count
}

const counts: Array<Count> = []
for (const { name, prepare } of clients) {
  const prepared = prepare()
  if ("skip" in prepared) {
    console.log(`--- ${name}: skipped, because ${prepared.skip}`)
    continue
  }
  console.log(`--- ${name}`)
  const { end, endpoint } = await startFake()
  counts.push(await run(prepared.command, prepared.args, endpoint))
  await end()
}
const sumOf = (field: keyof Count): number => counts.reduce((sum, each) => sum + each[field], 0)
console.log(`--- all clients\n${sumOf("passed")} passed, ${sumOf("failed")} failed`)
process.exitCode = counts.length > 0 && sumOf("failed") === 0 ? 0 : 1
