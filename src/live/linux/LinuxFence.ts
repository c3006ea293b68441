/**
 * The fence of the kernel by nftables: tables and rules by nft, contents past it, as far as one datagram takes them. What a refused
 * transaction ran against is found out by looking, not by its message.
 */
import { Effect, type Scope } from "effect"
import { FenceRefused, type FenceState, type KernelFence } from "../../ports/KernelFence.ts"
import * as FenceTable from "./FenceTable.ts"
import { isMisread, misread, quote } from "./Misread.ts"
import * as NetlinkSession from "./NetlinkSession.ts"
import * as NftSession from "./NftSession.ts"
import * as SetBatch from "./SetBatch.ts"
import { run, type Reason, type Toolbox } from "./Tool.ts"

/** What nft says of a table, a set or an element that is not there, and not what a loader says of a library. */
const isAbsent = (reason: Reason): boolean =>
  reason._tag === "ToolFailed" && /^Error: .*No such file or directory/m.test(reason.message) && !isMisread(reason)

const listing = (family: string) => ["-j", "list", "table", family, "plenuslb"]

const expected = "JSON with nftables, in it the table plenuslb, and its sets with their elements"

export const make = (toolbox: Toolbox): Effect.Effect<KernelFence<Reason>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const session = yield* NftSession.make(toolbox)
    const sets = yield* NetlinkSession.make(toolbox)

    const table = (family: (typeof FenceTable.families)[number]): Effect.Effect<FenceState | undefined, Reason> =>
      run(toolbox, toolbox.nft, listing(family)).pipe(
        Effect.flatMap((text) =>
          Effect.catch(FenceTable.decodeTable(text), ({ message }) =>
            misread(toolbox, { tool: toolbox.nft, args: listing(family), found: quote(message), expected })
          )
        ),
        Effect.catchIf(isAbsent, () => Effect.succeed(undefined))
      )

    const state = Effect.gen(function* () {
      const [inet, arp] = yield* Effect.all([table("inet"), table("arp")], { concurrency: "unbounded" })
      return arp === undefined ? undefined : inet
    })

    const why = Effect.fnUntraced(function* (owner: string | undefined) {
      const found = yield* state
      if (found === undefined) return new FenceRefused({ why: "NoTable" })
      return owner === undefined || found.owner === owner
        ? new FenceRefused({ why: "TicketExpired" })
        : new FenceRefused({ why: "OtherOwner", owner: found.owner ?? "nobody" })
    })

    const changed = (changes: ReadonlyArray<SetBatch.Change>, owner: string | undefined) =>
      Effect.flatMap(sets.run(changes), (outcome) =>
        outcome === "done" ? Effect.void : Effect.flatMap(why(owner), (reason) => Effect.fail<Reason>(reason))
      )

    const orRefused = (transaction: Effect.Effect<void, Reason>, owner: string | undefined) =>
      Effect.catchIf(transaction, isAbsent, () => Effect.flatMap(why(owner), (reason) => Effect.fail<Reason>(reason)))

    return {
      claim: (owner) => session.run(FenceTable.claim(owner)),
      putTicket: (ticket, lifeMillis) => changed(FenceTable.putTicket(ticket, lifeMillis), undefined),
      write: (write) => {
        const changes = FenceTable.write(write)
        return sets.takes(changes)
          ? changed(changes, write.owner)
          : orRefused(session.run(SetBatch.textOf(changes)), write.owner)
      },
      renew: (renewal) => changed(FenceTable.renew(renewal), renewal.owner),
      state,
      remove: session.run(FenceTable.remove)
    }
  })
