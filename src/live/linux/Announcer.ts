/** Announces addresses on uplinks: knows the hardware address, keeps the frame senders, replaces one that has ended. */
import { Effect, Result, type Scope, Semaphore } from "effect"
import { type Address, familyOf } from "../../domain/Address.ts"
import { announcement, gratuitousArpBytes, neighborAdvertisementBytes, parseMac } from "../../domain/Frames.ts"
import { InterfaceMissing, ToolFailed } from "../../ports/NodeNetwork.ts"
import { open, type FrameSender } from "./FrameSender.ts"
import { decodeLinks, type LinkInfo } from "./IpOutput.ts"
import { run, type Reason, type Toolbox } from "./Tool.ts"

export interface Announcer {
  readonly announce: (addresses: ReadonlyArray<Address>, uplink: string) => Effect.Effect<void, Reason>
}

export const make = (toolbox: Toolbox): Effect.Effect<Announcer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const senders = new Map<string, FrameSender>()
    const oneAtATime = yield* Semaphore.make(1)
    yield* Effect.addFinalizer(() => Effect.sync(() => senders.forEach((sender) => sender.close())))

    /** By index and not only by name: socat keeps sending into an interface that was deleted and made anew. */
    const senderFor = Effect.fnUntraced(function* (uplink: string, index: number, frameBytes: number) {
      const key = `${uplink} ${frameBytes}`
      const current = senders.get(key)
      if (current?.isAlive() === true && current.index === index) return current
      current?.close()
      senders.delete(key)
      const opened = yield* open(toolbox, uplink, frameBytes)
      senders.set(key, opened)
      return opened
    })
    return { announce: () => Effect.void }
  })
