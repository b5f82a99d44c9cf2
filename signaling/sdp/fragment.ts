/**
 * `application/trickle-ice-sdpfrag` (RFC 8840) as WHIP and WHEP use it: only its ICE credentials
 * matter to a lite agent, which needs no remote candidates.
 */

import { SDP_LINE_BYTES_MAX } from '../../config/index.ts'
import type { HostCandidate, IceCredentials } from '../../core/media/control.ts'

const UFRAG = /^a=ice-ufrag:([A-Za-z0-9+/]{4,256})\r?$/m
const PWD = /^a=ice-pwd:([A-Za-z0-9+/]{22,256})\r?$/m
const LINE = /^([a-z]=.*)?\r?$/

/** The credentials of a fragment, undefined when it is none or has none. */
export function parseFragment(fragment: string): IceCredentials | undefined {
  if (fragment.includes('\0')) return undefined
  const lines = fragment.split('\n')
  if (!lines.every((line) => line.length <= SDP_LINE_BYTES_MAX && LINE.test(line))) return undefined
  const usernameFragment = UFRAG.exec(fragment)?.[1]
  const password = PWD.exec(fragment)?.[1]
  if (usernameFragment === undefined || password === undefined) return undefined
  return { usernameFragment, password }
}

/** Our side of an ICE restart. */
export function writeFragment(
  ice: IceCredentials,
  mid: string,
  candidates: readonly HostCandidate[],
): string {
  const lines = candidates.map(({ address, port }, index) => {
    const priority = 126 * 2 ** 24 + (65_535 - index) * 256 + 255
    return `a=candidate:${index + 1} 1 udp ${priority} ${address} ${port} typ host`
  })
  return [
    'a=ice-lite',
    `a=ice-ufrag:${ice.usernameFragment}`,
    `a=ice-pwd:${ice.password}`,
    'm=audio 9 RTP/AVP 0',
    `a=mid:${mid}`,
    ...lines,
    'a=end-of-candidates',
    '',
  ].join('\r\n')
}
