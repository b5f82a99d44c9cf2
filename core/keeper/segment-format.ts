/**
 * Segments as bytes: a couple of seconds of one track's encoded frames, self-describing, named by its SHA-256.
 * docs/SEGMENTS.md is the specification. Integers are big-endian. Pure: no files, no clocks. Untrusted bytes make
 * `undefined`, never an exception.
 *
 *    0 magic "NCS1" | 4 kind | 5 codec | 6 use | 7 flags | 8 chain ms u64 | 16 sequence u32 | 20 previous hash (32)
 *   52 start us u64 | 60 clock rate u32 | 64 duration ticks u32 | 68 width u16 | 70 height u16 | 72 frame count u32
 *   76 room, participant, name, origin: each u16 length and UTF-8
 *   .. frame table: per frame u32 ticks after the first | u8 facts | u24 length
 *   .. payloads, one after the other, to the end
 */
import { createHash } from 'node:crypto'
import {
  SEGMENT_BYTES_MAX,
  SEGMENT_FRAMES_MAX,
  SEGMENT_MS_MAX,
  SEGMENT_NAME_BYTES_MAX,
} from '../../config/limits.ts'
import type { SourceUse } from '../media/control.ts'
import type { KeptCodec, SegmentHash, SegmentHead } from './contract.ts'

/** One encoded frame: an Opus packet (RFC 6716), or a VP8 frame (RFC 6386). */
export type KeptFrame = {
  /** After the segment's first frame, in ticks of its clock rate. */
  offsetTicks: number
  /** Audio: always. */
  keyframe: boolean
  /** Frames are missing before it. */
  gapBefore: boolean
  /** Video: 0..3. */
  temporalLayer: number
  /** It was the main picture of its room where it was recorded; audio: true. */
  shown: boolean
  /** Audio: how loud, in -dBov 0 (loud)..127 (silent); 127 for video. */
  levelDbov: number
  /** A view into the segment. */
  bytes: Uint8Array
}

/** All that a segment holds, apart from its hash. */
export type Segment = SegmentHead & {
  /** Hz: 48000 for Opus, 90000 for VP8. */
  clockRate: number
  durationTicks: number
  frames: KeptFrame[]
}

/** What `writeSegment` is given; the rest follows from it. */
export type SegmentContents = Omit<Segment, 'kind' | 'durationMs' | 'frameCount' | 'independent'>

const MAGIC = 0x4e435331
const CODECS: readonly KeptCodec[] = ['opus', 'vp8']
const USES: readonly SourceUse[] = ['microphone', 'camera', 'screen']
const FIXED_BYTES = 76
const FRAME_BYTES = 8
const HASH_BYTES = 32

const GAP_BEFORE = 1
const INCOMPLETE = 2
const INDEPENDENT = 4
/** Flags that no version has given a meaning. */
const UNKNOWN_FLAGS = ~(GAP_BEFORE | INCOMPLETE | INDEPENDENT) & 0xff

const VIDEO_KEYFRAME = 1
const VIDEO_SHOWN = 8
/** Bits of a picture's facts that no version has given a meaning. */
const VIDEO_UNKNOWN = 0x70
const FRAME_GAP = 0x80

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The name of a segment. */
export function hashOf(bytes: Uint8Array): SegmentHash {
  return createHash('sha256').update(bytes).digest('hex')
}

export function isSegmentHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

/** The bytes; throws RangeError when a bound of config/keeper-limits.ts does not hold. */
export function writeSegment(segment: SegmentContents): Uint8Array<ArrayBuffer> {
  const { frames } = segment
  const names = [segment.room, segment.participant, segment.name, segment.origin].map(encodeName)
  const tableStart = names.reduce((at, name) => at + 2 + name.length, FIXED_BYTES)
  const payloadStart = tableStart + frames.length * FRAME_BYTES
  const sizeBytes = frames.reduce((at, frame) => at + frame.bytes.length, payloadStart)
  if (frames.length === 0 || frames.length > SEGMENT_FRAMES_MAX || sizeBytes > SEGMENT_BYTES_MAX) {
    throw new RangeError(`segment of ${frames.length} frames, ${sizeBytes} bytes`)
  }
  const bytes = new Uint8Array(sizeBytes)
  const view = new DataView(bytes.buffer)
  writeHead(view, segment)
  if (segment.previous !== '') bytes.set(Buffer.from(segment.previous, 'hex'), 20)
  let at = FIXED_BYTES
  for (const name of names) {
    view.setUint16(at, name.length)
    bytes.set(name, at + 2)
    at += 2 + name.length
  }
  let payloadAt = payloadStart
  for (const frame of frames) {
    view.setUint32(at, frame.offsetTicks)
    view.setUint32(at + 4, (factsOf(segment.codec, frame) << 24) | frame.bytes.length)
    bytes.set(frame.bytes, payloadAt)
    at += FRAME_BYTES
    payloadAt += frame.bytes.length
  }
  return bytes
}

function writeHead(view: DataView, segment: SegmentContents): void {
  view.setUint32(0, MAGIC)
  view.setUint8(4, segment.codec === 'opus' ? 1 : 2)
  view.setUint8(5, CODECS.indexOf(segment.codec) + 1)
  view.setUint8(6, USES.indexOf(segment.use) + 1)
  const gap = segment.gapBefore ? GAP_BEFORE : 0
  const incomplete = segment.incomplete ? INCOMPLETE : 0
  view.setUint8(7, gap | incomplete | (segment.frames[0]!.keyframe ? INDEPENDENT : 0))
  view.setBigUint64(8, BigInt(segment.chainMs))
  view.setUint32(16, segment.sequence)
  view.setBigUint64(52, BigInt(Math.round(segment.startMs * 1_000)))
  view.setUint32(60, segment.clockRate)
  view.setUint32(64, segment.durationTicks)
  view.setUint16(68, segment.widthPx)
  view.setUint16(70, segment.heightPx)
  view.setUint32(72, segment.frames.length)
}

function encodeName(name: string): Uint8Array {
  const bytes = encoder.encode(name)
  if (bytes.length <= SEGMENT_NAME_BYTES_MAX) return bytes
  throw new RangeError(`a name of ${bytes.length} bytes`)
}

function factsOf(codec: KeptCodec, frame: KeptFrame): number {
  const gap = frame.gapBefore ? FRAME_GAP : 0
  if (codec === 'opus') return gap | (frame.levelDbov & 0x7f)
  const shown = frame.shown ? VIDEO_SHOWN : 0
  const keyframe = frame.keyframe ? VIDEO_KEYFRAME : 0
  return gap | shown | ((frame.temporalLayer & 3) << 1) | keyframe
}

/** What is in a segment, its frames as views into `bytes`; undefined when they are none. The hash is not looked at. */
export function readSegment(bytes: Uint8Array): Segment | undefined {
  const reading = readHead(bytes)
  if (reading === undefined) return undefined
  const { head, tableStart, clockRate, durationTicks } = reading
  const frames = readFrames(bytes, tableStart, head)
  if (frames === undefined) return undefined
  return { ...head, clockRate, durationTicks, frames }
}

/** Its head alone; everything about the frames is checked as well. */
export function readSegmentHead(bytes: Uint8Array): SegmentHead | undefined {
  const reading = readHead(bytes)
  if (reading === undefined || readFrames(bytes, reading.tableStart, reading.head) === undefined) {
    return undefined
  }
  return reading.head
}

type HeadReading = {
  head: SegmentHead
  tableStart: number
  clockRate: number
  durationTicks: number
}

function readHead(bytes: Uint8Array): HeadReading | undefined {
  if (bytes.length < FIXED_BYTES || bytes.length > SEGMENT_BYTES_MAX) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const codec = CODECS[view.getUint8(5) - 1]
  const use = USES[view.getUint8(6) - 1]
  const kind = (['audio', 'video'] as const)[view.getUint8(4) - 1]
  const flags = view.getUint8(7)
  const clockRate = view.getUint32(60)
  const durationTicks = view.getUint32(64)
  const frameCount = view.getUint32(72)
  if (view.getUint32(0) !== MAGIC || codec === undefined || use === undefined) return undefined
  if (kind !== (codec === 'opus' ? 'audio' : 'video') || (flags & UNKNOWN_FLAGS) !== 0) {
    return undefined
  }
  if ((use === 'microphone') !== (kind === 'audio')) return undefined
  if (clockRate !== (codec === 'opus' ? 48_000 : 90_000)) return undefined
  const durationMs = (durationTicks / clockRate) * 1_000
  if (durationMs > SEGMENT_MS_MAX) return undefined
  if (frameCount === 0 || frameCount > SEGMENT_FRAMES_MAX) return undefined
  const chainMs = Number(view.getBigUint64(8))
  const startUs = Number(view.getBigUint64(52))
  if (!Number.isSafeInteger(chainMs) || !Number.isSafeInteger(startUs)) return undefined
  const names = readNames(bytes, view)
  if (names === undefined) return undefined
  const [room, participant, name, origin] = names.texts
  const previous = Buffer.from(bytes.buffer, bytes.byteOffset + 20, HASH_BYTES).toString('hex')
  const sequence = view.getUint32(16)
  // The first of a chain has none before it, and all others have.
  if ((sequence === 0) !== /^0+$/.test(previous)) return undefined
  const head: SegmentHead = {
    ...{ room: room!, participant: participant!, use, name: name!, origin: origin!, kind, codec },
    ...{ chainMs, sequence, previous: sequence === 0 ? '' : previous },
    startMs: startUs / 1_000,
    durationMs,
    gapBefore: (flags & GAP_BEFORE) !== 0,
    incomplete: (flags & INCOMPLETE) !== 0,
    independent: (flags & INDEPENDENT) !== 0,
    frameCount,
    widthPx: view.getUint16(68),
    heightPx: view.getUint16(70),
  }
  return { head, tableStart: names.end, clockRate, durationTicks }
}

function readNames(
  bytes: Uint8Array,
  view: DataView,
): { texts: string[]; end: number } | undefined {
  const texts: string[] = []
  let at = FIXED_BYTES
  for (let index = 0; index < 4; index++) {
    if (at + 2 > bytes.length) return undefined
    const length = view.getUint16(at)
    at += 2
    if (length > SEGMENT_NAME_BYTES_MAX || at + length > bytes.length) return undefined
    const text = decode(bytes.subarray(at, at + length))
    // A name may be missing; room, participant and node may not.
    if (text === undefined || (text === '' && index !== 2)) return undefined
    texts.push(text)
    at += length
  }
  return { texts, end: at }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    const text = decoder.decode(bytes)
    // The decoder takes a mark at the beginning away, and NUL parts our keys.
    const isFaithful = !text.includes('\0') && encoder.encode(text).length === bytes.length
    return isFaithful ? text : undefined
  } catch {
    return undefined
  }
}

function readFrames(
  bytes: Uint8Array,
  tableStart: number,
  { codec, frameCount, independent }: SegmentHead,
): KeptFrame[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let payloadAt = tableStart + frameCount * FRAME_BYTES
  if (payloadAt > bytes.length) return undefined
  const frames: KeptFrame[] = []
  let lastTicks = 0
  for (let index = 0; index < frameCount; index++) {
    const at = tableStart + index * FRAME_BYTES
    const offsetTicks = view.getUint32(at)
    const word = view.getUint32(at + 4)
    const facts = word >>> 24
    const length = word & 0xffffff
    if (length === 0 || payloadAt + length > bytes.length) return undefined
    if (offsetTicks < lastTicks || (index === 0 && offsetTicks !== 0)) return undefined
    lastTicks = offsetTicks
    const isAudio = codec === 'opus'
    if (!isAudio && (facts & VIDEO_UNKNOWN) !== 0) return undefined
    frames.push({
      offsetTicks,
      keyframe: isAudio || (facts & VIDEO_KEYFRAME) !== 0,
      gapBefore: (facts & FRAME_GAP) !== 0,
      shown: isAudio || (facts & VIDEO_SHOWN) !== 0,
      temporalLayer: isAudio ? 0 : (facts >>> 1) & 3,
      levelDbov: isAudio ? facts & 0x7f : 127,
      bytes: bytes.subarray(payloadAt, payloadAt + length),
    })
    payloadAt += length
  }
  const isWhole = payloadAt === bytes.length && frames[0]!.keyframe === independent
  return isWhole ? frames : undefined
}
