/** Numeric addresses from text to octets (RFC 4291 §2.2). Not a resolver: names are refused. */

/** 4 or 16 octets in network order; undefined when `text` is not a numeric address. A zone (`%eth0`) is ignored. */
export function parseIpOctets(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return parseIpv4(text)
  const zone = text.indexOf('%')
  return parseIpv6(zone < 0 ? text : text.slice(0, zone))
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const octets = new Uint8Array(4)
  for (const [index, part] of parts.entries()) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined
    octets[index] = Number(part)
  }
  return octets
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] ?? '')
  const tail = parseGroups(halves[1] ?? '')
  if (head === undefined || tail === undefined) return undefined
  const length = head.length + tail.length
  if (halves.length === 1 ? length !== 16 : length > 14) return undefined
  const octets = new Uint8Array(16)
  octets.set(head, 0)
  octets.set(tail, 16 - tail.length)
  return octets
}

/** Groups of one side of `::`, the last of which may be dotted IPv4. */
function parseGroups(text: string): number[] | undefined {
  const octets: number[] = []
  if (text === '') return octets
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    const dotted = index === groups.length - 1 && group.includes('.')
    const ipv4 = dotted ? parseIpv4(group) : undefined
    if (ipv4 !== undefined) octets.push(...ipv4)
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16)
      octets.push(value >>> 8, value & 0xff)
    } else return undefined
    if (octets.length > 16) return undefined
  }
  return octets
}
