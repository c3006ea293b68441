/** What a Service asks for, read from its fields without asking the program. */
import { Result } from "effect"
import { loadBalancerClass } from "../api/Names.ts"
import { once } from "../api/Once.ts"
import type { Service } from "../api/Service.ts"
import * as Address from "../domain/Address.ts"
import * as AddressRange from "../domain/AddressRange.ts"
import { serviceAnnotations } from "../domain/Annotations.ts"

export interface Wishes {
  /** By name, each once; those that cannot be read are in `malformed`. */
  readonly addresses: ReadonlyArray<Address.Address>
  readonly malformed: ReadonlyArray<string>
  readonly pool: string | undefined
  /** Empty: one address of either. */
  readonly families: ReadonlyArray<Address.Family>
  readonly isSecondOptional: boolean
}

export const isOurs = ({ metadata, spec }: Service): boolean =>
  metadata.deletionTimestamp === undefined &&
  spec.type === "LoadBalancer" &&
  (spec.loadBalancerClass === undefined || spec.loadBalancerClass === loadBalancerClass)

const addressIn = (text: string): Address.Address | undefined => {
  const parsed = Address.parse(text)
  const isUsable = Result.isSuccess(parsed) && AddressRange.unusable(AddressRange.single(parsed.success)) === undefined
  return isUsable ? parsed.success : undefined
}

export const wishesOf = once(({ metadata, spec }: Service): Wishes => {
  const annotation = (key: string) => {
    const text = metadata.annotations?.[key]?.trim() ?? ""
    return text === "" ? undefined : text
  }
  const single = spec.loadBalancerIP?.trim() ?? ""
  const named = annotation(serviceAnnotations.addresses)?.split(",") ?? []
  const texts = [...(spec.externalIPs ?? []), ...named, ...(single === "" ? [] : [single])].map((text) => text.trim())
  return {
    addresses: [...new Set(texts.flatMap((text) => addressIn(text) ?? []))],
    malformed: texts.filter((text) => addressIn(text) === undefined),
    pool: annotation(serviceAnnotations.pool),
    families: (spec.ipFamilies ?? []).filter((family) => family === "IPv4" || family === "IPv6"),
    isSecondOptional: spec.ipFamilyPolicy === "PreferDualStack"
  }
})
