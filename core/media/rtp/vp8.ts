/**
 * The VP8 payload descriptor (RFC 7741 §4.2) and the one bit of the frame header that says keyframe
 * (§4.3). Offsets are given so that a forwarder can patch PictureID and TL0PICIDX in place. Not a
 * VP8 decoder.
 *
 *   X R N S R PID | [I L T K rsv] | [M PictureID(7 or 15)] | [TL0PICIDX] | [TID Y KEYIDX]
 */
import { readUint16 } from './big-endian.ts'
import type { MediaPacket } from './packet.ts'

/**
 * @hot Fills the VP8 fields, keyframe and frameStart of `out` from its payload `bytes[start, end)`.
 * False when the descriptor leaves the payload or leaves nothing after it.
 */
export function describeVp8(out: MediaPacket, start: number, end: number): boolean {
  const bytes = out.bytes
  if (start >= end) return false
  const first = bytes[start]!
  let offset = start + 1
  if ((first & 0x80) !== 0) {
    offset = readExtendedFields(out, offset, end)
    if (offset < 0) return false
  }
  if (offset >= end) return false
  out.frameStart = (first & 0x10) !== 0 && (first & 0x07) === 0
  out.keyframe = out.frameStart && (bytes[offset]! & 0x01) === 0
  return true
}

/** @hot Returns the offset after the optional fields, -1 when they leave the payload. */
function readExtendedFields(out: MediaPacket, start: number, end: number): number {
  const bytes = out.bytes
  let offset = start
  if (offset >= end) return -1
  const flags = bytes[offset++]!
  if ((flags & 0x80) !== 0) {
    if (offset >= end) return -1
    const long = (bytes[offset]! & 0x80) !== 0
    if (long && offset + 2 > end) return -1
    out.pictureIdOffset = offset - out.start
    out.pictureIdBits = long ? 15 : 7
    out.pictureId = long ? readUint16(bytes, offset) & 0x7fff : bytes[offset]!
    offset += long ? 2 : 1
  }
  if ((flags & 0x40) !== 0) {
    if (offset >= end) return -1
    out.tl0PicIdxOffset = offset - out.start
    out.tl0PicIdx = bytes[offset++]!
  }
  if ((flags & 0x30) === 0) return offset
  if (offset >= end) return -1
  const temporal = bytes[offset++]!
  // With K alone the octet is there, but its TID and Y mean nothing.
  if ((flags & 0x20) === 0) return offset
  out.temporalLayer = temporal >>> 6
  out.temporalSwitch = out.temporalLayer === 0 || (temporal & 0x20) !== 0
  return offset
}
