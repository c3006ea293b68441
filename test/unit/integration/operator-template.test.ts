/** The chart's template of the operators' DaemonSet is not there: said once, not at every change of a Node. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { configMaps } from "../../../src/api/ConfigMap.ts"
import { nodes } from "../../../src/api/Node.ts"
import { templateConfigMapName, templateKey } from "../../../src/controller/OperatorDaemonSet.ts"
import { createPool, run } from "./Acting.ts"
import * as TestCluster from "./TestCluster.ts"

const template = { namespace: TestCluster.ownNamespace, name: templateConfigMapName }

const createTemplate = ({ api }: TestCluster.TestCluster) =>
  api.create(configMaps, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: template,
    data: { [templateKey]: JSON.stringify({ kind: "DaemonSet", metadata: { name: "operator" }, spec: {} }) }
  })

describe("a template that is missing", () => {
  it("is told once for each time that it goes, however often a Node changes, and never as a deployment", () => {
    run(
      Effect.gen(function* () {
        const said: Array<string> = []
        const cluster = yield* TestCluster.make(["node-1"], { onLog: (line) => void said.push(line) })
        const countOf = (text: string) => said.filter((line) => line.includes(`"${text}"`)).length
        const edit = (zone: string) =>
          Effect.andThen(
            cluster.api.patch(nodes, { name: "node-1" }, { metadata: { labels: { zone } } }),
            Effect.sleep("1 second")
          )
        yield* cluster.startController("controller-a")
        yield* createPool(cluster, "rack-1")
        for (const zone of ["a", "b", "c", "d"]) yield* edit(zone)
        assert.strictEqual(countOf("operators cannot be deployed"), 1)
        assert.strictEqual(countOf("operators deployed"), 0)
        yield* createTemplate(cluster)
        yield* Effect.sleep("1 second")
        assert.strictEqual(countOf("operators deployed"), 1)
        yield* cluster.api.delete(configMaps, template)
        for (const zone of ["e", "f"]) yield* edit(zone)
        assert.strictEqual(countOf("operators cannot be deployed"), 2)
      })
    )
  })
})
