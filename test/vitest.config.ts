import { defineConfig } from "vitest/config"
import packageJson from "../package.json" with { type: "json" }

// An older one starts Vitest and then waits for ever for child processes that cannot read TypeScript.
const wanted = packageJson.devDependencies.node
if (Number.parseInt(process.versions.node) < Number.parseInt(wanted)) {
  throw new Error(
    `The tests need Node ${wanted}, which npm ci has installed, and this is Node ${process.versions.node} ` +
      `(${process.execPath}). Type: export PATH=$PWD/node_modules/.bin:$PATH, and then the same again; or npm test.`
  )
}

/** One project per kind of test; `npm test` runs those that need neither root nor Go, and `failover` is for the bench alone. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000 } },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000
        }
      },
      { test: { name: "simulation", include: ["test/simulation/**/*.test.ts"], testTimeout: 300_000 } },
      { test: { name: "chart", include: ["test/chart/**/*.test.ts"], testTimeout: 120_000 } },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { concurrent: false }
        }
      },
      {
        test: {
          name: "failover",
          include: ["test/failover/**/*.test.ts"],
          testTimeout: 900_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { concurrent: false }
        }
      }
    ]
  }
})
