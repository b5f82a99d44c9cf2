/** Segments, packets and frames made for tests. Not shipped. */
import type { CodecName } from '../media/control.ts'
import { HANDOFF_STATUS, writeHandoffPacket } from '../media/engine/index.ts'
import { describePayload, MediaPacket, writeRtpHeader } from '../media/rtp/index.ts'
import type { SegmentContents } from './segment-format.ts'

export const ROOM_START_MS = 1_780_272_000_000

/** Two seconds of sound, 20 ms a packet, three bytes each. */
export function soundSegment(more: Partial<SegmentContents> = {}): SegmentContents {
  return {
    room: 'giao-ban',
    participant: 'p1',
    use: 'microphone',
    name: 'Lò Thị Mai',
    origin: 'node-1',
    codec: 'opus',
    chainMs: ROOM_START_MS,
    sequence: 0,
    previous: '',
    startMs: ROOM_START_MS,
    gapBefore: true,
    incomplete: false,
    widthPx: 0,
    heightPx: 0,
    clockRate: 48_000,
    durationTicks: 96_000,
    frames: Array.from({ length: 100 }, (_, index) => ({
      offsetTicks: index * 960,
      keyframe: true,
      gapBefore: false,
      shown: true,
      temporalLayer: 0,
      levelDbov: 30,
      bytes: Uint8Array.of(0xf8, 0xff, index),
    })),
    ...more,
  }
}

type Fields = {
  codec?: CodecName
  sequence: number
  timestamp: number
  payload: Uint8Array
  marker?: boolean
  epoch?: number
}

/** A packet as `receive` describes it. */
export function mediaPacket(fields: Fields): MediaPacket {
  const { codec = 'opus', sequence, timestamp, payload, marker = true, epoch = 0 } = fields
  const packet = new MediaPacket()
  packet.bytes = new Uint8Array(12 + payload.length)
  packet.codec = codec
  const payloadType = codec === 'opus' ? 111 : 96
  const sequenceNumber = sequence & 0xffff
  writeRtpHeader(packet.bytes, 0, { ssrc: 1, payloadType, sequenceNumber, timestamp, marker })
  packet.bytes.set(payload, 12)
  packet.end = packet.bytes.length
  packet.sequence = sequence
  packet.timestamp = timestamp >>> 0
  packet.epoch = epoch
  packet.payloadType = payloadType
  packet.marker = marker
  if (!describePayload(packet)) throw new Error('not a payload')
  return packet
}

export type PictureFields = {
  /** Number of the first packet; one for each part. */
  sequence: number
  timestamp: number
  isKey?: boolean
  temporalLayer?: number
  /** It depends on the base layer alone. */
  switches?: boolean
  tl0?: number
  parts?: number
  fill?: number
}

/** The packets of one VP8 picture with PictureID, TL0PICIDX and TID (RFC 7741 §4.2). */
export function picturePackets(fields: PictureFields): MediaPacket[] {
  const { sequence, timestamp, isKey = false, temporalLayer = 0, switches = false } = fields
  const { tl0 = 0, parts = 2, fill = sequence & 0xff } = fields
  return Array.from({ length: parts }, (_, part) => {
    const head = part === 0 ? pictureHead(isKey) : []
    const descriptor = [
      0x80 | (part === 0 ? 0x10 : 0),
      0xe0,
      ...[0x80, sequence & 0x7f, tl0],
      (temporalLayer << 6) | (switches ? 0x20 : 0),
    ]
    const payload = Uint8Array.from([...descriptor, ...head, ...new Array(20).fill(fill)])
    const marker = part === parts - 1
    return mediaPacket({ codec: 'vp8', sequence: sequence + part, timestamp, payload, marker })
  })
}

/** The first bytes of a frame: RFC 6386 §9.1, 320 x 180. */
function pictureHead(isKey: boolean): number[] {
  return isKey ? [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00] : [0x11, 0, 0]
}

/** A packet as a media worker's engine hands it over. */
export function handoffFrame(publicationId: number, packet: MediaPacket, layer = 0): Uint8Array {
  const out = new Uint8Array(1_536)
  const place = { publicationId, spatialLayer: layer, isPadding: false }
  return out.slice(0, writeHandoffPacket(out, packet, place))
}

/** How loud a publication is, as the engine hands it over, and that timestamp 0 was at monotonic `zeroMs`. */
export function statusFrame(
  publicationId: number,
  { levelDbov, zeroMs }: { levelDbov: number; zeroMs: number },
): Uint8Array {
  const bytes = new Uint8Array(37)
  bytes[2] = 1
  new DataView(bytes.buffer).setFloat64(16, zeroMs)
  bytes[0] = HANDOFF_STATUS
  bytes[3] = levelDbov
  new DataView(bytes.buffer).setUint32(4, publicationId)
  return bytes
}
