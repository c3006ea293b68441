/**
 * A Service of ours on which another load balancer controller acts, or did. Kubernetes' service controller, which runs in every
 * cloud-controller-manager, puts its finalizer on a Service before it makes a load balancer for it, acts only where there is no
 * `loadBalancerClass`, and cleans up what carries its finalizer, whatever its class, once it is deleted or of another type
 * (k8s.io/cloud-provider, controllers/service: `wantsLoadBalancer`, `needsCleanup`). It is not ours to take off: whoever put
 * it there would not look for what it has made.
 */
import type { Service } from "../api/Service.ts"
import { serviceControllerFinalizer as finalizer } from "../api/Names.ts"
import type { Notice } from "./Events.ts"

type Rules = { readonly loadBalancerClass: string }

const isThere = ({ metadata }: Service): boolean => metadata.finalizers?.includes(finalizer) === true

const stuck =
  "If no such controller runs any more, nobody takes it off, and the Service will not go when it is deleted: " +
  `remove ${finalizer} from metadata.finalizers then.`

const withoutClass = ({ loadBalancerClass }: Rules): string =>
  `another controller serves it, too, or did: it put the finalizer ${finalizer} on it. It may buy a load balancer of its own, ` +
  "which costs, and write another address into the status. Either turn that off (HCLOUD_LOAD_BALANCERS_ENABLED=false of the " +
  "Hetzner Cloud CCM, servicelb of k3s, the service controller of any other), or install PlenusLB with " +
  `defaultLoadBalancer=false and create the Service anew with loadBalancerClass ${loadBalancerClass}, which those leave alone.`

const withClass =
  `another controller has served it: it carries the finalizer ${finalizer}. A Service with a class is left alone by such a ` +
  "controller, so what it made for it stays, and may cost, until the Service is deleted while that controller runs."

/** Which Services were told: once each, as long as it lasts. */
export class OtherLoadBalancer {
  /** UIDs by key. */
  private readonly told = new Map<string, string>()

  isDue(key: string, service: Service | undefined, isOurs: boolean): boolean {
    if (service === undefined || !isOurs || !isThere(service)) {
      this.told.delete(key)
      return false
    }
    return this.told.get(key) !== service.metadata.uid
  }

  /** What to tell, from now on told. */
  noticeFor(key: string, { metadata, spec }: Service, rules: Rules): Omit<Notice, "regarding"> {
    this.told.set(key, metadata.uid ?? "")
    const happens = spec.loadBalancerClass === undefined ? withoutClass(rules) : withClass
    return { type: "Warning", reason: "OtherLoadBalancer", message: `${happens} ${stuck}` }
  }
}
