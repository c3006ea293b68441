/** The project of the cluster at the provider, and the shipping adapter as each controller has it. */
import { Effect } from "effect"
import * as HetznerCloud from "../../cloud/hetzner/HetznerCloud.ts"
import * as HetznerExchange from "../../memory/hetzner/HetznerExchange.ts"
import * as HetznerProject from "../../memory/hetzner/HetznerProject.ts"
import { HttpExchange } from "../../ports/HttpExchange.ts"
import type { Kernel } from "../kernel/Kernel.ts"

export const token = "token-of-the-simulated-project"

/** Its servers are the nodes, in two locations of one network zone and, from the fourth on, one of another. */
export const projectOf = (kernel: Kernel, nodesCount: number): HetznerProject.HetznerProject => {
  const project = HetznerProject.make({
    nowMillis: () => kernel.nowMillis,
    tokens: [{ secret: token, name: "controller", mayWrite: true }],
    floatingIpsMax: 1_000
  })
  for (let number = 1; number <= nodesCount; number++) {
    const location = ["fsn1", "nbg1"][number % 2] ?? "fsn1"
    project.console.addServer({ name: `node-${number}`, location: number > 3 ? "hel1" : location })
  }
  return project
}

/** For as long as the process runs that asks for it. */
export const cloudFor = (project: HetznerProject.HetznerProject) =>
  HetznerCloud.make({ endpoint: "http://cloud.test/v1", userAgent: "plenuslb/simulation" }).pipe(
    Effect.provideService(HttpExchange, HetznerExchange.make(project))
  )
