/**
 * From a peer's SDP to an `Offer`: bounds first, then sdp-transform, then a check of everything
 * that is used. Not a general SDP reader: what an ICE-lite, BUNDLE-only server does not need is not
 * looked at; candidates are ignored (RFC 8445 §2.5: a lite agent learns addresses from checks, so
 * mDNS names are no obstacle).
 */

import sdpTransform, { type ParsedSection, type ParsedSession } from 'sdp-transform'
import {
  FINGERPRINTS_MAX,
  LAYERS_PER_PUBLICATION_MAX,
  SDP_BYTES_MAX,
  SDP_LINE_BYTES_MAX,
  SDP_LINES_MAX,
  SECTIONS_PER_OFFER_MAX,
  SSRCS_PER_SECTION_MAX,
} from '../../config/index.ts'
import type { Fingerprint, IceCredentials } from '../../core/media/control.ts'
import { parseCodecBlock } from './codec-block.ts'
import type { Direction, Offer, OfferedSection } from './offer.ts'

type Scalar = string | number | undefined

export type ParsedOffer =
  | { ok: true; offer: Offer }
  | { ok: false; code: 'too-large' | 'bad-sdp'; message: string }

const MID = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,16}$/
/** Names with a meaning of their own in JavaScript objects, in case someone keys one by them. */
const HOSTILE_NAMES = new Set(['__proto__', 'constructor', 'prototype'])
const RID = /^[A-Za-z0-9_-]{1,16}$/
const ICE_UFRAG = /^[A-Za-z0-9+/]{4,256}$/
const ICE_PWD = /^[A-Za-z0-9+/]{22,256}$/
const FORMATS = /^[A-Za-z0-9 -]{1,1024}$/
const HASH = /^[0-9A-F]{2}(:[0-9A-F]{2})+$/
const HASH_BYTES: ReadonlyMap<string, number> = new Map([
  ['sha-256', 32],
  ['sha-384', 48],
  ['sha-512', 64],
])
const DIRECTIONS: ReadonlySet<string> = new Set(['sendrecv', 'sendonly', 'recvonly', 'inactive'])
const PROTOCOLS: ReadonlySet<string> = new Set(['UDP/TLS/RTP/SAVPF', 'UDP/TLS/RTP/SAVP'])

class BadSdp extends Error {}

function refuse(message: string): never {
  throw new BadSdp(message)
}

/**
 * What makes a text too much or too strange to parse at all, else undefined. Linear in the text.
 */
function outOfBounds(sdp: string): { code: 'too-large' | 'bad-sdp'; message: string } | undefined {
  if (sdp.length > SDP_BYTES_MAX) return { code: 'too-large', message: 'SDP too long' }
  let lines = 0
  let sections = 0
  for (let at = 0; at < sdp.length; lines++) {
    const next = sdp.indexOf('\n', at)
    const end = next < 0 ? sdp.length : next
    if (end - at > SDP_LINE_BYTES_MAX) return { code: 'too-large', message: 'SDP line too long' }
    if (sdp.startsWith('m=', at)) sections++
    at = end + 1
  }
  if (lines > SDP_LINES_MAX) return { code: 'too-large', message: 'too many SDP lines' }
  if (sections > SECTIONS_PER_OFFER_MAX) return { code: 'too-large', message: 'too many m-lines' }
  if (!sdp.startsWith('v=0')) return { code: 'bad-sdp', message: 'does not begin with v=0' }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u0008\u000b-\u000c\u000e-\u001f]|\r(?!\n)/.test(sdp)) {
    return { code: 'bad-sdp', message: 'control characters' }
  }
  return undefined
}

/** Reads an offer. Never throws; the message of a refusal quotes nothing from the offer. */
export function parseOffer(sdp: string): ParsedOffer {
  const excess = outOfBounds(sdp)
  if (excess !== undefined) return { ok: false, ...excess }
  try {
    const { lean, blocks } = setCodecsAside(sdp)
    return { ok: true, offer: readSession(sdpTransform.parse(lean), blocks) }
  } catch (error) {
    const message = error instanceof BadSdp ? error.message : 'not understood'
    return { ok: false, code: 'bad-sdp', message }
  }
}

/** Lines about codecs and extensions: nine tenths of an offer, and the same in every section of one browser. */
const CODEC_LINE = /^a=(rtpmap|fmtp|rtcp-fb|extmap):/
const UNUSED_LINE = /^a=(candidate:|msid|rtcp:|end-of-candidates|ice-options:|rtcp-rsize)/

/** The text without codecs, and the codec lines of each section: they are read once per browser, not per offer. */
function setCodecsAside(sdp: string): { lean: string; blocks: string[] } {
  const lean: string[] = []
  const blocks: string[][] = []
  for (const line of sdp.split(/\r?\n/)) {
    if (line.startsWith('m=')) blocks.push([])
    if (CODEC_LINE.test(line)) blocks.at(-1)?.push(line)
    else if (!UNUSED_LINE.test(line)) lean.push(line)
  }
  return { lean: lean.join('\r\n'), blocks: blocks.map((lines) => lines.join('\r\n')) }
}

function readSession(session: ParsedSession, blocks: readonly string[]): Offer {
  if (session.media.length === 0) refuse('no m-line')
  if (session.icelite !== undefined) refuse('both sides are ICE-lite')
  const bundle = (session.groups ?? []).find((group) => String(group.type) === 'BUNDLE')
  if (bundle === undefined) refuse('no BUNDLE group')
  const bundled = new Set(String(bundle.mids).split(' '))
  const mids = new Set<string>()
  const sections = session.media.map((media, index) => {
    const section = readSection(session, media, { bundled, block: blocks[index] ?? '' })
    if (mids.has(section.mid)) refuse('a mid stands twice')
    mids.add(section.mid)
    return section
  })
  const usable = session.media.filter((_media, index) => sections[index]?.usable)
  if (usable.length === 0) refuse('no usable section: BUNDLE and rtcp-mux are required')
  return {
    iceRemote: readIce(session, usable[0] as ParsedSection),
    fingerprints: readFingerprints(session, usable),
    sections,
    extmapAllowMixed: session.extmapAllowMixed !== undefined,
  }
}

function readIce(session: ParsedSession, media: ParsedSection): IceCredentials {
  const usernameFragment = String(media.iceUfrag ?? session.iceUfrag ?? '')
  const password = String(media.icePwd ?? session.icePwd ?? '')
  if (!ICE_UFRAG.test(usernameFragment)) refuse('no usable ice-ufrag')
  if (!ICE_PWD.test(password)) refuse('no usable ice-pwd')
  return { usernameFragment, password }
}

function readFingerprints(session: ParsedSession, usable: ParsedSection[]): Fingerprint[] {
  const found = new Map<string, Fingerprint>()
  for (const media of usable) {
    const given = media.fingerprint ?? session.fingerprint
    const algorithm = String(given?.type ?? '').toLowerCase()
    const value = String(given?.hash ?? '').toUpperCase()
    const sizeBytes = HASH_BYTES.get(algorithm)
    if (sizeBytes === undefined || !HASH.test(value) || value.length !== sizeBytes * 3 - 1) continue
    if (found.size < FINGERPRINTS_MAX) found.set(`${algorithm} ${value}`, { algorithm, value })
    const setup = String(media.setup ?? session.setup ?? 'actpass')
    if (setup !== 'actpass' && setup !== 'active') refuse('the peer must take the active DTLS role')
  }
  if (found.size === 0) refuse('no usable fingerprint')
  return [...found.values()]
}

function readSection(
  session: ParsedSession,
  media: ParsedSection,
  { bundled, block }: { bundled: ReadonlySet<string>; block: string },
): OfferedSection {
  const kind = String(media.type ?? '')
  const protocol = String(media.protocol ?? '')
  const formats = String(media.payloads ?? '')
  if (!/^[a-z]{1,16}$/.test(kind) || !/^[A-Z/]{1,32}$/.test(protocol)) refuse('bad m-line')
  if (!FORMATS.test(formats)) refuse('bad m-line')
  const mid = String(media.mid ?? '')
  if (!MID.test(mid) || HOSTILE_NAMES.has(mid)) refuse('a section without a usable mid')
  const direction = String(media.direction ?? session.direction ?? 'sendrecv')
  const usable =
    (kind === 'audio' || kind === 'video') &&
    PROTOCOLS.has(protocol) &&
    bundled.has(mid) &&
    media.rtcpMux !== undefined
  return {
    media: kind,
    protocol,
    formats,
    mid,
    direction: (DIRECTIONS.has(direction) ? direction : 'sendrecv') as Direction,
    usable: usable && (String(media.port) !== '0' || isBundleOnly(media)),
    ...(usable ? parseCodecBlock(kind, formats, block) : { codecs: [], extensions: new Map() }),
    sendRids: usable ? readSendRids(media) : [],
    ssrcs: usable ? readSsrcs(media) : [],
  }
}

function isBundleOnly(media: ParsedSection): boolean {
  return 'bundleOnly' in media
}

/**
 * The streams of `a=simulcast:send` (RFC 8853 §5.1): the first alternative of each that has an
 * a=rid:... send.
 */
function readSendRids(media: ParsedSection): string[] {
  const { dir1, list1, dir2, list2 } = media.simulcast ?? {}
  const list = dir1 === 'send' ? list1 : dir2 === 'send' ? list2 : undefined
  if (list === undefined) return []
  const declared = new Set(
    (media.rids ?? []).filter((rid) => rid.direction === 'send').map((rid) => String(rid.id)),
  )
  const rids: string[] = []
  for (const stream of String(list).split(';', 16)) {
    const rid = (stream.split(',', 1)[0] ?? '').replace(/^~/, '')
    const usable = RID.test(rid) && !HOSTILE_NAMES.has(rid) && declared.has(rid)
    if (usable && !rids.includes(rid)) rids.push(rid)
  }
  return rids.slice(0, LAYERS_PER_PUBLICATION_MAX)
}

function ssrcOf(value: Scalar): number | undefined {
  const ssrc = Number(value)
  return Number.isInteger(ssrc) && ssrc > 0 && ssrc <= 0xffff_ffff ? ssrc : undefined
}

/** Declared SSRCs (RFC 5576), the RTX stream of a pair by its FID group. */
function readSsrcs(media: ParsedSection): { ssrc: number; rtxSsrc?: number }[] {
  const rtxOf = new Map<number, number>()
  for (const group of (media.ssrcGroups ?? []).slice(0, SSRCS_PER_SECTION_MAX)) {
    const [ssrc, rtx] = String(group.ssrcs).split(' ', 2).map(ssrcOf)
    if (String(group.semantics) === 'FID' && ssrc !== undefined && rtx !== undefined) {
      rtxOf.set(ssrc, rtx)
    }
  }
  const repairs = new Set(rtxOf.values())
  const primary = new Set<number>()
  for (const line of media.ssrcs ?? []) {
    const ssrc = ssrcOf(line.id)
    if (ssrc !== undefined && !repairs.has(ssrc)) primary.add(ssrc)
    if (primary.size >= SSRCS_PER_SECTION_MAX) break
  }
  return [...primary].map((ssrc) => {
    const rtxSsrc = rtxOf.get(ssrc)
    return rtxSsrc === undefined ? { ssrc } : { ssrc, rtxSsrc }
  })
}
