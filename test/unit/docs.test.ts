/** The documents agree with the tree: what they link to and name exists, and what the code can say they explain. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { descriptions as figures } from "../../src/controller/Figures.ts"

const root = resolve(import.meta.dirname, "../..")
const read = (file: string): string => readFileSync(join(root, file), "utf8")
const skipped = new Set(["node_modules", "dist", ".git"])

const markdownIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : markdownIn(path)
    return entry.name.endsWith(".md") ? [path] : []
  })

const documents = markdownIn(".")

/** As GitHub makes them: lower case, blanks to hyphens, everything else but letters, digits, `_` and `-` gone. */
const anchorsOf = (markdown: string): ReadonlySet<string> =>
  new Set(
    [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(" ", "-")
    )
  )

/** Relative links of a document that lead nowhere; targets in code spans and fences are no links. */
const brokenLinks = (file: string, markdown: string): ReadonlyArray<string> => {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "")
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
    if (/^[a-z]+:/.test(target)) return []
    const [path = "", anchor] = target.split("#")
    const linked = path === "" ? file : relative(root, resolve(root, dirname(file), path))
    if (!existsSync(join(root, linked))) return [`${file}: ${target} does not exist`]
    const found = anchor === undefined || anchorsOf(read(linked)).has(anchor)
    return found ? [] : [`${file}: ${linked} has no heading for #${anchor}`]
  })
}

interface Promised {
  readonly row: string
  readonly proof: string
}

const rowsOf = (markdown: string): ReadonlyArray<Promised> =>
  [...markdown.matchAll(/^\| (\d+) \|.*\| ([^|]+) \|$/gm)].map(([, row = "", proof = ""]) => ({ row, proof }))

/** A proof names a file and, in double quotes, sentences that stand in it; or says `not yet: ` and what will bring it. */
const problemsOfProof = ({ row, proof }: Promised): ReadonlyArray<string> => {
  if (/^not yet: \S/.test(proof)) return []
  const [, file, names = ""] = /^`([^`]+)` (".+")$/.exec(proof) ?? []
  if (file === undefined) return [`row ${row} names neither a test nor the work that will bring it: ${proof}`]
  if (!existsSync(join(root, file))) return [`row ${row}: ${file} does not exist`]
  const text = read(file)
  return names
    .slice(1, -1)
    .split('", "')
    .filter((name) => !text.includes(name))
    .map((name) => `row ${row}: ${file} has no test "${name}"`)
}

/** Where reasons that users see are made: unions of literals, and values of fields called `reason`. */
const sourcesOfReasons = [
  "src/domain/Refusal.ts",
  "src/domain/Placement.ts",
  "src/domain/InterfaceMode.ts",
  "src/domain/ServiceRequest.ts",
  "src/domain/Pool.ts",
  "src/domain/Plan.ts",
  "src/controller/HolderLack.ts",
  "src/controller/cloud/CloudStep.ts",
  "src/controller/cloud/CloudTrouble.ts",
  "src/controller/cloud/CloudView.ts",
  "src/controller/cloud/CloudWishes.ts",
  "src/controller/cloud/Credentials.ts",
  "src/controller/cloud/ProjectFollower.ts",
  "src/controller/cloud/ProjectTrust.ts",
  "src/controller/OtherLoadBalancer.ts",
  "src/controller/PoolReconciler.ts",
  "src/controller/Rivalry.ts",
  "src/controller/ServiceNotices.ts",
  "src/controller/Unreadable.ts",
  "src/controller/WantedState.ts"
]

const reasonsIn = (source: string): ReadonlyArray<string> =>
  source
    .split("\n")
    .filter((line) => /\breason: "/.test(line) || /^ {2,}\| "/.test(line))
    .flatMap((line) => {
      const values = line.includes("reason: ") ? line.slice(line.indexOf("reason: ")) : line
      const [, unions = ""] = /^(?:reason: |\s*\| )("\w+"(?:\s*\|\s*"\w+")*)/.exec(values) ?? []
      return [...unions.matchAll(/"([A-Z]\w+)"/g)].flatMap(([, reason]) => reason ?? [])
    })

const explained = (markdown: string): ReadonlySet<string> =>
  new Set([...markdown.matchAll(/`([A-Z]\w+)`/g)].flatMap(([, word]) => word ?? []))

describe("Documents", () => {
  it("link to what exists", () => {
    assert.isAtLeast(documents.length, 15)
    assert.deepStrictEqual(
      documents.flatMap((file) => brokenLinks(file, read(file))),
      []
    )
  })

  // oxfmt-ignore
  it.each([
    ["a file",                  "[a](gone.md)",                    ["docs/x.md: gone.md does not exist"]],
    ["a file above",            "[a](../gone/README.md)",          ["docs/x.md: ../gone/README.md does not exist"]],
    ["a heading",               "[a](installing.md#nowhere)",      ["docs/x.md: docs/installing.md has no heading for #nowhere"]],
    ["nothing, as it is code",  "`[a](gone.md)`\n```\n[b](gone.md)\n```", []],
    ["nothing, as it is good",  "[a](installing.md#from-v04) [b](https://example.com/gone.md)", []]
  ])("miss: %s", (_, markdown, problems) => {
    assert.deepStrictEqual(brokenLinks("docs/x.md", markdown), problems)
  })

  it("are all found from docs/README.md or README.md", () => {
    const linked = new Set(
      ["README.md", "docs/README.md"].flatMap((file) =>
        [...read(file).matchAll(/\]\(([^)#\s]+)/g)].map(([, target = ""]) =>
          relative(root, resolve(root, dirname(file), target))
        )
      )
    )
    const lost = documents.filter(
      (file) => !linked.has(file) && file !== "README.md" && !file.startsWith("docs/facts/")
    )
    assert.deepStrictEqual(
      lost.filter((file) => !file.endsWith(".head.md")),
      []
    )
  })

  it("name each dependency once, and none that is gone", () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read("package.json"))
    const named = read("docs/dependencies.md")
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .flatMap((line) => [...(line.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].flatMap(([, name]) => name ?? []))
    const present = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
    assert.deepStrictEqual(named.toSorted(), present.toSorted())
  })
})

describe("docs/v0.4.md", () => {
  const rows = rowsOf(read("docs/v0.4.md"))

  it("has a row for each promise, numbered", () => {
    assert.isAtLeast(rows.length, 40)
    assert.deepStrictEqual(
      rows.map(({ row }) => row),
      rows.map((_, index) => String(index + 1))
    )
  })

  it("names tests that exist, or the work that will bring them", () => {
    assert.deepStrictEqual(rows.flatMap(problemsOfProof), [])
  })

  // oxfmt-ignore
  it.each([
    ["a file that is gone",     '`test/unit/Gone.test.ts` "x"',              "row 1: test/unit/Gone.test.ts does not exist"],
    ["a test that is gone",     '`LICENSE` "Apache License", "MIT Licence"', 'row 1: LICENSE has no test "MIT Licence"'],
    ["a file without a test",   "`LICENSE`",                                 "row 1 names neither a test nor the work that will bring it: `LICENSE`"],
    ["not yet, without a word", "not yet: ",                                 "row 1 names neither a test nor the work that will bring it: not yet: "]
  ])("does not pass with %s", (_, proof, problem) => {
    assert.deepStrictEqual(problemsOfProof({ row: "1", proof }), [problem])
  })
})

describe("docs/troubleshooting.md", () => {
  it("explains every figure, and none that there is not", () => {
    const told = [...read("docs/troubleshooting.md").matchAll(/^\| `(plenuslb_\w+)` \|/gm)].map(([, name]) => name)
    assert.deepStrictEqual(told.toSorted(), Object.keys(figures).toSorted())
  })

  it("explains every reason that the code can give", () => {
    const reasons = sourcesOfReasons.map((file) => [file, reasonsIn(read(file))] as const)
    for (const [file, found] of reasons) assert.isNotEmpty(found, file)
    const words = explained(read("docs/troubleshooting.md"))
    assert.deepStrictEqual(
      reasons.flatMap(([, found]) => found).filter((reason) => !words.has(reason)),
      []
    )
  })

  it("gives no reason in its tables that the code does not have", () => {
    const known = new Set(sourcesOfReasons.flatMap((file) => reasonsIn(read(file))))
    const listed = [...read("docs/troubleshooting.md").matchAll(/^\| (?:`\w+` \w+ \| )?`([A-Z]\w+)` \|/gm)]
    assert.isAtLeast(listed.length, 50)
    assert.deepStrictEqual(
      listed.flatMap(([, reason = ""]) => (known.has(reason) ? [] : [reason])),
      []
    )
  })

  it("finds reasons however they are written", () => {
    const source = [
      '  readonly reason: "PoolDisabled" | "PoolDeleting"',
      '  | "Excluded"',
      '  if (a) return { reason: "NoNode", message: "The cluster" }',
      'export type Kind = "PersistentIPPool" | "EphemeralIPPool"'
    ]
    assert.deepStrictEqual(reasonsIn(source.join("\n")), ["PoolDisabled", "PoolDeleting", "Excluded", "NoNode"])
  })
})
