/**
 * Picture size from a VP8 keyframe (RFC 7741 §4.2 descriptor, RFC 6386 §9.1 header), so that the
 * allocator can weigh real layers against drawn sizes. Reads nothing else.
 */
import type { SourceLayer } from '../forward/index.ts'
import type { MediaPacket } from '../rtp/index.ts'

/**
 * Sets the layer's size from the first packet of a keyframe; leaves it when the bytes do not tell.
 */
export function readPictureSize(packet: MediaPacket, layer: SourceLayer): void {
  const { bytes, end } = packet
  let at = packet.start + 12
  const first = bytes[at]!
  at += 1
  if ((first & 0x80) !== 0) {
    const extended = bytes[at]!
    at += 1
    if ((extended & 0x80) !== 0) at += (bytes[at]! & 0x80) !== 0 ? 2 : 1
    if ((extended & 0x40) !== 0) at += 1
    if ((extended & 0x30) !== 0) at += 1
  }
  // Frame tag (3), start code 9d 01 2a (3), width and height (14 bits each, little endian).
  if (at + 10 > end || (bytes[at]! & 1) !== 0) return
  if (bytes[at + 3] !== 0x9d || bytes[at + 4] !== 0x01 || bytes[at + 5] !== 0x2a) return
  layer.widthPx = (bytes[at + 6]! | (bytes[at + 7]! << 8)) & 0x3fff
  layer.heightPx = (bytes[at + 8]! | (bytes[at + 9]! << 8)) & 0x3fff
}
