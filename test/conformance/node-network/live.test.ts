import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { namespaces, whyNot, worldIn } from "./LiveWorld.ts"
import { nodeNetworkSuite } from "./suite.ts"

const reason = whyNot()
const command =
  "npx vitest run --config test/vitest.config.ts --root . --project conformance test/conformance/node-network"

if (reason === undefined) {
  nodeNetworkSuite("a network namespace", Effect.flatMap(namespaces, worldIn))
} else {
  console.log(`NodeNetwork on a network namespace: skipped, ${reason}. To run it: sudo ${command}`)
  describe.skip("NodeNetwork on a network namespace", () => it(`skipped: ${reason}`, () => undefined))
}
