/**
 * The one IPAllocation, decided by the functions that ship: `Assignment.assign` for the controller, `NodeDuty` for the
 * agent, `HoldId.standing` in between. Contents are numbered in the order in which they are first met, so that a state
 * carries a small number; epochs rise and acknowledgements only gather, so no content ever comes back, and equal numbers
 * mean the same version.
 */
import type { Address } from "../../../src/domain/Address.ts"
import * as Assignment from "../../../src/domain/Assignment.ts"
import type * as Hold from "../../../src/domain/Hold.ts"
import * as HoldId from "../../../src/domain/HoldId.ts"
import * as NodeDuty from "../../../src/domain/NodeDuty.ts"
import { nodeName, type Setting } from "./Configuration.ts"

export interface Content {
  readonly entry: Hold.Entry
  readonly acknowledgements: ReadonlyArray<Hold.Acknowledgement>
}

/** What a controller knows of a node's lease. */
export interface Registered {
  readonly generation: number
  readonly boot: number
  readonly isFenced: boolean
}

const address = "192.0.2.10" as Address
const grant: Assignment.Grant = { address, pool: "rack", interfaceName: "pl0" }

/** The random part tells machines apart, as chance would. */
const randoms: ReadonlyArray<string> = ["a", "b", "c"]
export const holdIdOf = (generation: number, machine: number): HoldId.HoldId =>
  HoldId.make(generation, randoms[machine] ?? "d")

/** The generation that an agent registers with after a fence, or on another boot. */
export const generationAfter = (generation: number, machine: number): number =>
  HoldId.generationOf(HoldId.next(holdIdOf(generation, machine), randoms[machine] ?? "d"))

const memoized = <A>(compute: (...keys: ReadonlyArray<number>) => A): ((...keys: ReadonlyArray<number>) => A) => {
  const known = new Map<number, A>()
  return (...keys) => {
    let key = 0
    for (const each of keys) key = key * 256 + each
    const found = known.get(key)
    if (found !== undefined) return found
    const made = compute(...keys)
    known.set(key, made)
    return made
  }
}

export interface Allocations {
  readonly initial: number
  readonly contentOf: (id: number) => Content
  /** The epoch at which this machine is to serve, by this version; 0: not. */
  readonly duty: (id: number, machine: number, generation: number) => number
  /** The newest epoch of which this machine has to say that it let go, by this version; 0: nothing new. */
  readonly owed: (id: number, machine: number, generation: number) => number
  /** What `id` becomes when the machine says so. */
  readonly acknowledged: (id: number, seen: number, machine: number, generation: number) => number
  /** Named anew, away from a fenced holder or (`leaving`) away from a node that must hand over; `id` if nothing changes. */
  readonly reassigned: (id: number, leases: ReadonlyArray<Registered>, target: number, isMove: boolean) => number
}

export const make = (setting: Setting): Allocations => {
  const contents: Array<Content> = []
  const numbers = new Map<string, number>()
  const intern = (content: Content): number => {
    const text = JSON.stringify(content)
    const known = numbers.get(text)
    if (known !== undefined) return known
    numbers.set(text, contents.length)
    return contents.push(content) - 1
  }
  const initial = intern({
    entry: { ...grant, node: nodeName(0), holdId: holdIdOf(1, 0), epoch: 1, previous: [] },
    acknowledgements: []
  })
  const contentOf = (id: number): Content => {
    const content = contents[id]
    if (content === undefined) throw new Error(`no content ${id}`)
    return content
  }
  const nodeOf = (machine: number): number => setting.machines[machine]?.node ?? 0

  /** As an agent sees it; without R1 an entry names the node and nothing else. */
  const viewOf = (id: number, machine: number, generation: number) => {
    const { acknowledgements, entry } = contentOf(id)
    const node = nodeName(nodeOf(machine))
    const holdId = holdIdOf(generation, machine)
    const named = setting.without === "R1" && entry.node === node ? { ...entry, holdId } : entry
    const heard =
      setting.without === "acknowledged-epoch"
        ? entry.previous.filter((each) => acknowledgements.some((other) => other.node === each.node))
        : []
    const view: NodeDuty.AllocationView = {
      key: "shop/web",
      uid: "1",
      deleting: false,
      entries: [named],
      acknowledgements: [
        ...acknowledgements,
        ...heard.map((each) => ({ ...each, address, phase: "Released" as const }))
      ]
    }
    return { view, self: { node, holdId } }
  }

  const duty = memoized((id = 0, machine = 0, generation = 0) => {
    const { self, view } = viewOf(id, machine, generation)
    return NodeDuty.dutiesOf(view, self)[0]?.holder.epoch ?? 0
  })

  const answers = (id: number, machine: number, generation: number) => {
    const { self, view } = viewOf(id, machine, generation)
    const isNamed = view.entries.some((entry) => entry.holdId === self.holdId)
    const newest = HoldId.make(Number.MAX_SAFE_INTEGER, "newest")
    const speaker =
      setting.without === "acknowledged-own-id" && !isNamed ? { ...self, holdId: undefined, lastHoldId: newest } : self
    return NodeDuty.acknowledge(view, speaker, {
      isHeld: () => false,
      isAnnounced: () => false,
      foreignMacOf: () => undefined
    })
  }

  const merged = (id: number, mine: ReadonlyArray<Hold.Acknowledgement>, machine: number): number => {
    const { acknowledgements, entry } = contentOf(id)
    const node = nodeName(nodeOf(machine))
    const others = acknowledgements.filter((each) => each.node !== node)
    return intern({ entry, acknowledgements: [...others, ...mine].toSorted((a, b) => (a.node < b.node ? -1 : 1)) })
  }

  const owed = memoized((id = 0, machine = 0, generation = 0) => {
    if (duty(id, machine, generation) > 0) return 0
    const mine = answers(id, machine, generation)
    return mine.length === 0 || merged(id, mine, machine) === id ? 0 : Math.max(...mine.map(({ epoch }) => epoch))
  })

  const acknowledged = memoized((id = 0, seen = 0, machine = 0, generation = 0) =>
    merged(id, answers(seen, machine, generation), machine)
  )

  const assign = memoized((id = 0, target = 0, isMove = 0, ...registered) => {
    const leases = leasesFrom(registered)
    const { acknowledgements, entry } = contentOf(id)
    const nodes = nodesOf(setting, leases, target, isMove === 1)
    const context = {
      nodes,
      acknowledgements,
      isRoutedThere: () => false,
      isShown: () => true,
      nextEpoch: (entry.epoch ?? 0) + 1
    }
    const [next] = Assignment.assign([grant], [entry], context)
    if (next === undefined || (next.epoch === entry.epoch && next.node === entry.node)) return id
    return intern({ entry: { ...next, previous: previousOf(setting, next) }, acknowledgements })
  })

  const reassigned: Allocations["reassigned"] = (id, leases, target, isMove) =>
    assign(
      id,
      target,
      isMove ? 1 : 0,
      ...leases.map(({ boot, generation, isFenced }) => generation * 16 + boot * 2 + (isFenced ? 1 : 0))
    )

  return { initial, contentOf, duty, owed, acknowledged, reassigned }
}

const leasesFrom = (numbers: ReadonlyArray<number>): ReadonlyArray<Registered> =>
  numbers.map((each) => ({ generation: each >> 4, boot: (each >> 1) & 7, isFenced: (each & 1) === 1 }))

const previousOf = ({ without }: Setting, { previous }: Hold.Entry): ReadonlyArray<Hold.Holder> => {
  if (without === "previous-kept") return []
  return without === "previous-appended" ? previous.slice(-1) : previous
}

const nodesOf = (
  { without }: Setting,
  leases: ReadonlyArray<Registered>,
  target: number,
  isMove: boolean
): Assignment.Nodes => {
  const leaseOf = (node: string) => leases[Number(node.slice(node.indexOf("-") + 1)) - 1]
  const isFenced = (holder: Hold.Holder): boolean => {
    const lease = leaseOf(holder.node)
    if (lease === undefined) return false
    const observed = { holdId: holdIdOf(lease.generation, lease.boot), fenced: lease.isFenced }
    const named = holder.holdId as HoldId.HoldId
    if (without === "ids-by-generation" && named !== observed.holdId) return true
    return HoldId.standing(named, observed) === "Fenced"
  }
  return {
    holdIdOf: (node) => {
      const lease = leaseOf(node)
      return lease === undefined || lease.isFenced ? undefined : holdIdOf(lease.generation, lease.boot)
    },
    isFenced,
    isOutOfService: () => false,
    mayKeep: () => !isMove,
    choose: () => nodeName(target)
  }
}
