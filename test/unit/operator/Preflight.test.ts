/** What an operator says in its log of the way that packets take to it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import type { PacketPath } from "../../../src/domain/FenceBypass.ts"
import * as Preflight from "../../../src/operator/Preflight.ts"
import { virtually } from "../virtually.ts"

const quiet: PacketPath = { kubeProxy: "found", programs: [], strictUplinks: [] }

describe("an uplink that drops clients", () => {
  it("is told of in the log when it was found twice, once, and when it is so no more; the fence is not concerned", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    virtually(
      Effect.gen(function* () {
        let path: PacketPath = { ...quiet, strictUplinks: ["eth1"] }
        const bypassed = yield* Preflight.follow({ uplinks: () => ["eth1"], packetPath: () => Effect.succeed(path) })
        yield* Effect.sleep("35 seconds")
        assert.deepStrictEqual(lines, [])
        yield* Effect.sleep("10 minutes")
        assert.deepStrictEqual(lines, ["an uplink may drop clients"])
        path = quiet
        yield* Effect.sleep("65 seconds")
        assert.deepStrictEqual(lines, ["an uplink may drop clients", "no uplink drops clients any more"])
        assert.isUndefined(bypassed())
      }).pipe(
        Effect.provideService(Logger.CurrentLoggers, new Set([logger])),
        Effect.provideService(References.MinimumLogLevel, "Info")
      )
    )
  })
})
