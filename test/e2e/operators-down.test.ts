/** Operators that cannot run: the pools say on which node and why, the other nodes serve, and it heals by itself. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Cluster from "./harness/Cluster.ts"
import { eventually, figure, timed } from "./harness/eventually.ts"
import { networkOf, placesOf } from "./harness/Lab.ts"
import * as Product from "./harness/Product.ts"
import { conditionOf, poolNamed, scenario } from "./harness/Scenario.ts"

const healthPort = 8080

/** Takes the port at the moment at which the operator loses it, long before its successor wants it. */
const portThief = (node: string) => {
  const attempt =
    "const attempt = () => require('net').createServer().on('error', () => setTimeout(attempt, 2))" +
    `.listen(${healthPort}, () => console.log('taken')); attempt()`
  const child = spawn("nsenter", [networkOf(node), process.execPath, "-e", attempt], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let taken = false
  createInterface({ input: child.stdout }).on("line", () => (taken = true))
  return { hasPort: async () => taken, end: async () => void child.kill("SIGKILL") }
}

const allowPods = (level: "restricted" | "privileged") =>
  Cluster.kubectl("label", "--overwrite", "namespace", Product.namespace, `pod-security.kubernetes.io/enforce=${level}`)

describe("operators that cannot run", () => {
  beforeAll(Product.installed)

  it("are told of on the pool, node by node with reason and remedy, while another node serves", async () => {
    const { after, namespace, pool, served, service } = await scenario("operators-down")
    await pool({ addresses: ["172.30.0.229"] })
    const degraded = async () => conditionOf(await poolNamed(namespace), "Degraded")
    after(Product.installed)

    const thief = portThief("node1")
    after(thief.end)
    const [first, second] = [await Product.operatorOn("node1"), await Product.operatorOn("node2")]
    await Product.kill(first, "agent.cjs")
    await eventually("the health port of node1 is taken", thief.hasPort)
    after(() => allowPods("privileged"))
    await allowPods("restricted")
    await Cluster.remove("-n", Product.namespace, "pod", second.metadata.name)

    const [finding, millis] = await timed(() =>
      eventually("the pool names both nodes", async () => {
        const found = await degraded()
        const message = found?.status === "True" ? found.message : ""
        return message.includes("node1") && message.includes("node2") && found
      })
    )
    figure(`after ${millis} ms: ${finding.message}`)
    assert.strictEqual(finding.reason, "OperatorsNotRunning")
    assert.match(
      finding.message,
      /On node1 the operator ended: Cannot serve health checks on port 8080: .*Set HEALTH_PORT/
    )
    assert.match(finding.message, /On node2 no operator Pod can be created: violates PodSecurity "restricted:latest"/)
    assert.include(finding.message, "kubectl label --overwrite namespace plenuslb")
    // What one of the two held stays where it is: of three voters two are away. What comes now goes to the third.
    await service("web", "172.30.0.229")
    const { address, node } = await served("web")
    assert.strictEqual(node, "node3")
    assert.strictEqual((await placesOf(address, ["node3"])).length, 1)

    await thief.end()
    await allowPods("privileged")
    const [, healed] = await timed(() =>
      eventually("the pool is well", async () => (await degraded())?.status === "False")
    )
    figure(`well again after ${healed} ms`)
    await Product.operatorsRolledOut()
  })
})
