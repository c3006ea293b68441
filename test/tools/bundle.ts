/**
 * `npm run build`: minified CommonJS, so that an image needs no node_modules and a process starts in a tenth of the time.
 * One file for the operator; what the controller loads only when it is asked for (`import()`) stands in files of its own:
 * the playground and the kubeconfig library are two thirds of the code. Prints what the files consist of, and collects
 * the licences of what was bundled.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { rolldown, type OutputChunk } from "rolldown"

const bundles = [
  { entry: "src/main.ts", name: "controller", isSplit: true },
  { entry: "src/agent.ts", name: "agent", isSplit: false }
]
type Bundle = (typeof bundles)[number]

/**
 * Of the library only `KubeConfig` is used. Its index takes 3 MB of generated clients along, which nothing drops, since
 * the library is imported as a whole and at run time.
 */
const kubeconfigOnly = join(import.meta.dirname, "../../node_modules/@kubernetes/client-node/dist/config.js")

const build = async ({ entry, isSplit, name }: Bundle): Promise<ReadonlyArray<OutputChunk>> => {
  const bundle = await rolldown({
    input: entry,
    platform: "node",
    tsconfig: false,
    logLevel: "warn",
    resolve: { alias: { "@kubernetes/client-node": kubeconfigOnly } },
    treeshake: { moduleSideEffects: [{ test: /node_modules\/@kubernetes\/client-node\//, sideEffects: false }] },
    // Effect looks for environment variables there, in browsers.
    transform: { define: { "import.meta": "{}" } }
  })
  const { output } = await bundle.write({
    dir: "dist",
    entryFileNames: `${name}.cjs`,
    chunkFileNames: `${name}-[name].cjs`,
    format: "cjs",
    codeSplitting: isSplit,
    minify: true,
    sourcemap: false
  })
  await bundle.close()
  return output.filter((each) => each.type === "chunk")
}

/** `node_modules/@scope/name`, or undefined for our own modules. */
const packageOf = (moduleId: string): string | undefined =>
  /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(moduleId.replaceAll("\\", "/"))?.[0]

const sizesByOrigin = (chunk: OutputChunk): ReadonlyArray<readonly [string, number]> => {
  const sizes = new Map<string, number>()
  for (const [id, { renderedLength }] of Object.entries(chunk.modules)) {
    const origin = packageOf(id)?.replace(/^.*node_modules\//, "") ?? "ours"
    sizes.set(origin, (sizes.get(origin) ?? 0) + renderedLength)
  }
  return [...sizes].toSorted(([, a], [, b]) => b - a)
}

/** Minifying drops the notices that MIT and Apache-2.0 ask to keep. */
const notices = (chunks: ReadonlyArray<OutputChunk>): string => {
  const folders = new Set(
    chunks.flatMap((chunk) => Object.keys(chunk.modules).flatMap((id) => packageOf(id.split("\0").at(-1) ?? "") ?? []))
  )
  return [...folders]
    .filter((folder) => existsSync(join(folder, "package.json")))
    .toSorted()
    .map(noticeOf)
    .join("\n")
}

const noticeOf = (folder: string): string => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file))
  return [`${name} ${version} (${license})`, "", ...files.map((file) => readFileSync(join(folder, file), "utf8"))].join(
    "\n"
  )
}

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`

rmSync("dist", { recursive: true, force: true })
mkdirSync("dist")
const chunks: Array<OutputChunk> = []
for (const each of bundles) chunks.push(...(await build(each)))
for (const chunk of chunks) {
  const code = Buffer.from(chunk.code)
  const parts = sizesByOrigin(chunk).slice(0, 6)
  console.log(
    `${chunk.fileName}  ${kilobytes(code.length)}, ${kilobytes(gzipSync(code).length)} compressed; before minifying:`
  )
  for (const [origin, size] of parts) console.log(`  ${kilobytes(size).padStart(8)}  ${origin}`)
}
writeFileSync("dist/THIRD-PARTY-NOTICES.txt", notices(chunks))
