/**
 * Peer addresses as text, the same for both doors. Not validation: the kernel made these addresses.
 */

/**
 * Text of a 4- or 16-byte address; IPv4 mapped into IPv6 (RFC 4291 §2.5.5.2) becomes IPv4. '' for
 * other lengths.
 */
export function addressFromBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return ''
  const mapped =
    bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((b) => b === 0)
  if (mapped) return bytes.subarray(12).join('.')
  const groups: string[] = []
  for (let i = 0; i < 16; i += 2)
    groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16))
  // The URL parser writes the canonical form of RFC 5952.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** The same from node's text form. */
export function addressFromText(text: string | undefined): string {
  if (text === undefined) return ''
  return text.startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text
}
