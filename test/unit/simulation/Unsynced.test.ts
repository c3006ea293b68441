import { assert, describe, it } from "@effect/vitest"
import { addressLabelPrefix, nodeLabel } from "../../../src/api/Names.ts"
import type { ApiRequest } from "../../../src/memory/kubernetes/Faults.ts"
import { Unavailable } from "../../../src/ports/Kubernetes.ts"
import { hinderUnsynced } from "../../../src/simulation/world/Unsynced.ts"

const list: ApiRequest = { user: "operator-1", method: "list", group: "", plural: "ipallocations" }
const ofNode: ApiRequest = { ...list, labelSelector: nodeLabel("node-1") }
const ofAddress: ApiRequest = { ...list, labelSelector: `${addressLabelPrefix}c0000201` }
const refuse = new Unavailable({ message: "no route" })

const observed = () => {
  const impaired = new Set<string>()
  const { request } = hinderUnsynced(
    { impair: (node) => void impaired.add(node), relieve: (node) => void impaired.delete(node) },
    (client) => (client === "operator-1" ? "node-1" : undefined)
  )
  return { impaired, request: (asked: ApiRequest, fault = {}) => request?.(asked, fault) }
}

describe("hinderUnsynced", () => {
  it.each([
    ["is refused", { refuse }],
    ["gets no answer", { loseReply: true }],
    ["gets it too late", { delayMillis: 600, replyDelayMillis: 600 }]
  ])("an operator that lists and %s is impaired until it lists again", (_, fault) => {
    const { impaired, request } = observed()
    request(ofNode, fault)
    assert.deepStrictEqual([...impaired], ["node-1"])
    request(ofNode)
    assert.deepStrictEqual([...impaired], [])
  })

  it("one that watches has listed", () => {
    const { impaired, request } = observed()
    request(list, { refuse })
    request({ ...list, method: "watch" })
    assert.deepStrictEqual([...impaired], [])
  })

  it("a list of one address's claims that is refused says nothing of what it is to hold, and neither does a later one", () => {
    const { impaired, request } = observed()
    request(ofAddress, { refuse })
    assert.deepStrictEqual([...impaired], [])
    request(ofNode, { refuse })
    request(ofAddress)
    assert.deepStrictEqual([...impaired], ["node-1"])
  })

  it("a controller's lists are no operator's", () => {
    const { impaired, request } = observed()
    request({ ...list, user: "controller-1" }, { refuse })
    assert.deepStrictEqual([...impaired], [])
  })
})
