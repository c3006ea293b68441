import { Effect } from "effect"
import * as MemoryMetadata from "../../../src/memory/metadata/MemoryMetadata.ts"
import { metadataSuite } from "./suite.ts"

metadataSuite("memory", (says) => Effect.succeed(MemoryMetadata.make(() => says)))
