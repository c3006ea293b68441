/** PlenusLB in the lab: installed, uninstalled, its Pods and which of them leads, its processes killed. */
import { type DaemonSet, daemonSets } from "../../../src/api/DaemonSet.ts"
import { leases } from "../../../src/api/Lease.ts"
import { daemonSetName, leaderLeaseName } from "../../../src/api/Names.ts"
import { isNodeLease } from "../../../src/api/NodeLease.ts"
import { type Pod, pods } from "../../../src/api/Pod.ts"
import * as Cluster from "./Cluster.ts"
import { eventually } from "./eventually.ts"
import { cluster, nodeNames } from "./Lab.ts"
import { poolManifest } from "./Scenario.ts"

export const namespace = "plenuslb"

/** Keeps the operators running between tests; what happens with the last pool has a test of its own. */
const standingPool = "e2e-standing"

export const operators = (): Promise<DaemonSet | undefined> =>
  Cluster.get(daemonSets, { namespace, name: daemonSetName })

export const operatorsRolledOut = (): Promise<DaemonSet> =>
  eventually("an up-to-date operator is ready on every node", async () => {
    const daemonSet = await operators()
    const { status } = daemonSet ?? {}
    const done =
      status?.observedGeneration === daemonSet?.metadata.generation &&
      status?.updatedNumberScheduled === nodeNames.length &&
      status.numberAvailable === nodeNames.length
    return done && daemonSet
  })

export const podsOf = async (name: "plenuslb" | "plenuslb-operator"): Promise<ReadonlyArray<Pod>> =>
  Cluster.list(pods, { namespace, labelSelector: `app.kubernetes.io/name=${name}` })

const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true

/** The Pod that leads, as its Lease says it. */
export const leader = async (): Promise<string | undefined> => {
  const lease = await Cluster.get(leases, { namespace, name: leaderLeaseName })
  return lease?.spec?.holderIdentity?.split("_")[0]
}

/** Both controllers are ready and one that exists leads. */
export const controllersReady = (): Promise<{ readonly leader: Pod; readonly standby: Pod }> =>
  eventually("two controllers are ready and one leads", async () => {
    const ready = (await podsOf("plenuslb")).filter(isReady)
    const leading = await leader()
    const first = ready.find(({ metadata }) => metadata.name === leading)
    const standby = ready.find(({ metadata }) => metadata.name !== leading)
    return ready.length === 2 && first !== undefined && standby !== undefined && { leader: first, standby }
  })

export const addStandingPool = (): Promise<void> =>
  Cluster.apply(poolManifest(standingPool, { addresses: ["203.0.113.255"] }))
export const removeStandingPool = (): Promise<string> => Cluster.remove("persistentippool", standingPool)

export const install = (...helmArguments: ReadonlyArray<string>): Promise<string> =>
  cluster("install", ...helmArguments)

export const isInstalled = async (): Promise<boolean> =>
  (await cluster("helm", "list", "--namespace", namespace, "--short")).trim() !== ""

/** Installed, healthy on every node, with operators: how every test but those about installing begins. */
export const installed = async (): Promise<void> => {
  if (!(await isInstalled())) await install()
  await addStandingPool()
  await controllersReady()
  await operatorsRolledOut()
}

export const uninstall = (): Promise<string> =>
  cluster("helm", "uninstall", "plenuslb", "--namespace", namespace, "--wait", "--timeout", "240s")

const definitions = ["ipallocations", "persistentippools", "ephemeralippools"].map(
  (plural) => `${plural}.loadbalancing.plenus.io`
)

/** As if PlenusLB had never been here. */
export const erase = async (): Promise<void> => {
  if (await isInstalled()) await uninstall()
  await Cluster.kubectl("delete", "customresourcedefinition", "--ignore-not-found", "--timeout=120s", ...definitions)
  await Cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s")
}

export const nodeLeases = async () => (await Cluster.list(leases, { namespace })).filter(isNodeLease)

type Program = "controller.cjs" | "agent.cjs"

/** Runs a line of shell on the node with `$pid`, the Pod's one process of ours. */
const withProcess = ({ metadata, spec }: Pod, program: Program, line: string): Promise<string> => {
  const script = `
    for pid in $(pgrep -f '^node .*${program}'); do
      tr '\\0' '\\n' <"/proc/$pid/environ" | grep -qx 'MY_POD_NAME=${metadata.name}' && { ${line}; exit; }
    done
    exit 1`
  return cluster("enter-node", spec?.nodeName ?? "", "sh", "-c", script)
}

/** `kill -9`, from the node: Kubernetes is not asked and the Pod stays. */
export const kill = (pod: Pod, program: Program): Promise<string> => withProcess(pod, program, 'kill -9 "$pid"')

/** From the node, as `kill` does it. */
export const signal = (pod: Pod, program: Program, name: "STOP" | "CONT" | "TERM"): Promise<string> =>
  withProcess(pod, program, `kill -${name} "$pid"`)

/** Resident memory, by the kernel's word. */
export const residentMiB = async (pod: Pod, program: Program): Promise<number> => {
  const status = await withProcess(pod, program, 'cat "/proc/$pid/status"')
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`no VmRSS of ${pod.metadata.name}: ${status}`)
  return Math.round(Number(kilobytes) / 1024)
}

/** CPU time of all processes of its container so far, by the kernel's word: cgroup v1 in ns, v2 in µs. */
export const cpuMillis = async (pod: Pod, program: Program): Promise<number> => {
  const read = `
    v1=$(sed -n 's/^[0-9]*:[a-z,]*cpuacct[a-z,]*://p' "/proc/$pid/cgroup")
    if [ -n "$v1" ]; then echo $(($(cat "/sys/fs/cgroup/cpuacct$v1/cpuacct.usage") / 1000))
    else sed -n 's/^usage_usec //p' "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/cpu.stat"; fi`
  return Number(await withProcess(pod, program, read)) / 1_000
}

export const operatorOn = async (node: string): Promise<Pod> => {
  const found = (await podsOf("plenuslb-operator")).find(({ spec }) => spec?.nodeName === node)
  if (found === undefined) throw new Error(`no operator on ${node}`)
  return found
}
