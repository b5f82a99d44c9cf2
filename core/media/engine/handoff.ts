/**
 * Packets and layer facts of a publication on their way to another worker, as bytes for a ring in
 * shared memory. Only between engines of one process and version: not a wire format, so no versions
 * and little suspicion.
 *
 *   packet:  0 kind=1 | 1 layer | 2 flags | 3 codec | 4 publicationId | 8 sequence(i32) | 12 epoch | 16 timestamp
 *            20 temporal layer | 21 PictureID bits | 22 PictureID | 24 offset+1 | 25 TL0 offset+1 | 26 TL0PICIDX
 *            27 payload type | 28 packet bytes
 *   status:  0 kind=2 | 1 layer | 2 clock known | 3 level | 4 publicationId | 8 bitrate(f64) | 16 ntp(f64)
 *            24 timestamp | 28 width | 30 height | 32 temporal max | 33 shares x 4 (1/255)
 */
import { HANDOFF_BYTES_MAX } from '../../../config/limits.ts'
import type { CodecName } from '../control.ts'
import type { SourceClock, SourceLayer } from '../forward/index.ts'
import type { MediaPacket } from '../rtp/index.ts'

export const HANDOFF_PACKET = 1
export const HANDOFF_STATUS = 2

const CODECS: readonly CodecName[] = ['opus', 'red', 'vp8', 'h264', 'vp9', 'av1']
const PACKET_HEAD_BYTES = 28
const STATUS_BYTES = 37

const MARKER = 1
const KEYFRAME = 2
const FRAME_START = 4
const TEMPORAL_SWITCH = 8
const LATE = 16
const PADDING = 32

/** Which stream a frame belongs to. */
export type HandoffPlace = { publicationId: number; spatialLayer: number; isPadding: boolean }

/** @hot Writes one packet; `out` has room for the packet and 28 bytes. Returns the end. */
export function writeHandoffPacket(
  out: Uint8Array,
  packet: MediaPacket,
  place: HandoffPlace,
): number {
  out[0] = HANDOFF_PACKET
  out[1] = place.spatialLayer
  out[2] =
    (packet.marker ? MARKER : 0) |
    (packet.keyframe ? KEYFRAME : 0) |
    (packet.frameStart ? FRAME_START : 0) |
    (packet.temporalSwitch ? TEMPORAL_SWITCH : 0) |
    (packet.late ? LATE : 0) |
    (place.isPadding ? PADDING : 0)
  out[3] = CODECS.indexOf(packet.codec)
  write32(out, 4, place.publicationId)
  write32(out, 8, packet.sequence)
  write32(out, 12, packet.epoch)
  write32(out, 16, packet.timestamp)
  out[20] = packet.temporalLayer
  out[21] = packet.pictureIdBits
  out[22] = packet.pictureId >> 8
  out[23] = packet.pictureId & 0xff
  out[24] = packet.pictureIdOffset + 1
  out[25] = packet.tl0PicIdxOffset + 1
  out[26] = packet.tl0PicIdx
  out[27] = packet.payloadType
  const length = packet.end - packet.start
  for (let i = 0; i < length; i++) out[PACKET_HEAD_BYTES + i] = packet.bytes[packet.start + i]!
  return PACKET_HEAD_BYTES + length
}

/** What stands at the head of any frame; reused. */
export class HandoffFrame {
  kind = 0
  publicationId = 0
  spatialLayer = 0
  isPadding = false
  /** Of a packet: it belongs to a keyframe. */
  isKeyframe = false
  /** Of a status: -dBov of the publication, and whether the layer has a bitrate. */
  levelDbov = 0
  isFlowing = false

  /** @hot False when it cannot be a frame. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start
    if (length > HANDOFF_BYTES_MAX || length < PACKET_HEAD_BYTES) return false
    this.kind = bytes[start]!
    this.spatialLayer = bytes[start + 1]!
    this.isPadding = (bytes[start + 2]! & PADDING) !== 0
    this.publicationId = read32(bytes, start + 4) >>> 0
    if (this.kind === HANDOFF_PACKET) {
      this.isKeyframe = (bytes[start + 2]! & KEYFRAME) !== 0
      return length >= PACKET_HEAD_BYTES + 12
    }
    this.levelDbov = bytes[start + 3]!
    this.isFlowing = (read32(bytes, start + 8) | read32(bytes, start + 12)) !== 0
    return this.kind === HANDOFF_STATUS && length >= STATUS_BYTES
  }
}

/** @hot Gives the frame at `start` to another publication, or to a stream of a trunk. */
export function setHandoffPublication(bytes: Uint8Array, start: number, id: number): void {
  write32(bytes, start + 4, id)
}

/** @hot Gives a packet's frame another RTP timestamp, in its head and its header. */
export function setHandoffTimestamp(bytes: Uint8Array, start: number, timestamp: number): void {
  write32(bytes, start + 16, timestamp)
  write32(bytes, start + PACKET_HEAD_BYTES + 4, timestamp)
}

/** @hot Marks a packet's frame as overtaken by its successors. */
export function setHandoffLate(bytes: Uint8Array, start: number): void {
  bytes[start + 2] = bytes[start + 2]! | LATE
}

/** @hot Fills `packet` from a frame of kind HANDOFF_PACKET; its bytes stay the caller's. */
export function readHandoffPacket(
  packet: MediaPacket,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const flags = bytes[start + 2]!
  packet.bytes = bytes
  packet.start = start + PACKET_HEAD_BYTES
  packet.end = end
  packet.marker = (flags & MARKER) !== 0
  packet.keyframe = (flags & KEYFRAME) !== 0
  packet.frameStart = (flags & FRAME_START) !== 0
  packet.temporalSwitch = (flags & TEMPORAL_SWITCH) !== 0
  packet.late = (flags & LATE) !== 0
  packet.codec = CODECS[bytes[start + 3]!] ?? 'opus'
  packet.sequence = read32(bytes, start + 8)
  packet.epoch = read32(bytes, start + 12)
  packet.timestamp = read32(bytes, start + 16) >>> 0
  packet.temporalLayer = bytes[start + 20]!
  packet.pictureIdBits = bytes[start + 21]!
  packet.pictureId = (bytes[start + 22]! << 8) | bytes[start + 23]!
  packet.pictureIdOffset = bytes[start + 24]! - 1
  packet.tl0PicIdxOffset = bytes[start + 25]! - 1
  packet.tl0PicIdx = bytes[start + 26]!
  packet.payloadType = bytes[start + 27]!
}

/** What a status says beside its layer. */
export type HandoffStatus = { publicationId: number; levelDbov: number; clockOffsetMs: number }

/** Writes the facts of one layer; NTP times go over into our own clock. Returns the end. */
export function writeHandoffStatus(
  out: Uint8Array,
  layer: SourceLayer,
  { publicationId, levelDbov, clockOffsetMs }: HandoffStatus,
): number {
  const view = new DataView(out.buffer, out.byteOffset, STATUS_BYTES)
  const isKnown = layer.clock.isKnown && !Number.isNaN(clockOffsetMs)
  view.setUint8(0, HANDOFF_STATUS)
  view.setUint8(1, layer.spatialLayer)
  view.setUint8(2, isKnown ? 1 : 0)
  view.setUint8(3, levelDbov)
  view.setUint32(4, publicationId)
  view.setFloat64(8, layer.rate.bitrateBps)
  view.setFloat64(16, isKnown ? layer.clock.ntpMsAt(layer.lastTimestamp) + clockOffsetMs : 0)
  view.setUint32(24, layer.lastTimestamp)
  view.setUint16(28, layer.widthPx)
  view.setUint16(30, layer.heightPx)
  view.setUint8(32, layer.rate.temporalMax)
  for (let i = 0; i < 4; i++) view.setUint8(33 + i, Math.round(layer.rate.temporalShare[i]! * 255))
  return STATUS_BYTES
}

/** Takes a frame of kind HANDOFF_STATUS into the layer; returns the publication's level. */
export function applyHandoffStatus(layer: SourceLayer, bytes: Uint8Array, start: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, STATUS_BYTES)
  layer.rate.bitrateBps = view.getFloat64(8)
  layer.rate.temporalMax = view.getUint8(32)
  for (let i = 0; i < 4; i++) layer.rate.temporalShare[i] = view.getUint8(33 + i) / 255
  layer.widthPx = view.getUint16(28)
  layer.heightPx = view.getUint16(30)
  if (view.getUint8(2) === 1) {
    layer.clock = new ImportedClock(view.getFloat64(16), view.getUint32(24), layer.clockRate)
  }
  return view.getUint8(3)
}

class ImportedClock implements SourceClock {
  readonly isKnown = true
  readonly #ntpMs: number
  readonly #timestamp: number
  readonly #clockRate: number

  constructor(ntpMs: number, timestamp: number, clockRate: number) {
    this.#ntpMs = ntpMs
    this.#timestamp = timestamp
    this.#clockRate = clockRate
  }

  ntpMsAt(timestamp: number): number {
    return this.#ntpMs + (((timestamp - this.#timestamp) | 0) / this.#clockRate) * 1_000
  }

  timestampAt(ntpMs: number): number {
    return (this.#timestamp + Math.round(((ntpMs - this.#ntpMs) * this.#clockRate) / 1_000)) >>> 0
  }
}

function write32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24
  out[at + 1] = (value >> 16) & 0xff
  out[at + 2] = (value >> 8) & 0xff
  out[at + 3] = value & 0xff
}

function read32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
