/** The SDP answer of a watching site to what Janus offers (RFC 3264): takes every section, sends nothing. */
import type { SiteIdentity } from '../site/offer.ts'

/** Attributes of the offer that an answer repeats: what it accepts. */
const REPEATED = /^a=(mid|rtpmap|fmtp|rtcp-fb|extmap|rtcp-mux|rtcp-rsize)/

/** The site is the active side of DTLS; Janus is ICE-lite, so no candidates are needed. */
export function answerWatching({ ice, fingerprint }: SiteIdentity, offer: string): string {
  const lines = offer.split(/\r?\n/)
  const firstSection = lines.findIndex((line) => line.startsWith('m='))
  const group = lines.slice(0, firstSection).filter((line) => line.startsWith('a=group:'))
  const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', ...group]
  const own = [
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${ice.usernameFragment}`,
    `a=ice-pwd:${ice.password}`,
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    'a=setup:active',
    'a=recvonly',
  ]
  const sections = lines.slice(firstSection).flatMap((line) => {
    if (line.startsWith('m=')) return [line, ...own]
    return REPEATED.test(line) ? [line] : []
  })
  return `${[...head, ...sections].join('\r\n')}\r\n`
}
