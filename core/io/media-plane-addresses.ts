/**
 * Which addresses go into host candidates. Configured ones win; otherwise every address of this machine that a
 * browser on it or on its LAN can reach, loopback last. No STUN server is asked, ever.
 */
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

export type AddressChoice = { configured: readonly string[]; ipv6: boolean }

/** Numeric addresses in order of preference: IPv4, IPv6, loopback. Link-local IPv6 needs a zone and is left out. */
export function chooseAddresses(
  { configured, ipv6 }: AddressChoice,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): string[] {
  const usable = (address: string): boolean => isIP(address) === 4 || (isIP(address) === 6 && ipv6)
  if (configured.length > 0) return [...new Set(configured.filter(usable))]
  const found: { address: string; rank: number }[] = []
  for (const { address, internal } of Object.values(interfaces).flatMap((list) => list ?? [])) {
    if (!usable(address) || address.toLowerCase().startsWith('fe80')) continue
    const family = isIP(address) === 4 ? 0 : 1
    found.push({ address, rank: internal ? 2 + family : family })
  }
  found.sort((one, other) => one.rank - other.rank)
  const addresses = found.map(({ address }) => address)
  return addresses.length > 0 ? [...new Set(addresses)] : ['127.0.0.1']
}
