import { Effect } from "effect"
import { namespaces, whyNot, worldIn } from "./LiveWorld.ts"
import { fenceSuite } from "./fenceSuite.ts"
import { flowSuite } from "./flowSuite.ts"
import { packetPathSuite } from "./packetPathSuite.ts"
import { probeSuite } from "./probeSuite.ts"
import { nodeNetworkSuite } from "./suite.ts"

const reason = whyNot()
const unavailable =
  reason === undefined
    ? undefined
    : `: not run, ${reason}. To run it, as root: npx vitest run --config test/vitest.config.ts --root . ` +
      `--project conformance test/conformance/node-network`
if (unavailable !== undefined) console.log(`NodeNetwork on a network namespace${unavailable}`)

nodeNetworkSuite("a network namespace", Effect.flatMap(namespaces, worldIn), unavailable)
fenceSuite("a network namespace", Effect.flatMap(namespaces, worldIn), unavailable)
probeSuite("a network namespace", Effect.flatMap(namespaces, worldIn), unavailable)
packetPathSuite("a network namespace", Effect.flatMap(namespaces, worldIn), unavailable)
flowSuite("a network namespace", Effect.flatMap(namespaces, worldIn), unavailable)
