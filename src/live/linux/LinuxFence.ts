/**
 * The fence of the kernel by nftables: tables and rules by nft, contents past it. A content that is too long for one datagram goes as
 * its difference to what the sets hold, or by nft where that is too long, too, or not known. What a refused transaction ran
 * against is found out by looking, not by its message.
 */
import { Effect, type Scope } from "effect"
import { FenceRefused, type FenceState, type FenceWrite, type KernelFence } from "../../ports/KernelFence.ts"
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

/** Each takes 28 bytes at least of some 32,000; who has more need not have the whole encoded to know. */
const datagramMaxAddresses = 1_200

const expected = "JSON with nftables, in it the table plenuslb, and its sets with their elements"

export const make = (toolbox: Toolbox): Effect.Effect<KernelFence<Reason>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const session = yield* NftSession.make(toolbox)
    const sets = yield* NetlinkSession.make(toolbox)

    /** What the sets of addresses hold, unless a foreign hand was there. */
    let known: FenceTable.Lists | undefined

    const table = (family: (typeof FenceTable.families)[number]): Effect.Effect<FenceTable.Table | undefined, Reason> =>
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
      known = undefined
      if (inet === undefined || arp === undefined) return undefined
      const { lists, ...found } = inet
      if (FenceTable.isAlike(lists, arp.lists)) known = lists
      return found satisfies FenceState
    })

    const forget = Effect.sync(() => void (known = undefined))

    const why = Effect.fnUntraced(function* (owner: string | undefined) {
      yield* forget
      const found = yield* state
      if (found === undefined) return new FenceRefused({ why: "NoTable" })
      return owner === undefined || found.owner === owner
        ? new FenceRefused({ why: "TicketExpired" })
        : new FenceRefused({ why: "OtherOwner", owner: found.owner ?? "nobody" })
    })

    const refused = (owner: string | undefined) => Effect.flatMap(why(owner), (reason) => Effect.fail<Reason>(reason))

    const changed = (changes: ReadonlyArray<SetBatch.Change>, owner: string | undefined) =>
      Effect.flatMap(
        Effect.tapError(sets.run(changes), () => forget),
        (outcome) => (outcome === "done" ? Effect.void : refused(owner))
      )

    const byNft = (changes: ReadonlyArray<SetBatch.Change>, owner: string | undefined) =>
      session.run(SetBatch.textOf(changes)).pipe(
        Effect.tapError(() => forget),
        Effect.catchIf(isAbsent, () => refused(owner))
      )

    /** Whether the content that was written last is too long for one datagram. */
    let isLong = false

    const written = (write: FenceWrite): Effect.Effect<void, Reason> => {
      const whole = FenceTable.addressCount(write) > datagramMaxAddresses ? undefined : FenceTable.write(write)
      isLong = whole === undefined || !sets.takes(whole)
      if (whole !== undefined && !isLong) return changed(whole, write.owner)
      const step = known && FenceTable.step(known, write)
      if (step !== undefined && sets.takes(step)) return changed(step, write.owner)
      return byNft(whole ?? FenceTable.write(write), write.owner)
    }

    return {
      claim: (owner) => session.run(FenceTable.claim(owner)),
      putTicket: (ticket, lifeMillis) => changed(FenceTable.putTicket(ticket, lifeMillis), undefined),
      write: (write) =>
        Effect.suspend(() => written(write)).pipe(
          Effect.tap(() => Effect.sync(() => void (known = FenceTable.listsOf(write))))
        ),
      doubt: Effect.suspend(() => (isLong ? Effect.asVoid(state) : Effect.void)),
      renew: (renewal) => changed(FenceTable.renew(renewal), renewal.owner),
      state,
      remove: session.run(FenceTable.remove)
    }
  })
