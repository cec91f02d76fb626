// Which IP addresses a tenant's request may reach: the public internet and nothing else.

import ipaddr from 'ipaddr.js'

/** All IPv6 addresses that are routed on the public internet lie in this block (RFC 4291, IANA registry). */
const GLOBAL_UNICAST_V6 = ipaddr.IPv6.parseCIDR('2000::/3')
/** Public by range, yet answered by the cloud host itself: Azure's WireServer. */
const HOST_SERVICES: ReadonlySet<string> = new Set(['168.63.129.16'])

/**
 * Whether the address (the text of an IPv4 or IPv6 address, without brackets) is on the public internet.
 * False for loopback, private, link-local (cloud metadata), carrier-grade NAT, multicast, reserved and
 * documentation ranges, and for every IPv6 form that carries an IPv4 address inside (mapped, compatible,
 * NAT64, 6to4, Teredo, ISATAP), because what it reaches depends on a gateway that we cannot see.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return false
  if (parsed instanceof ipaddr.IPv6) {
    return parsed.zoneId === undefined && parsed.match(GLOBAL_UNICAST_V6) && !isIsatap(parsed)
  }
  return !HOST_SERVICES.has(parsed.toString())
}

/** ISATAP (RFC 5214): the interface identifier is `0000:5efe` or `0200:5efe` and then an IPv4 address. */
function isIsatap(address: ipaddr.IPv6): boolean {
  const [high, low] = address.parts.slice(4, 6)
  return low === 0x5efe && (high === 0 || high === 0x0200)
}
