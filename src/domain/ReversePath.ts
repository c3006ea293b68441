/**
 * Which uplinks drop clients because the kernel's own way back to them is another (`rp_filter` 1, RFC 3704). It judges where a
 * packet comes from and not where it goes: on which interface of the node an address lies plays no part. Whoever is in the
 * uplink's own network gets through, and by an uplink with a default route everybody does. Pure.
 */

/** Effective: the larger of `all` and the interface, as the kernel takes it. 2 (loose) lets everybody through. */
const STRICT = 1

export interface Facts {
  readonly uplinks: ReadonlyArray<string>
  /** Interfaces of the IPv4 default routes: IPv6 has no such check. */
  readonly defaultRouteInterfaces: ReadonlyArray<string>
  readonly rpFilterOf: (uplink: string) => number
}

/** None where there is no default route at all: then clients that are far are reached by others, or by none. */
export const strictUplinks = ({ defaultRouteInterfaces, rpFilterOf, uplinks }: Facts): ReadonlyArray<string> =>
  defaultRouteInterfaces.length === 0
    ? []
    : uplinks.filter((uplink) => rpFilterOf(uplink) === STRICT && !defaultRouteInterfaces.includes(uplink))

/** Undefined: there is nothing to say. */
export const describe = (strict: ReadonlyArray<string>): string | undefined =>
  strict.length === 0
    ? undefined
    : `${strict.join(", ")}: IPv4 clients from other networks than the uplink's own may be dropped there, because ` +
      "rp_filter is 1 and the default route goes by another interface. " +
      strict.map((uplink) => `sysctl -w net.ipv4.conf.${uplink}.rp_filter=2`).join("; ") +
      ", or routes back to these networks by the uplink"
