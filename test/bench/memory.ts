/**
 * What the controller's process costs in memory, beside a bare Node process of the same run. The bundle that ships runs
 * with the image's flags against a real API server on loopback (`test/lab/build.sh etcd kube-apiserver` builds it), and is
 * measured once N Services show their address. The operator's is measured where it runs, by the end-to-end tests.
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { apiVersion } from "../../src/api/Names.ts"
import { namespaces } from "../../src/api/Namespace.ts"
import { persistentIPPools } from "../../src/api/PersistentIPPool.ts"
import { services } from "../../src/api/Service.ts"
import * as CrdsCommand from "../../src/cli/CrdsCommand.ts"
import type { Measurement } from "../../src/cli/Measure.ts"
import { Kubernetes } from "../../src/ports/Kubernetes.ts"
import { Loopback } from "../conformance/loopback.ts"

/** architecture: the controller with 5,000 Services. */
const BOUND_MIB = 200
const ownNamespace = "plenuslb"
/** As in the Dockerfile. */
const flags = ["--max-semi-space-size=2", "--optimize-for-size"]

/** VmRSS of proc(5). */
const rssMiB = (pid: number): number => {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
  return Math.round(Number(found?.[1] ?? 0) / 102.4) / 10
}

const started = (args: ReadonlyArray<string>, env: { readonly [name: string]: string } = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, args, {
        stdio: ["ignore", "ignore", "inherit"],
        env: { PATH: process.env["PATH"], ...env }
      })
      return child.pid ?? 0
    }),
    (pid) => Effect.sync(() => void process.kill(pid, "SIGTERM"))
  )

const pool = {
  apiVersion,
  kind: "PersistentIPPool",
  metadata: { name: "bench" },
  spec: { addresses: ["198.18.0.0/18"], autoAssign: true }
}

/** There are only 2,768 node ports. */
const withoutNodePorts = { allocateLoadBalancerNodePorts: false }

const prepare = Effect.fnUntraced(function* (count: number) {
  const kubernetes = yield* Kubernetes
  yield* CrdsCommand.apply
  yield* kubernetes.create(namespaces, { metadata: { name: ownNamespace } })
  yield* kubernetes.create(persistentIPPools, pool)
  yield* Effect.forEach(
    Array.from({ length: count }, (_, index) => `service-${index}`),
    (name) =>
      kubernetes.create(services, {
        metadata: { name, namespace: "default" },
        spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...withoutNodePorts }
      }),
    { concurrency: 32, discard: true }
  )
})

const shownCount = Effect.gen(function* () {
  const kubernetes = yield* Kubernetes
  const { items } = yield* kubernetes.list(services, { namespace: "default" })
  return items.filter(({ status }) => (status?.loadBalancer?.ingress ?? []).length > 0).length
})

/** `bundle` is what `npm run build` made. */
export const run = Effect.fnUntraced(function* <E, R>(
  count: number,
  bundle: string,
  progress: (text: string) => Effect.Effect<void, E, R>
) {
  const { kubeconfig } = yield* Loopback
  yield* progress(`${count} Services are created`)
  yield* prepare(count)
  const bare = yield* started(["--eval", "setInterval(() => {}, 1e6)"])
  const controller = yield* started([...flags, bundle, "controller"], {
    KUBECONFIG: kubeconfig,
    MY_POD_NAME: "bench",
    MY_POD_NAMESPACE: ownNamespace,
    HEALTH_PORT: "18080",
    LOG_LEVEL: "error"
  })
  const settled = Effect.gen(function* () {
    const shown = yield* shownCount
    yield* progress(`${shown} of ${count} Services show an address`)
    return shown === count
  })
  yield* Effect.repeat(Effect.delay(settled, "500 millis"), { until: (done) => done })
  // The states of all IPAllocations are written at low priority, after the addresses.
  yield* Effect.sleep("10 seconds")
  const row = { servicesCount: count, controllerMiB: rssMiB(controller), bareNodeMiB: rssMiB(bare) }
  return {
    table: {
      columns: ["process", "Services", "VmRSS"],
      rows: [
        ["controller", String(count), `${row.controllerMiB} MiB`],
        ["bare Node (reference)", "-", `${row.bareNodeMiB} MiB`]
      ]
    },
    bounds: [{ says: `the controller takes at most ${BOUND_MIB} MiB`, held: row.controllerMiB <= BOUND_MIB }],
    json: row
  } satisfies Measurement
})
