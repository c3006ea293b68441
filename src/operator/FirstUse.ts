/**
 * Asks the network, before an address is used for the first time, whether a machine that is none of the cluster's has it:
 * somebody configured it by hand, or a DHCP server gave it away. Two that answer for one address take each other's clients.
 *
 * It takes a fifth of a second and is done beside the rounds, so that nothing else waits for it; a round learns what it may
 * use from what was answered so far, and is woken when there is more.
 */
import { Effect, type Scope } from "effect"
import type { Address } from "../domain/Address.ts"
import type { Claimant } from "../domain/ProbeAnswers.ts"
import { NodeNetwork } from "../ports/NodeNetwork.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"

/** How soon to ask again for what somebody has: he may leave, and a Service waits. */
export const ASK_AGAIN_MILLIS = 10_000
/** How soon to ask again after it could not be asked. */
const RETRY_MILLIS = 1_000

export interface Candidate {
  readonly address: Address
  /** Those with a hardware address; none: there is nobody to ask, a tunnel knows no neighbours. */
  readonly uplinks: ReadonlyArray<string>
  /** Which grant it is for: what was answered for another is no answer. */
  readonly grant: string
}

export interface FirstUse {
  /** Addresses of these that are not to be used yet; asks for those of which nothing is known. */
  readonly withhold: (
    candidates: ReadonlyArray<Candidate>,
    isUp: (uplink: string) => boolean
  ) => Effect.Effect<ReadonlySet<Address>>
  /** Of the candidates: the hardware address of the foreign machine that has it; undefined: none, as far as is known. */
  readonly foreignMacOf: (address: Address) => string | undefined
}

interface Known {
  readonly address: Address
  verdict: "unknown" | "free" | { readonly mac: string }
  isAsking: boolean
  againAtMillis: number
}

export interface Options {
  /** In lower case; of machines of the cluster, this one included. */
  readonly isOwnMac: (mac: string) => boolean
  readonly wake: () => void
}

export const make = Effect.fnUntraced(function* ({
  isOwnMac,
  wake
}: Options): Effect.fn.Return<FirstUse, never, NodeNetwork | Scope.Scope> {
  const network = yield* NodeNetwork
  const scope = yield* Effect.scope
  /** By grant and address. */
  const known = new Map<string, Known>()

  /** Undefined: it could not be asked there. A segment that is gone has nobody to ask. */
  const askOn = (uplink: string, addresses: ReadonlyArray<Address>) =>
    network.probe(addresses, uplink).pipe(
      Effect.map((claimants): ReadonlyArray<Claimant> | undefined => claimants.filter(({ mac }) => !isOwnMac(mac))),
      Effect.catch(({ message, reason }) =>
        reason._tag === "InterfaceMissing"
          ? Effect.succeed([])
          : Effect.logWarning("not asked whether an address is in use").pipe(
              Effect.annotateLogs({ uplink, error: message }),
              Effect.as(undefined)
            )
      )
    )

  const ask = Effect.fnUntraced(function* (asked: ReadonlyArray<Candidate>) {
    const uplinks = [...new Set(asked.flatMap((each) => each.uplinks))]
    const answers = yield* Effect.forEach(
      uplinks,
      (uplink) => {
        const addresses = asked.filter((each) => each.uplinks.includes(uplink)).map(({ address }) => address)
        return Effect.map(askOn(uplink, addresses), (claimants) => ({ uplink, claimants }))
      },
      { concurrency: "unbounded" }
    )
    const failed = new Set(answers.flatMap(({ claimants, uplink }) => (claimants === undefined ? [uplink] : [])))
    const claimants = answers.flatMap((each) => each.claimants ?? [])
    const now = yield* monotonicMillis
    for (const candidate of asked) {
      const entry = known.get(keyOf(candidate))
      if (entry === undefined) continue
      entry.isAsking = false
      settle(entry, candidate, { claimants, failed, now })
    }
    wake()
    const open = asked.flatMap((each) => known.get(keyOf(each)) ?? []).filter(({ verdict }) => verdict !== "free")
    if (open.length === 0) return
    yield* Effect.sleep(Math.min(...open.map(({ againAtMillis }) => againAtMillis)) - now)
    wake()
  })

  const withhold = Effect.fnUntraced(function* (
    candidates: ReadonlyArray<Candidate>,
    isUp: (uplink: string) => boolean
  ) {
    const present = new Set(candidates.map(keyOf))
    for (const key of known.keys()) if (!present.has(key)) known.delete(key)
    const now = yield* monotonicMillis
    const due = candidates.filter((each) => isDue(known.get(keyOf(each)), now))
    // While its cable is out nobody can be asked, nor come: the change of the link wakes.
    const asked = due.flatMap((each) => {
      const uplinks = each.uplinks.filter(isUp)
      note(known, each, uplinks.length > 0)
      return uplinks.length > 0 ? [{ ...each, uplinks }] : []
    })
    if (asked.length > 0) yield* Effect.forkIn(ask(asked), scope)
    const withheld = candidates.filter((each) => known.get(keyOf(each))?.verdict !== "free")
    return new Set(withheld.map(({ address }) => address))
  })

  const foreignMacOf = (address: Address): string | undefined => {
    const found = [...known.values()].find((each) => each.address === address)?.verdict
    return typeof found === "object" ? found.mac : undefined
  }
  return { withhold, foreignMacOf }
})

const keyOf = ({ address, grant }: Candidate): string => `${address} ${grant}`

const isDue = (entry: Known | undefined, now: number): boolean =>
  entry === undefined || (entry.verdict !== "free" && !entry.isAsking && now >= entry.againAtMillis)

/** What was answered before stands until there is another answer. */
const note = (known: Map<string, Known>, candidate: Candidate, isAsking: boolean): void => {
  const { address, uplinks } = candidate
  const before = known.get(keyOf(candidate))?.verdict ?? "unknown"
  known.set(keyOf(candidate), { address, verdict: uplinks.length === 0 ? "free" : before, isAsking, againAtMillis: 0 })
}

interface Answers {
  readonly claimants: ReadonlyArray<Claimant>
  readonly failed: ReadonlySet<string>
  readonly now: number
}

const settle = (entry: Known, { address, uplinks }: Candidate, { claimants, failed, now }: Answers): void => {
  const foreign = claimants.find((each) => each.address === address)
  const isAnswered = foreign !== undefined || !uplinks.some((each) => failed.has(each))
  entry.againAtMillis = now + (foreign === undefined ? RETRY_MILLIS : ASK_AGAIN_MILLIS)
  if (isAnswered) entry.verdict = foreign === undefined ? "free" : { mac: foreign.mac }
}
