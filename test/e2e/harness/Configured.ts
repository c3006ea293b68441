/** PlenusLB with the settings that a case needs: installed anew only when they are others than now. */
import { leases } from "../../../src/api/Lease.ts"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import { profiles } from "../../../src/domain/FailoverTimes.ts"
import * as Cluster from "./Cluster.ts"
import { eventually } from "./eventually.ts"
import { cluster, nodeNames } from "./Lab.ts"
import * as Product from "./Product.ts"

const marker = "controller.podAnnotations.e2e-settings"
const label = "plenuslb-e2e-operator"

export interface Settings {
  readonly name: string
  readonly profile: "default" | "fast"
  readonly operatorNodes: ReadonlyArray<string>
}

export const byDefault: Settings = { name: "default", profile: "default", operatorNodes: nodeNames }
export const fast: Settings = { name: "fast", profile: "fast", operatorNodes: nodeNames }
export const twoOperators: Settings = { name: "two-operators", profile: "default", operatorNodes: ["node1", "node2"] }

const nameNow = async (): Promise<string | undefined> => {
  if (!(await Product.isInstalled())) return undefined
  const values = JSON.parse(
    await cluster("helm", "get", "values", "plenuslb", "--namespace", Product.namespace, "-o", "json")
  )
  return values?.controller?.podAnnotations?.["e2e-settings"] ?? byDefault.name
}

const install = async ({ name, operatorNodes, profile }: Settings): Promise<void> => {
  for (const node of nodeNames) {
    await Cluster.kubectl(
      "label",
      "--overwrite",
      "node",
      node,
      `${label}=${operatorNodes.includes(node) ? "yes" : "no"}`
    )
  }
  const everywhere = operatorNodes.length === nodeNames.length
  const selector = everywhere ? [] : ["--set-string", `operator.nodeSelector.${label}=yes`]
  const settings = name === byDefault.name ? [] : ["--set-string", `${marker}=${name}`]
  await Product.install("--set", `failover.profile=${profile}`, ...settings, ...selector)
}

/** Each operator renews, announces the time of the profile and no handover's, and has all others as its voters. */
const steady = async ({ operatorNodes, profile }: Settings): Promise<boolean> => {
  const read = (await Cluster.list(leases, { namespace: Product.namespace })).map(NodeLease.read)
  return operatorNodes.every((node) => {
    const lease = read.find((each) => each?.node === node)
    return (
      lease?.durationMillis === profiles[profile].quietMillis &&
      lease.fenced === undefined &&
      lease.voters.toSorted().join() === operatorNodes.toSorted().join()
    )
  })
}

export const configured = async (settings: Settings): Promise<void> => {
  if ((await nameNow()) !== settings.name) await install(settings)
  await Product.addStandingPool()
  await Product.controllersReady()
  await eventually("an up-to-date operator is ready on every node that has one", async () => {
    const { metadata, status } = (await Product.operators()) ?? {}
    const wanted = settings.operatorNodes.length
    return (
      status?.observedGeneration === metadata?.generation &&
      status?.updatedNumberScheduled === wanted &&
      status.numberAvailable === wanted
    )
  })
  await eventually("every operator's lease is as the settings want it", () => steady(settings))
}
