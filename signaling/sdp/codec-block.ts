/**
 * The codec and extension lines of one section. All sections of one kind of one browser hold the
 * same, and so do all its offers: what was read once is remembered, since a storm of a thousand
 * offers would otherwise be seconds of regular expressions. The same lines always give the same.
 */

import { LRUCache } from 'lru-cache'
import sdpTransform, { type ParsedSection } from 'sdp-transform'
import { CODEC_BLOCKS_CACHED_BYTES_MAX, CODECS_PER_SECTION_MAX } from '../../config/index.ts'
import { KNOWN_EXTENSIONS } from './extensions.ts'
import type { OfferedCodec } from './offer.ts'

type Scalar = string | number | undefined

/** Not to be altered: shared between offers. */
export type CodecBlock = {
  codecs: OfferedCodec[]
  /** URI to id, for the URIs that we know. */
  extensions: ReadonlyMap<string, number>
}

const FMTP = /^[A-Za-z0-9=;:.,/ _+-]{1,512}$/

const known = new LRUCache<string, CodecBlock>({
  maxSize: CODEC_BLOCKS_CACHED_BYTES_MAX,
  sizeCalculation: (_block, text) => text.length * 2,
})

/** Codecs in the order of the m-line, which is the peer's preference (RFC 3264 §5.1), and extensions. */
export function parseCodecBlock(kind: string, formats: string, lines: string): CodecBlock {
  const text = `m=${kind} 9 X ${formats}\r\n${lines}`
  const seen = known.get(text)
  if (seen !== undefined) return seen
  const [media] = sdpTransform.parse(text).media
  const block: CodecBlock =
    media === undefined
      ? { codecs: [], extensions: new Map() }
      : { codecs: readCodecs(media, formats), extensions: readExtensions(media) }
  known.set(text, block)
  return block
}

function payloadTypeOf(value: Scalar): number | undefined {
  const number = Number(value)
  return Number.isInteger(number) && number >= 0 && number <= 127 ? number : undefined
}

function readCodecs(media: ParsedSection, formats: string): OfferedCodec[] {
  const parameters = new Map<number, string>()
  for (const { payload, config } of media.fmtp.slice(0, CODECS_PER_SECTION_MAX)) {
    const payloadType = payloadTypeOf(payload)
    const text = String(config).trim()
    if (payloadType !== undefined && FMTP.test(text)) parameters.set(payloadType, text)
  }
  const codecs = new Map<number, OfferedCodec>()
  for (const map of media.rtp.slice(0, CODECS_PER_SECTION_MAX)) {
    const payloadType = payloadTypeOf(map.payload)
    const clockRate = Number(map.rate)
    if (payloadType === undefined || !Number.isInteger(clockRate)) continue
    codecs.set(payloadType, {
      payloadType,
      name: String(map.codec).toLowerCase().slice(0, 32),
      clockRate,
      channels: Number(map.encoding ?? 1),
      fmtp: parameters.get(payloadType) ?? '',
      feedback: readFeedback(media, payloadType),
    })
  }
  // Order of the m-line is the peer's order of preference (RFC 3264 §5.1).
  return formats
    .split(' ', CODECS_PER_SECTION_MAX)
    .map((format) => codecs.get(Number(format)))
    .filter((codec) => codec !== undefined)
}

function readFeedback(media: ParsedSection, payloadType: number): Set<string> {
  const feedback = new Set<string>()
  for (const line of (media.rtcpFb ?? []).slice(0, CODECS_PER_SECTION_MAX * 8)) {
    if (line.payload !== '*' && Number(line.payload) !== payloadType) continue
    feedback.add(line.subtype ? `${line.type} ${line.subtype}` : String(line.type))
  }
  return feedback
}

function readExtensions(media: ParsedSection): Map<string, number> {
  const extensions = new Map<string, number>()
  for (const { value, uri, 'encrypt-uri': encrypted } of media.ext ?? []) {
    const id = Number(value)
    // 15 is reserved in the one-byte form (RFC 8285 §4.2).
    const valid = Number.isInteger(id) && id >= 1 && id <= 255 && id !== 15
    if (!valid || encrypted !== undefined || !KNOWN_EXTENSIONS.has(String(uri))) continue
    if (!extensions.has(String(uri))) extensions.set(String(uri), id)
  }
  return extensions
}
