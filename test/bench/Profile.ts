/** Where the time of a synchronous piece of work goes: V8's CPU profile of this process, each sample counted for one part. */
import { Session } from "node:inspector"

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string }
  readonly children?: ReadonlyArray<number> | undefined
}

interface Profile {
  readonly nodes: ReadonlyArray<ProfileNode>
  readonly samples?: ReadonlyArray<number> | undefined
  readonly timeDeltas?: ReadonlyArray<number> | undefined
}

const folders: ReadonlyArray<readonly [RegExp, string]> = [
  [/\/src\/memory\/kubernetes\/(Watches|Reads|Selectors)\.ts/, "memory API: watch delivery"],
  [/\/src\/memory\/kubernetes\/(Decoding)\.ts|\/effect\/dist\/(Schema|internal\/schema)/, "decoding by Schema"],
  [/\/src\/memory\/kubernetes\/(View|Faults|MemoryKubernetes)\.ts/, "memory API: exchange"],
  [/\/src\/memory\/kubernetes\/Controllers\.ts/, "memory API: garbage collector"],
  [/\/src\/memory\/kubernetes\/|\/cel-js\//, "memory API: writes"],
  [/\/src\/memory\/network\//, "memory network"],
  [/\/src\/controller\//, "controller"],
  [/\/src\/operator\//, "operator"],
  [/\/src\/reconcile\//, "reflectors and queues"],
  [/\/src\/(domain|api)\//, "domain and api"],
  [/\/src\/invariants\//, "invariants"],
  [/\/src\/simulation\/kernel\//, "simulation kernel"],
  [/\/src\/simulation\//, "simulated world"],
  [/\/node_modules\/effect\/|node:async_hooks/, "Effect runtime"]
]

const partOf = ({ callFrame: { functionName, url } }: ProfileNode): string | undefined => {
  if (functionName === "(garbage collector)") return "garbage collection"
  return folders.find(([pattern]) => pattern.test(url))?.[1]
}

/** V8's own functions and other packages count for who called them. */
const sharesOf = ({ nodes, samples = [], timeDeltas = [] }: Profile): ReadonlyMap<string, number> => {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parentOf = new Map(nodes.flatMap(({ children, id }) => (children ?? []).map((child) => [child, id] as const)))
  const partOfId = new Map<number, string>()
  for (const { id } of nodes) {
    let part: string | undefined
    for (let at: number | undefined = id; at !== undefined && part === undefined; at = parentOf.get(at)) {
      const node = byId.get(at)
      part = node === undefined ? undefined : partOf(node)
    }
    partOfId.set(id, part ?? "other")
  }
  const micros = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const part = partOfId.get(id) ?? "other"
    micros.set(part, (micros.get(part) ?? 0) + (timeDeltas[index] ?? 0))
  }
  const total = [...micros.values()].reduce((sum, each) => sum + each, 0)
  return new Map([...micros].toSorted((a, b) => b[1] - a[1]).map(([part, each]) => [part, (100 * each) / total]))
}

/** Percent of the time by part, the largest first. The inspector answers within the call. */
export const profile = (work: () => void): ReadonlyMap<string, number> => {
  const session = new Session()
  session.connect()
  session.post("Profiler.enable")
  session.post("Profiler.setSamplingInterval", { interval: 500 })
  session.post("Profiler.start")
  work()
  let shares: ReadonlyMap<string, number> = new Map()
  session.post("Profiler.stop", (_, { profile: found }) => {
    shares = sharesOf(found)
  })
  session.disconnect()
  return shares
}
