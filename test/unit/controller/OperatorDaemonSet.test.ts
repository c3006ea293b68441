import { assert, describe, it } from "@effect/vitest"
import type { ConfigMap } from "../../../src/api/ConfigMap.ts"
import type { DaemonSet } from "../../../src/api/DaemonSet.ts"
import * as OperatorDaemonSet from "../../../src/controller/OperatorDaemonSet.ts"

const template = (image: string): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: OperatorDaemonSet.templateConfigMapName, namespace: "plenuslb" },
  data: { [OperatorDaemonSet.templateKey]: JSON.stringify({ ...daemonSet, spec: { image } }) }
})
const daemonSet: DaemonSet = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: "plenuslb-operator", namespace: "plenuslb" }
}
const unreadable: ConfigMap = { ...template("a"), data: { [OperatorDaemonSet.templateKey]: "{" } }

/** As the controller would have made it from this template. */
const madeFrom = (image: string): DaemonSet => {
  const change = OperatorDaemonSet.plan(true, template(image), undefined, "plenuslb")
  assert(change?._tag === "Create")
  return change.desired
}
const ofV04: DaemonSet = { ...daemonSet, metadata: { ...daemonSet.metadata, uid: "u", resourceVersion: "7" } }

describe("OperatorDaemonSet.plan", () => {
  // oxfmt-ignore
  it.each<[string, boolean, ConfigMap | undefined, DaemonSet | undefined, string | undefined]>([
    // name                                                            wanted  template         present          change
    ["makes it with the first pool that adds addresses",               true,   template("a"),   undefined,       "Create"],
    ["makes none while no pool does",                                  false,  template("a"),   undefined,       undefined],
    ["deletes it with the last such pool",                             false,  template("a"),   madeFrom("a"),   "Delete"],
    ["deletes it even where its template is gone",                     false,  undefined,       madeFrom("a"),   "Delete"],
    ["leaves it alone while the template is the same",                 true,   template("a"),   madeFrom("a"),   undefined],
    ["replaces it when the chart changed the template",                true,   template("b"),   madeFrom("a"),   "Replace"],
    ["replaces that of v0.4",                                          true,   template("a"),   ofV04,           "Replace"],
    ["says so when there is no template",                              true,   undefined,       undefined,       "TemplateMissing"],
    ["says so when the template cannot be read, and leaves it running", true,  unreadable,      ofV04,           "TemplateMissing"]
  ])("%s", (_, wanted, from, present, change) => {
    assert.strictEqual(OperatorDaemonSet.plan(wanted, from, present, "plenuslb")?._tag, change)
  })
})
