/**
 * Which of a publisher's simulcast streams is the lowest picture. SDP does not say (RFC 8853 §5.1
 * orders by preference, browsers by the caller's list), so: by the usual names where all are usual
 * names of one set, else in SDP order, lowest first.
 */

const CONVENTIONS: readonly (readonly string[])[] = [
  ['l', 'm', 'h'],
  ['q', 'h', 'f'],
  ['low', 'medium', 'high'],
  ['low', 'mid', 'high'],
  ['quarter', 'half', 'full'],
  ['r0', 'r1', 'r2'],
  ['0', '1', '2'],
  ['1', '2', '3'],
]

/** RIDs lowest picture first; the same array content in another order. */
export function orderRids(rids: readonly string[]): string[] {
  const names = CONVENTIONS.find((convention) => rids.every((rid) => convention.includes(rid)))
  if (names === undefined) return [...rids]
  return [...rids].sort((a, b) => names.indexOf(a) - names.indexOf(b))
}
