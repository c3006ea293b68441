/** Two Services of two namespaces ask for one address in the same instant. */
import { Effect } from "effect"
import { type Service, services } from "../../api/Service.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { refOf } from "../Objects.ts"

const asking = (namespace: string, name: string, address: string): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], externalIPs: [address] }
})

export const sameAddressAsked: Fault = {
  name: "same-address-asked",
  title: "two Services ask for one address at once",
  run: (world, random) =>
    every(
      random,
      2_000,
      20_000,
      Effect.suspend(() => {
        const address = `192.0.2.${random.between(10, 100)}`
        const rivals = ["shop", "web"].map((namespace) => asking(namespace, "wants-the-same", address))
        return brokenBy(
          world,
          "same-address-asked",
          random.between(100, 20_000),
          Effect.forEach(rivals, (service) => world.kubectl.create(services, service)),
          Effect.forEach(rivals, (service) => Effect.ignore(world.kubectl.delete(services, refOf(service))))
        )
      })
    )
}
