/** The way for frames out of each uplink: reads its hardware address, keeps the frame senders, replaces one that has ended. */
import { Effect, Result, type Scope } from "effect"
import { parseMac } from "../../domain/Frames.ts"
import { InterfaceMissing, ToolFailed } from "../../ports/NodeNetwork.ts"
import { open, type FrameSender } from "./FrameSender.ts"
import { decodeLinks } from "./IpOutput.ts"
import { misread, quote } from "./Misread.ts"
import * as StayingProcess from "./StayingProcess.ts"
import { run, type Reason, type Toolbox } from "./Tool.ts"
import type { ToolShell } from "./ToolShell.ts"

export interface FrameChannels {
  /** Read each time: a bond takes another hardware address when its first port goes. Fails when the link is down. */
  readonly uplink: (name: string) => Effect.Effect<Uplink, Reason>
  readonly send: (uplink: string, frameBytes: number, frames: ReadonlyArray<Uint8Array>) => Effect.Effect<void, Reason>
}

type Channel = StayingProcess.Kept<FrameSender, Reason>

export interface Uplink {
  readonly index: number
  readonly mac: Uint8Array
}

export const make = (toolbox: Toolbox, shell: ToolShell): Effect.Effect<FrameChannels, never, Scope.Scope> =>
  Effect.gen(function* () {
    /** One for each uplink and frame length. */
    const channels = new Map<string, Channel>()
    yield* Effect.addFinalizer(() => Effect.sync(() => channels.forEach(({ end }) => end())))

    const channelOf = (uplink: string, frameBytes: number): Channel => {
      const key = `${uplink} ${frameBytes}`
      const channel = channels.get(key) ?? StayingProcess.keep(open(toolbox, uplink, frameBytes))
      channels.set(key, channel)
      return channel
    }

    const send: FrameChannels["send"] = (uplink, frameBytes, frames) => {
      const attempt = channelOf(uplink, frameBytes).ask((sender) => sender.send(frames))
      // A link that was down, or an interface made anew, ends the sender at its next frame: once more with a new one.
      return Effect.catch(attempt, () => attempt)
    }
    return { uplink: (name) => readUplink(toolbox, shell, name), send }
  })

/** By the shell, since it is read for each announcement; only when that knows nothing, by a process that tells why. */
const readUplink = Effect.fnUntraced(function* (toolbox: Toolbox, shell: ToolShell, uplink: string) {
  const args = ["-j", "link", "show", "dev", uplink]
  const printed = yield* shell.ask([{ tool: toolbox.ip, args }])
  const text = printed?.[0] ?? (yield* run(toolbox, toolbox.ip, args, { interfaceName: uplink }))
  const expected = "a JSON list of interfaces with ifname, ifindex and flags"
  const links = yield* Effect.catch(decodeLinks(text), ({ message }) =>
    misread(toolbox, { tool: toolbox.ip, args, found: quote(message), expected })
  )
  const link = links.find(({ ifname }) => ifname === uplink)
  if (link === undefined) return yield* Effect.fail(new InterfaceMissing({ interfaceName: uplink }))
  if (link.flags?.includes("UP") !== true) return yield* Effect.fail(unusable(toolbox, `${uplink} is down`))
  const mac = parseMac(link.address ?? "")
  if (Result.isFailure(mac)) return yield* Effect.fail(unusable(toolbox, `${uplink}: ${mac.failure}`))
  return { index: link.ifindex ?? 0, mac: mac.success } satisfies Uplink
})

const unusable = (toolbox: Toolbox, message: string): Reason => new ToolFailed({ tool: toolbox.ip, message })
