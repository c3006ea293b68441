/** What the lease of node a says that has registered once and is in force. */
import * as HoldId from "../../../src/domain/HoldId.ts"

export const leaseContent = {
  node: "a",
  holdId: HoldId.make(1, "x"),
  bootId: "",
  systemUuid: "",
  nonce: "",
  attempt: 1,
  durationMillis: 6500,
  fenced: undefined,
  released: undefined,
  interfaces: {},
  instanceId: undefined,
  macs: []
}
