/**
 * The lab as the tests touch it: commands on nodes and on the client, the machine's own view of a node's addresses, and
 * the faults. The tests run within the lab's host namespace (`test/lab/cluster.sh run`), which sets these variables.
 */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

const required = (name: string): string => {
  const value = process.env[name]
  if (value !== undefined) return value
  throw new Error(`${name} is not set. These tests need the lab: run "npm run test:cluster", or, with a lab that is up,
test/lab/cluster.sh run npx vitest run --config test/vitest.config.ts --root . --project e2e`)
}

const name = required("LAB_NAME")
const state = required("LAB_STATE")
export const kubeconfig = required("KUBECONFIG")
export const auditLog = join(state, "audit.log")
/** What each node has in `/var/log`: its own programs' logs, and those of all Pods under `pods/`. */
export const logFolders: ReadonlyArray<string> = ["node1", "node2", "node3"].map((node) => join(state, node, "log"))
export const nodeNames: ReadonlyArray<string> = ["node1", "node2", "node3"]

/** Of a node in the lab's LAN; its number is in its name. */
export const lanAddressOf = (node: string, family: "-4" | "-6"): string =>
  `${family === "-4" ? "172.30.0." : "fd00:172:30::"}1${node.replace("node", "")}`

const script = join(import.meta.dirname, "../../lab/cluster.sh")

/** Standard output of a command; its failure carries what it wrote to standard error. */
export const command = async (program: string, ...args: ReadonlyArray<string>): Promise<string> =>
  (await run(program, args, { maxBuffer: 64 << 20 })).stdout

export const cluster = (...args: ReadonlyArray<string>): Promise<string> => command(script, ...args)

/** Arguments of `nsenter` that lead into the client's, or a node's, network namespace. */
export const networkOf = (machine: string): string => `--net=/run/netns/${name}-${machine}`

/** In the network namespace of a node, dead or alive. */
export const onNode = (node: string, ...args: ReadonlyArray<string>): Promise<string> =>
  command("nsenter", networkOf(node), ...args)

export const onClient = (...args: ReadonlyArray<string>): Promise<string> => onNode("client", ...args)

/** The body, or undefined while nothing answers. */
export const httpFromClient = (address: string, port = 80): Promise<string | undefined> =>
  onClient(
    "curl",
    "-sf",
    "--max-time",
    "2",
    `http://${address.includes(":") ? `[${address}]` : address}:${port}/`
  ).catch(() => undefined)

interface Link {
  readonly ifname: string
  readonly addr_info: ReadonlyArray<{ readonly local: string; readonly prefixlen: number; readonly label?: string }>
}

export interface NodeAddress {
  readonly node: string
  readonly interfaceName: string
  readonly address: string
  readonly label: string | undefined
}

const addressesOf = async (node: string): Promise<ReadonlyArray<NodeAddress>> => {
  const links: ReadonlyArray<Link> = JSON.parse(await onNode(node, "ip", "-j", "address", "show"))
  return links.flatMap(({ addr_info, ifname }) =>
    addr_info.map(({ label, local }) => ({ node, interfaceName: ifname, address: local, label }))
  )
}

/** Every place in the cluster that has the address, by the kernels' own word. */
export const placesOf = async (
  address: string,
  nodes: ReadonlyArray<string> = nodeNames
): Promise<ReadonlyArray<NodeAddress>> =>
  (await Promise.all(nodes.map(addressesOf))).flat().filter((each) => each.address === address)

/** What of ours is on any interface, by the label that we and v0.4 write. */
export const labelledPlaces = async (): Promise<ReadonlyArray<NodeAddress>> =>
  (await Promise.all(nodeNames.map(addressesOf))).flat().filter(({ label }) => label?.endsWith(":pllb") === true)
