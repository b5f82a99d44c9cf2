/**
 * The answer as text (RFC 8829 §5.3): ICE-lite, passive in DTLS, one bundled transport, all
 * candidates at once. Everything in it is a number, a constant, or a string that parse-offer.ts has
 * matched against an alphabet without line ends.
 */

import type {
  Fingerprint,
  HostCandidate,
  IceCredentials,
  IncomingSection,
  OutgoingSection,
} from '../../core/media/control.ts'
import { codecLines, payloadTypes } from './codecs.ts'
import { extensionLines } from './extensions.ts'
import type { NegotiatedSection } from './negotiate.ts'

type LocalTransport = {
  ice: IceCredentials
  fingerprint: Fingerprint
  candidates: readonly HostCandidate[]
}

export type AnswerOptions = {
  sections: readonly NegotiatedSection[]
  local: LocalTransport
  extmapAllowMixed: boolean
  /** Session id of the o-line, up to 2^53 - 1, and its version, which grows with each answer. */
  sessionId: number
  sessionVersion: number
}

function candidateLines(candidates: readonly HostCandidate[]): string[] {
  const lines = candidates.map(({ address, port }, index) => {
    // RFC 8445 §5.1.2.1: host type preference 126, the first address most preferred, component 1.
    const priority = 126 * 2 ** 24 + (65_535 - index) * 256 + 255
    return `a=candidate:${index + 1} 1 udp ${priority} ${address} ${port} typ host`
  })
  return [...lines, 'a=end-of-candidates']
}

function incomingLines(section: IncomingSection): string[] {
  const lines = ['a=recvonly']
  if (section.rids.length > 0) {
    lines.push(...section.rids.map((rid) => `a=rid:${rid} recv`))
    lines.push(`a=simulcast:recv ${section.rids.join(';')}`)
  }
  return lines
}

function outgoingLines(section: OutgoingSection): string[] {
  const { use, index, ssrc, rtxSsrc } = section
  const lines = ['a=sendonly', `a=msid:nhipcau-${use}-${index} ${use}-${index}`]
  if (rtxSsrc !== 0) lines.push(`a=ssrc-group:FID ${ssrc} ${rtxSsrc}`)
  lines.push(`a=ssrc:${ssrc} cname:nhipcau`)
  if (rtxSsrc !== 0) lines.push(`a=ssrc:${rtxSsrc} cname:nhipcau`)
  return lines
}

function rejectedSection({ offered }: NegotiatedSection): string[] {
  return [
    `m=${offered.media} 0 ${offered.protocol} ${offered.formats}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${offered.mid}`,
    'a=inactive',
  ]
}

function sectionLines(negotiated: NegotiatedSection, local: LocalTransport): string[] {
  const { offered, section, codecs } = negotiated
  if (section === undefined) return rejectedSection(negotiated)
  return [
    `m=${offered.media} 9 ${offered.protocol} ${payloadTypes(codecs).join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${local.ice.usernameFragment}`,
    `a=ice-pwd:${local.ice.password}`,
    `a=fingerprint:${local.fingerprint.algorithm} ${local.fingerprint.value}`,
    'a=setup:passive',
    `a=mid:${offered.mid}`,
    ...extensionLines(section.extensions),
    ...(section.direction === 'in' ? incomingLines(section) : outgoingLines(section)),
    'a=rtcp-mux',
    'a=rtcp-rsize',
    ...codecLines(codecs),
    ...candidateLines(local.candidates),
  ]
}

/** The whole answer, lines ended by CRLF. */
export function writeAnswer(options: AnswerOptions): string {
  const { sections, local } = options
  const bundled = sections.filter(({ section }) => section !== undefined)
  const lines = [
    'v=0',
    `o=- ${options.sessionId} ${options.sessionVersion} IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=ice-lite',
    `a=group:BUNDLE ${bundled.map(({ offered }) => offered.mid).join(' ')}`,
    ...(options.extmapAllowMixed ? ['a=extmap-allow-mixed'] : []),
    'a=msid-semantic: WMS *',
    ...sections.flatMap((section) => sectionLines(section, local)),
  ]
  return `${lines.join('\r\n')}\r\n`
}
