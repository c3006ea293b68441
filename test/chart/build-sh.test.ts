import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./helm.ts"

interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Every call of a fake program, in order. */
  readonly calls: ReadonlyArray<string>
}

/** `sick`: it is installed and does not work, like docker without its daemon. */
type Programs = { readonly [name: string]: "well" | "sick" }

const usual: Programs = { docker: "well", npm: "well", helm: "well" }

/** A copy of build.sh beside programs that write down their arguments and do nothing. */
const run = (args: ReadonlyArray<string>, programs: Programs = usual, env: NodeJS.ProcessEnv = {}): Run => {
  const folder = mkdtempSync(join(tmpdir(), "plenuslb-build-"))
  try {
    cpSync(join(root, "build.sh"), join(folder, "build.sh"))
    for (const name of ["bin", "node_modules"]) mkdirSync(join(folder, name))
    for (const [name, health] of Object.entries(programs)) {
      const file = join(folder, "bin", name)
      writeFileSync(
        file,
        `#!/bin/sh\n[ "$1" = info ] && exit ${health === "well" ? 0 : 1}\necho "${name} $*" >>"${folder}/calls"\n`
      )
      chmodSync(file, 0o755)
    }
    // What build.sh itself calls, and no more, so that no real builder is found.
    for (const name of ["dirname", "cat"]) symlinkSync(join("/usr/bin", name), join(folder, "bin", name))
    const { status, stdout, stderr } = spawnSync("/bin/bash", [join(folder, "build.sh"), ...args], {
      encoding: "utf8",
      env: { PATH: join(folder, "bin"), ...env }
    })
    const calls = existsSync(join(folder, "calls"))
      ? readFileSync(join(folder, "calls"), "utf8").trim().split("\n")
      : []
    return { code: status, stdout, stderr, calls }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const built = (target: string, image: string) => `docker build --target ${target} --tag ${image} .`

// oxfmt-ignore
const flags: ReadonlyArray<readonly [string, ReadonlyArray<string>, ReadonlyArray<string>]> = [
  ["builds both images and the chart as `latest`", [], [
    "npm run --silent build", built("controller", "plenus/plenuslb:latest"), built("operator", "plenus/plenuslb-operator:latest"),
    "helm package chart --app-version latest --destination dist"]],
  ["takes a tag, which is also the chart's version", ["-v", "v0.3.5"], [
    "npm run --silent build", built("controller", "plenus/plenuslb:v0.3.5"), built("operator", "plenus/plenuslb-operator:v0.3.5"),
    "helm package chart --app-version v0.3.5 --destination dist --version 0.3.5"]],
  ["builds the operator alone", ["--version", "v1", "-oo"], ["npm run --silent build", built("operator", "plenus/plenuslb-operator:v1")]],
  ["builds the controller alone", ["--controller-only"], ["npm run --silent build", built("controller", "plenus/plenuslb:latest")]],
  ["pushes what it has built, after everything is built", ["-p", "-v", "v1.0.0"], [
    "npm run --silent build", built("controller", "plenus/plenuslb:v1.0.0"), built("operator", "plenus/plenuslb-operator:v1.0.0"),
    "helm package chart --app-version v1.0.0 --destination dist --version 1.0.0",
    "docker push plenus/plenuslb:v1.0.0", "docker push plenus/plenuslb-operator:v1.0.0"]],
  ["pushes only what it has built", ["-oo", "--push"], [
    "npm run --silent build", built("operator", "plenus/plenuslb-operator:latest"), "docker push plenus/plenuslb-operator:latest"]]
]

// oxfmt-ignore
const refused: ReadonlyArray<readonly [string, ReadonlyArray<string>, string]> = [
  ["an unknown flag",     ["--verbose"],   "build.sh: '--verbose' is not known. Run ./build.sh -h for what it takes.\n"],
  ["a word",              ["v1.0.0"],      "build.sh: 'v1.0.0' is not known. Run ./build.sh -h for what it takes.\n"],
  ["-v without a tag",    ["-v"],          "build.sh: -v needs a tag, for example: -v v1.0.0. Run ./build.sh -h for what it takes.\n"],
  ["both -oo and -co",    ["-oo", "-co"],  "build.sh: -oo and -co exclude each other. Run ./build.sh -h for what it takes.\n"],
  ["a flag as a tag",     ["-v", "-p"],    "build.sh: '-p' is no image tag: letters, digits, '_', '.' and '-', at most 128, not beginning with '.' or '-'. Run ./build.sh -h for what it takes.\n"]
]

describe("build.sh", () => {
  it.each(flags)("%s", (_, args, calls) => {
    const result = run(args)
    assert.deepStrictEqual([result.code, result.calls], [0, calls], result.stderr)
  })

  it.each(refused)("refuses %s with a sentence and exit code 2, and begins nothing", (_, args, sentence) => {
    const result = run(args)
    assert.deepStrictEqual([result.code, result.stderr, result.calls], [2, sentence, []])
  })

  it.each([["-h"], ["--help"]])("prints every flag for %s", (flag) => {
    const result = run([flag])
    assert.strictEqual(result.code, 0)
    for (const name of ["-v", "--version", "-p", "--push", "-oo", "--operator-only", "-co", "--controller-only"]) {
      assert.include(result.stdout, name)
    }
  })

  it("takes the first builder that works", () => {
    const result = run(["-co"], { npm: "well", docker: "sick", buildah: "well" })
    assert.deepStrictEqual(result.calls.at(-1), "buildah build --target controller --tag plenus/plenuslb:latest .")
  })

  it("says what to install when no builder works", () => {
    const result = run([], { npm: "well", docker: "sick" })
    assert.strictEqual(result.code, 1)
    assert.include(result.stderr, "no image builder works here. Install docker, podman or buildah")
  })

  it("builds images without helm and says that the chart is missing", () => {
    const result = run([], { docker: "well", npm: "well" })
    assert.strictEqual(result.code, 0)
    assert.include(result.stderr, "helm is not installed, so no chart is packaged")
  })

  it("hands base images, prefix and flags of the environment to the builder", () => {
    const env = {
      BASE_IMAGE: "lab/node",
      OPERATOR_BASE_IMAGE: "lab/tools",
      IMAGE_PREFIX: "lab",
      BUILDER_FLAGS: "--pull-never --isolation oci"
    }
    assert.deepStrictEqual(
      run(["-oo"], usual, env).calls.at(-1),
      "docker build --target operator --tag lab/plenuslb-operator:latest --build-arg BASE_IMAGE=lab/node --build-arg OPERATOR_BASE_IMAGE=lab/tools --pull-never --isolation oci ."
    )
  })

  it("says so when the builder that BUILDER names does not work", () => {
    const result = run(["-co"], usual, { BUILDER: "podman" })
    assert.strictEqual(result.code, 1)
    assert.include(result.stderr, "(BUILDER=podman is set so)")
  })
})
