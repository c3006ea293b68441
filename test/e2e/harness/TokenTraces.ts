/** Where a token must not be found: logs, metrics, and every object but the one that the user wrote it into. */
import * as Cluster from "./Cluster.ts"
import { auditLog, command, logFolders } from "./Lab.ts"

/** Files with this text, of all Pods that there are or were until they were deleted, and of the nodes' own programs. */
const filesWith = async (text: string): Promise<ReadonlyArray<string>> => {
  const found = await command("grep", "-rlF", "--", text, ...logFolders, auditLog).catch((error: unknown) => {
    // 1: it is nowhere.
    if (error instanceof Error && "code" in error && error.code === 1) return ""
    throw error
  })
  return found.split("\n").filter((line) => line !== "")
}

const kinds = "events,services,configmaps,pods,daemonsets,deployments,leases.coordination.k8s.io,ipallocations"
const pools = "persistentippools,ephemeralippools"

interface Listed {
  readonly items: ReadonlyArray<{ readonly kind: string; readonly metadata: Metadata; readonly spec?: object }>
}
interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly annotations?: { readonly [name: string]: string }
}

const objects = async (what: string): Promise<Listed["items"]> => {
  const listed: Listed = JSON.parse(await Cluster.kubectl("get", what, "-A", "-o", "json"))
  return listed.items
}

/** As a user who may not read pools would see it: without what the user wrote, by whom `kubectl apply` keeps a copy. */
const withoutSpec = ({ kind, metadata, spec: _, ...rest }: Listed["items"][number]) => {
  const { "kubectl.kubernetes.io/last-applied-configuration": __, ...annotations } = metadata.annotations ?? {}
  return { ...rest, kind, metadata: { ...metadata, annotations } }
}

/** Of controllers and operators, by their addresses; one that cannot be asked tells nothing. */
const metrics = async (): Promise<ReadonlyArray<readonly [url: string, text: string]>> => {
  const addresses = await Cluster.kubectl("-n", "plenuslb", "get", "pods", "-o", "jsonpath={.items[*].status.podIP}")
  return Promise.all(
    addresses.split(" ").map(async (address) => {
      const url = `http://${address}:8080/metrics`
      return [url, await command("curl", "-sf", "--max-time", "5", url).catch(() => "")] as const
    })
  )
}

export const tracesOf = async (token: string): Promise<ReadonlyArray<string>> => {
  const all = [...(await objects(kinds)), ...(await objects(pools)).map(withoutSpec)]
  const telling = all.filter((each) => JSON.stringify(each).includes(token))
  return [
    ...(await filesWith(token)),
    ...(await metrics()).flatMap(([url, text]) => (text.includes(token) ? [url] : [])),
    ...telling.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`)
  ]
}

const places = {
  controllers: /\/pods\/plenuslb_plenuslb-(?!operator-)/u,
  operators: /\/pods\/plenuslb_plenuslb-operator-/u
}

/** That there is anything to be found: logs in which these are seen to have told something. */
export const logsOf = async (whom: keyof typeof places): Promise<ReadonlyArray<string>> =>
  (await filesWith('"level":"INFO"')).filter((file) => places[whom].test(file))
