/**
 * Where a VP9 keyframe begins (RFC 9628 §4.2), for streams forwarded whole: no layer of the stream
 * is dropped, so only the flags and the spatial id matter. Not SVC.
 *
 *   I P L F B E V Z | [M PictureID] | [TID U SID D] [TL0PICIDX] ...
 */
import type { MediaPacket } from './packet.ts'

/**
 * @hot Fills keyframe and frameStart of `out` from its payload `bytes[start, end)`; false when cut
 * short.
 */
export function describeVp9(out: MediaPacket, start: number, end: number): boolean {
  const bytes = out.bytes
  if (start + 1 >= end) return false
  const flags = bytes[start]!
  let offset = start + 1
  if ((flags & 0x80) !== 0) offset += (bytes[offset]! & 0x80) !== 0 ? 2 : 1
  let spatialId = 0
  if ((flags & 0x20) !== 0) {
    if (offset >= end) return false
    spatialId = (bytes[offset]! >>> 1) & 0x07
    offset += (flags & 0x10) !== 0 ? 1 : 2
  }
  if (offset >= end) return false
  out.frameStart = (flags & 0x08) !== 0 && spatialId === 0
  out.keyframe = out.frameStart && (flags & 0x40) === 0
  return true
}
