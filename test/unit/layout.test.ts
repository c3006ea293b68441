/** What holds for the tree as a whole: which folder may import which, how large things may grow, one version everywhere. */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { parse } from "yaml"
import { version } from "../../src/cli/Version.ts"

const root = resolve(import.meta.dirname, "../..")

/** Each folder may import itself and what stands in a lower rank; entries of one rank do not know each other. */
const ranks: ReadonlyArray<ReadonlyArray<string>> = [
  ["domain"],
  ["api"],
  ["ports", "invariants"],
  ["reconcile"],
  ["controller", "operator"],
  ["live", "memory", "cloud"],
  ["simulation"],
  ["cli"],
  ["main.ts", "agent.ts"]
]
/** What stands in fewer ranks than that. */
const onlyThese: { readonly [folder: string]: ReadonlyArray<string> } = {
  invariants: ["domain", "api"],
  live: ["domain", "api", "ports"],
  cloud: ["domain", "api", "ports", "reconcile"],
  memory: ["domain", "api", "ports"]
}

const rankOf = (folder: string): number => ranks.findIndex((rank) => rank.includes(folder))

const mayImport = (from: string, to: string): boolean =>
  from === to || (onlyThese[from]?.includes(to) ?? rankOf(to) < rankOf(from))

interface Source {
  readonly path: string
  readonly folder: string
  readonly text: string
}

const sources: ReadonlyArray<Source> = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path, folder: path.split("/")[0] ?? "", text: readFileSync(join(root, "src", path), "utf8") }))

/** Folders that a file imports from. */
const importsOf = ({ path, text }: Source): ReadonlyArray<string> =>
  [...text.matchAll(/\bfrom "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g)].map(([, specifier, dynamic]) => {
    const target = resolve(root, "src", dirname(path), specifier ?? dynamic ?? "")
    return relative(join(root, "src"), target).split("/")[0] ?? ""
  })

const violations = (source: Source): ReadonlyArray<string> =>
  importsOf(source)
    .filter((to) => !mayImport(source.folder, to))
    .map((to) => `src/${source.path} imports from ${to}`)

/** Longest function by its braces: good enough for a formatter's output, where a block closes in its own column. */
const lengthsOf = (text: string): ReadonlyArray<number> => {
  const lines = text.split("\n")
  return lines.flatMap((line, start) => {
    if (!/(=>|function\*?\s*\w*\(.*\)[^;]*) \{$/.test(line)) return []
    const indent = /^ */.exec(line)?.[0] ?? ""
    const end = lines.findIndex((each, index) => index > start && new RegExp(`^${indent}\\}`).test(each))
    return end < 0 ? [] : [end - start + 1]
  })
}

describe("the import order of the folders", () => {
  it("knows every folder of src", () => {
    assert.isAbove(sources.length, 100)
    for (const { folder, path } of sources) assert.isAtLeast(rankOf(folder), 0, `src/${path}`)
  })

  it("lets nobody import from above", () => {
    assert.deepStrictEqual(sources.flatMap(violations), [])
  })

  it.each<[string, string, boolean]>([
    ["domain", "api", false],
    ["api", "domain", true],
    ["controller", "operator", false],
    ["controller", "live", false],
    ["live", "reconcile", false],
    ["memory", "live", false],
    ["cli", "live", true],
    ["reconcile", "ports", true],
    ["operator", "cli", false]
  ])("%s may import from %s: %s", (from, to, expected) => {
    const source = { path: `${from}/Some.ts`, folder: from, text: `import { a } from "../${to}/Other.ts"` }
    assert.strictEqual(violations(source).length === 0, expected)
  })
})

describe("files of src", () => {
  it("have no default export, and re-export nothing", () => {
    for (const { path, text } of sources) {
      assert.notMatch(text, /^export default/m, `src/${path}: give it a name`)
      assert.notMatch(text, /^export (\*|\{[^}]*\}) from/m, `src/${path}: import from where it stands`)
    }
  })

  it("have at most 400 lines, and functions of at most 90 with their comments (the linter: 70 without)", () => {
    for (const { path, text } of sources) {
      assert.isAtMost(text.split("\n").length, 401, `src/${path}: split it`)
      assert.isAtMost(Math.max(0, ...lengthsOf(text)), 90, `src/${path}: split its longest function`)
    }
  })

  it("begin with a comment that says what they are", () => {
    for (const { path, text } of sources) assert.match(text, /^(#!.*\n)?\/\*\*/, `src/${path}`)
  })

  it.each([
    ["Date.now(", "the Clock"],
    ["new Date(", "DateTime"],
    ["Math.random(", "Random"],
    ["setTimeout(", "Effect.sleep"],
    ["setInterval(", "Effect.repeat"],
    ["Effect.promise(", "a port: programs run synchronously in the simulator"],
    ["async ", "Effect.gen"]
  ])("never write %s outside the edges, but %s", (word, instead) => {
    for (const { folder, path, text } of sources) {
      if (["live", "cli"].includes(folder) || folder.endsWith(".ts")) continue
      const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*|"[^"\n]*"|`[^`]*`/g, "")
      assert.notInclude(code, word, `src/${path}: use ${instead}`)
    }
  })
})

describe("the version", () => {
  it("is the same in the program, the package and the chart", () => {
    const chart: { readonly version?: string; readonly appVersion?: string } = parse(
      readFileSync(join(root, "chart/Chart.yaml"), "utf8")
    )
    const pkg: { readonly version?: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    assert.deepStrictEqual([pkg.version, chart.version, chart.appVersion], [version, version, version])
  })
})
