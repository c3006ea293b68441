/** Asks a segment who has addresses that this node is about to put on for the first time. */
import { Deferred, Effect } from "effect"
import { type Address, byFamily, type Family } from "../../domain/Address.ts"
import { arpProbeBytes, neighborSolicitationBytes, probe as frameOf } from "../../domain/Frames.ts"
import { answerWithinMillis, type Claimant, probeAtMillis } from "../../domain/ProbeAnswers.ts"
import * as ClaimReader from "./ClaimReader.ts"
import type { FrameChannels } from "./FrameChannels.ts"
import type { Reason, Toolbox } from "./Tool.ts"

/** Ends at the last moment for answers, or as soon as there is one for each address. */
export const probe = Effect.fnUntraced(function* (
  toolbox: Toolbox,
  channels: FrameChannels,
  addresses: ReadonlyArray<Address>,
  uplink: string
): Effect.fn.Return<ReadonlyArray<Claimant>, Reason> {
  const [v4, v6] = byFamily(addresses)
  const ask = (family: Family, asked: ReadonlyArray<Address>) =>
    asked.length === 0
      ? Effect.succeed<ReadonlyArray<Claimant>>([])
      : Effect.scoped(probeFamily(toolbox, channels, { family, addresses: asked, uplink }))
  const found = yield* Effect.all([ask("IPv4", v4), ask("IPv6", v6)], { concurrency: "unbounded" })
  return found.flat()
})

interface Question {
  readonly family: Family
  readonly addresses: ReadonlyArray<Address>
  readonly uplink: string
}

const probeFamily = Effect.fnUntraced(function* (
  toolbox: Toolbox,
  channels: FrameChannels,
  { addresses, family, uplink }: Question
) {
  const { index, mac } = yield* channels.uplink(uplink)
  const open = new Set(addresses)
  const claims = new Map<string, Claimant>()
  const complete = Deferred.makeUnsafe<void>()
  const onClaim = (claimant: Claimant) => {
    if (!addresses.includes(claimant.address)) return
    claims.set(`${claimant.address} ${claimant.mac}`, claimant)
    open.delete(claimant.address)
    if (open.size === 0) Deferred.doneUnsafe(complete, Effect.void)
  }
  const reader = yield* ClaimReader.open(toolbox, { family, uplink: { name: uplink, index }, onClaim })
  const frames = addresses.map((address) => frameOf(mac, address))
  const frameBytes = family === "IPv4" ? arpProbeBytes : neighborSolicitationBytes
  for (const [place, atMillis] of probeAtMillis.entries()) {
    // To its end, answered or not: a sender that is left in the middle of a frame is of no more use.
    yield* Effect.raceFirst(channels.send(uplink, frameBytes, frames), reader.ended)
    const pauseMillis = (probeAtMillis[place + 1] ?? answerWithinMillis) - atMillis
    yield* Effect.raceFirst(Effect.raceFirst(Effect.sleep(pauseMillis), Deferred.await(complete)), reader.ended)
    if (open.size === 0) break
  }
  return [...claims.values()]
})
