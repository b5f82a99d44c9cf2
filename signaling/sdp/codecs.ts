/**
 * Which codecs of an offered section we take. Policy (docs/PROTOCOL.md §1.5): a publisher sends one
 * video codec, the first of VP8, H.264, VP9, AV1 that it offers; a slot takes all of them that the
 * receiver offers, since what a slot shows changes without negotiation. Audio is Opus, with RED
 * (RFC 2198) in the peer's order.
 */

import type { CodecName, CodecSpec, FeedbackSpec } from '../../core/media/control.ts'
import type { OfferedCodec, OfferedSection } from './offer.ts'

/** A codec that we take, with the offered line that it answers. */
export type SelectedCodec = { spec: CodecSpec; offered: OfferedCodec }

const VIDEO_ORDER = ['vp8', 'h264', 'vp9', 'av1'] as const satisfies CodecName[]
const FEEDBACK = ['nack', 'nack pli', 'ccm fir', 'transport-cc', 'goog-remb']
const OPUS_PARAMETERS = 'minptime=10;useinbandfec=1;usedtx=1'

function parameter(fmtp: string, name: string): string | undefined {
  for (const part of fmtp.split(';')) {
    const [key, value] = part.trim().split('=', 2)
    if (key?.toLowerCase() === name) return value ?? ''
  }
  return undefined
}

/**
 * How well an offered H.264 suits, lower is better: constrained baseline first; undefined = not at
 * all.
 */
function h264Rank(codec: OfferedCodec): number | undefined {
  if (parameter(codec.fmtp, 'packetization-mode') !== '1') return undefined
  const profile = (parameter(codec.fmtp, 'profile-level-id') ?? '420010').toLowerCase()
  if (!/^[0-9a-f]{6}$/.test(profile)) return undefined
  // profile_iop bit 6 (constraint_set1) makes baseline constrained (RFC 6184 §8.1).
  const constrained = (Number.parseInt(profile.slice(2, 4), 16) & 0x40) !== 0
  if (profile.startsWith('42')) return constrained ? 0 : 1
  return profile.startsWith('4d') ? 2 : 3
}

function isPlainProfile(codec: OfferedCodec): boolean {
  const name = codec.name === 'vp9' ? 'profile-id' : 'profile'
  return (parameter(codec.fmtp, name) ?? '0') === '0'
}

function findVideo(section: OfferedSection, name: CodecName): OfferedCodec | undefined {
  const named = section.codecs.filter((codec) => codec.name === name && codec.clockRate === 90_000)
  if (name === 'vp8') return named[0]
  if (name !== 'h264') return named.find(isPlainProfile)
  const ranked = named.filter((codec) => h264Rank(codec) !== undefined)
  return ranked.sort((a, b) => (h264Rank(a) ?? 9) - (h264Rank(b) ?? 9))[0]
}

function findRtx(section: OfferedSection, payloadType: number): OfferedCodec | undefined {
  return section.codecs.find(
    (codec) => codec.name === 'rtx' && parameter(codec.fmtp, 'apt') === String(payloadType),
  )
}

function selectVideo(section: OfferedSection, direction: 'in' | 'out'): SelectedCodec[] {
  const selected: SelectedCodec[] = []
  for (const name of VIDEO_ORDER) {
    const offered = findVideo(section, name)
    if (offered === undefined) continue
    const spec: CodecSpec = { codec: name, payloadType: offered.payloadType, clockRate: 90_000 }
    const rtx = findRtx(section, offered.payloadType)
    if (rtx !== undefined) spec.rtxPayloadType = rtx.payloadType
    if (offered.fmtp !== '') spec.fmtp = offered.fmtp
    selected.push({ spec, offered })
    if (direction === 'in') break
  }
  return selected
}

function selectAudio(section: OfferedSection): SelectedCodec[] {
  const opus = section.codecs.find(
    (codec) => codec.name === 'opus' && codec.clockRate === 48_000 && codec.channels === 2,
  )
  if (opus === undefined) return []
  const selected: SelectedCodec[] = []
  for (const offered of section.codecs) {
    const { payloadType } = offered
    if (offered === opus) {
      const spec: CodecSpec = { codec: 'opus', payloadType, clockRate: 48_000 }
      selected.push({ spec: { ...spec, fmtp: OPUS_PARAMETERS }, offered })
    } else if (isRedOf(offered, opus) && !selected.some(({ spec }) => spec.codec === 'red')) {
      const fmtp = `${opus.payloadType}/${opus.payloadType}`
      selected.push({ spec: { codec: 'red', payloadType, clockRate: 48_000, fmtp }, offered })
    }
  }
  return selected
}

/** RED whose blocks are all this Opus. */
function isRedOf(codec: OfferedCodec, opus: OfferedCodec): boolean {
  if (codec.name !== 'red' || codec.clockRate !== 48_000 || codec.channels !== 2) return false
  const blocks = codec.fmtp.split('/')
  return blocks.length >= 2 && blocks.every((block) => Number(block) === opus.payloadType)
}

/** By the offered codecs, which sections and offers of one browser share (codec-block.ts). */
const selections = {
  in: new WeakMap<readonly OfferedCodec[], SelectedCodec[]>(),
  out: new WeakMap<readonly OfferedCodec[], SelectedCodec[]>(),
}

/** The codecs that we take, preferred first; empty when there is none in common. Not to be altered. */
export function selectCodecs(section: OfferedSection, direction: 'in' | 'out'): SelectedCodec[] {
  const known = selections[direction].get(section.codecs)
  if (known !== undefined) return known
  const selected =
    section.media === 'audio' ? selectAudio(section) : selectVideo(section, direction)
  selections[direction].set(section.codecs, selected)
  return selected
}

/** The feedback (RFC 4585, 5104) that all selected codecs have in common. */
export function selectFeedback(selected: readonly SelectedCodec[]): FeedbackSpec {
  const has = (name: string): boolean => selected.every(({ offered }) => offered.feedback.has(name))
  return {
    nack: has('nack'),
    pli: has('nack pli'),
    transportWide: has('transport-cc'),
    remb: has('goog-remb'),
  }
}

const ENCODING_NAMES: Readonly<Record<CodecName, string>> = {
  opus: 'opus/48000/2',
  red: 'red/48000/2',
  vp8: 'VP8/90000',
  h264: 'H264/90000',
  vp9: 'VP9/90000',
  av1: 'AV1/90000',
}

/** Payload types of the m-line, RTX behind its codec. */
export function payloadTypes(selected: readonly SelectedCodec[]): number[] {
  return selected.flatMap(({ spec }) =>
    spec.rtxPayloadType === undefined
      ? [spec.payloadType]
      : [spec.payloadType, spec.rtxPayloadType],
  )
}

const lines = new WeakMap<readonly SelectedCodec[], string[]>()

/** The rtpmap, rtcp-fb and fmtp lines of the selected codecs. Not to be altered. */
export function codecLines(selected: readonly SelectedCodec[]): string[] {
  const known = lines.get(selected)
  if (known !== undefined) return known
  const written = writeCodecLines(selected)
  lines.set(selected, written)
  return written
}

function writeCodecLines(selected: readonly SelectedCodec[]): string[] {
  return selected.flatMap(({ spec, offered }) => {
    const { payloadType, rtxPayloadType, fmtp } = spec
    const written = [`a=rtpmap:${payloadType} ${ENCODING_NAMES[spec.codec]}`]
    for (const name of FEEDBACK) {
      if (offered.feedback.has(name)) written.push(`a=rtcp-fb:${payloadType} ${name}`)
    }
    if (fmtp !== undefined) written.push(`a=fmtp:${payloadType} ${fmtp}`)
    if (rtxPayloadType !== undefined) {
      written.push(`a=rtpmap:${rtxPayloadType} rtx/90000`)
      written.push(`a=fmtp:${rtxPayloadType} apt=${payloadType}`)
    }
    return written
  })
}
