/** What a project holds, as facts. All values are immutable; how each looks on the wire is `Wire.ts`. */

export type Type = "ipv4" | "ipv6"

export type Labels = { readonly [key: string]: string }

export interface Location {
  readonly id: number
  readonly name: string
  readonly description: string
  readonly country: string
  readonly city: string
  readonly latitude: number
  readonly longitude: number
  readonly networkZone: string
}

export type ServerStatus =
  | "running"
  | "initializing"
  | "starting"
  | "stopping"
  | "off"
  | "deleting"
  | "migrating"
  | "rebuilding"
  | "unknown"

export interface PrimaryIp {
  readonly id: number
  /** Of IPv6 the network, a /64. */
  readonly ip: string
}

export interface PrivateNet {
  readonly network: number
  readonly ip: string
  readonly aliasIps: ReadonlyArray<string>
  readonly macAddress: string
}

export interface Server {
  readonly id: number
  readonly name: string
  readonly createdMillis: number
  readonly status: ServerStatus
  readonly location: Location
  readonly labels: Labels
  readonly ipv4: PrimaryIp | null
  readonly ipv6: PrimaryIp | null
  readonly privateNets: ReadonlyArray<PrivateNet>
}

export interface Network {
  readonly id: number
  readonly name: string
  readonly createdMillis: number
  readonly ipRange: string
}

export interface DnsPtr {
  readonly ip: string
  readonly dnsPtr: string
}

export interface FloatingIp {
  readonly id: number
  readonly name: string
  readonly description: string | null
  readonly createdMillis: number
  readonly type: Type
  /** `192.0.2.9`, or the network `2001:db8:1:7::/64`. */
  readonly ip: string
  readonly server: number | null
  readonly dnsPtr: ReadonlyArray<DnsPtr>
  readonly home: Location
  readonly isBlocked: boolean
  readonly isProtected: boolean
  readonly labels: Labels
}

export interface ResourceRef {
  readonly id: number
  readonly type: "server" | "floating_ip" | "network"
}

/** Those of the vendor's own list (GET /locations); a test may have others. */
export const locations: ReadonlyArray<Location> = [
  location(1, "fsn1", "Falkenstein", "DE", 50.47612, 12.370071, "eu-central"),
  location(2, "nbg1", "Nuremberg", "DE", 49.452102, 11.076665, "eu-central"),
  location(3, "hel1", "Helsinki", "FI", 60.169855, 24.938379, "eu-central"),
  location(4, "ash", "Ashburn, VA", "US", 39.045821, -77.487073, "us-east"),
  location(5, "hil", "Hillsboro, OR", "US", 45.54222, -122.951924, "us-west"),
  location(6, "sin", "Singapore", "SG", 1.283333, 103.833333, "ap-southeast")
]

function location(
  id: number,
  name: string,
  city: string,
  country: string,
  latitude: number,
  longitude: number,
  networkZone: string
): Location {
  return { id, name, description: `${city} DC Park 1`, country, city, latitude, longitude, networkZone }
}
