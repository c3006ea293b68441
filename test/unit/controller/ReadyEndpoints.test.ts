import { assert, describe, it } from "@effect/vitest"
import type { EndpointSlice } from "../../../src/api/EndpointSlice.ts"
import { ReadyEndpoints } from "../../../src/controller/ReadyEndpoints.ts"

const slice = (name: string, service: string, ...nodes: ReadonlyArray<string>): EndpointSlice => ({
  metadata: { name, namespace: "shop", labels: { "kubernetes.io/service-name": service } },
  addressType: "IPv4",
  endpoints: nodes.map((node) =>
    node.startsWith("!") ? { nodeName: node.slice(1), conditions: { ready: false } } : { nodeName: node }
  )
})

const after = (...changes: ReadonlyArray<readonly [EndpointSlice | undefined, EndpointSlice | undefined]>) => {
  const endpoints = new ReadyEndpoints()
  const told = changes.map(([before, next]) =>
    endpoints.onSlice({ key: `shop/${(next ?? before)?.metadata.name ?? ""}`, before, after: next })
  )
  return { told: told.at(-1), nodes: [...endpoints.nodesOf("shop/web")].toSorted() }
}

describe("ReadyEndpoints", () => {
  it("counts an endpoint without conditions as ready, and one that is not ready not at all", () => {
    assert.deepStrictEqual(after([undefined, slice("a", "web", "n1", "!n2")]), { told: ["shop/web"], nodes: ["n1"] })
  })

  it("joins the slices of a Service", () => {
    const [a, b] = [slice("a", "web", "n1"), slice("b", "web", "n2")]
    assert.deepStrictEqual(after([undefined, a], [undefined, b]).nodes, ["n1", "n2"])
  })

  it("says nothing when another slice has the same node already", () => {
    const [a, b] = [slice("a", "web", "n1"), slice("b", "web", "n1")]
    assert.deepStrictEqual(after([undefined, a], [undefined, b]).told, [])
  })

  it("forgets a slice that is deleted, or passes to another Service", () => {
    const a = slice("a", "web", "n1")
    assert.deepStrictEqual(after([undefined, a], [a, undefined]), { told: ["shop/web"], nodes: [] })
    assert.deepStrictEqual(after([undefined, a], [a, slice("a", "api", "n1")]), {
      told: ["shop/web", "shop/api"],
      nodes: []
    })
  })
})
