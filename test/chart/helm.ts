/** Renders the chart with the real helm: the one on PATH, else the one that the lab has built. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { parseAllDocuments } from "yaml"

export const root = join(import.meta.dirname, "../..")

const cache = process.env.PLENUSLB_CACHE ?? join(homedir(), ".cache/plenuslb")
const labFolders = existsSync(cache)
  ? readdirSync(cache)
      .filter((name) => name.startsWith("bin-"))
      .map((name) => join(cache, name))
  : []

const find = (program: string): string | undefined =>
  [...(process.env.PATH ?? "").split(delimiter), ...labFolders]
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file))

export const helm = find("helm")
/** Part of the name of what is skipped, so that the report says how to run it. */
export const needsHelm = helm === undefined ? " (skipped: no helm on PATH; run test/lab/build.sh helm)" : ""

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: { readonly [key: string]: string }
    readonly annotations?: { readonly [key: string]: string }
  }
  // oxlint-disable-next-line typescript/no-explicit-any -- manifests of a dozen kinds, looked into by tests alone
  readonly [field: string]: any
}

interface Rendered {
  /** What helm said when it refused; empty otherwise. */
  readonly refusal: string
  readonly text: string
}

/** As a release `plenuslb` in the namespace `plenuslb`, as the documentation has it. */
export const render = (values: object, ...flags: ReadonlyArray<string>): Rendered => {
  const folder = mkdtempSync(join(tmpdir(), "plenuslb-chart-"))
  try {
    const file = join(folder, "values.json")
    writeFileSync(file, JSON.stringify(values))
    const command = ["template", "plenuslb", join(root, "chart"), "--namespace=plenuslb", `--values=${file}`, ...flags]
    const { status, stdout, stderr } = spawnSync(helm ?? "helm", command, { encoding: "utf8" })
    return status === 0 ? { refusal: "", text: stdout } : { refusal: stderr, text: "" }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const manifestsOf = (text: string): ReadonlyArray<Manifest> =>
  parseAllDocuments(text)
    .map((document) => document.toJSON())
    .filter((manifest) => manifest !== null)

export const renderManifests = (values: object): ReadonlyArray<Manifest> => {
  const { refusal, text } = render(values)
  if (refusal !== "") throw new Error(refusal)
  const manifests = manifestsOf(text)
  return [...manifests, operatorDaemonSet(manifests)]
}

export const manifestOf = (manifests: ReadonlyArray<Manifest>, kind: string, name: string): Manifest => {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name)
  if (found === undefined) throw new Error(`the chart renders no ${kind} ${name}`)
  return found
}

const operatorDaemonSet = (manifests: ReadonlyArray<Manifest>): Manifest =>
  JSON.parse(manifestOf(manifests, "ConfigMap", "plenuslb-operator-daemonset").data["daemonset.json"])
