/** Announces addresses on uplinks. */
import { Effect } from "effect"
import { type Address, byFamily } from "../../domain/Address.ts"
import { announcement, gratuitousArpBytes, neighborAdvertisementBytes } from "../../domain/Frames.ts"
import { open } from "./FrameSender.ts"
import type { FrameChannels } from "./FrameChannels.ts"
import type { Reason, Toolbox } from "./Tool.ts"

/** By loopback, which every node has, up or down. */
export const canSend = (toolbox: Toolbox): Effect.Effect<void, Reason> =>
  Effect.flatMap(open(toolbox, "lo", gratuitousArpBytes), ({ kill }) => Effect.sync(kill))

export const announce = Effect.fnUntraced(function* (
  channels: FrameChannels,
  addresses: ReadonlyArray<Address>,
  uplink: string
): Effect.fn.Return<void, Reason> {
  const [v4, v6] = byFamily(addresses)
  if (v4.length + v6.length === 0) return
  const { mac } = yield* channels.uplink(uplink)
  const frames = (family: ReadonlyArray<Address>) => family.map((address) => announcement(mac, address))
  if (v4.length > 0) yield* channels.send(uplink, gratuitousArpBytes, frames(v4))
  if (v6.length > 0) yield* channels.send(uplink, neighborAdvertisementBytes, frames(v6))
})
