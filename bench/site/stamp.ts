/**
 * What a synthetic publisher puts into every packet, so that a receiver can tell latency, layer and
 * whether the content is whole, whatever was rewritten on the way: a stamp near the front and a
 * seal over it in the last four bytes.
 *
 *    0             4                7       8         12     14     16                  24
 *   | magic "NCS2" | publisher (24) | layer | frame # | part | flags | sent, ms (float64) |
 *   ... | seal (4): frame number, part, publisher and layer, mixed |
 *
 * Big endian; flags: 1 = key frame, 2 = last part of its frame.
 */

/** Bytes that a stamp takes, and the seal at the end of the payload. */
export const STAMP_BYTES = 24
export const SEAL_BYTES = 4
const MAGIC = 0x4e435332
const FLAG_KEY = 1
const FLAG_LAST = 2

/** One stamp, reusable. `sentMs` is of the machine's clock. */
export class Stamp {
  /** 0..2^24-1. */
  publisher = 0
  /** Spatial layer, 0 lowest; 0 for audio. */
  layer = 0
  /** Counts the frames of one layer, 32 bits. */
  frame = 0
  /** Position of the packet in its frame, from 0. */
  part = 0
  isKey = false
  isLast = false
  sentMs = 0
}

/** @hot Writes the stamp at `offset` and the seal before `end`, which must leave room for both. */
export function writeStamp(view: DataView, offset: number, end: number, stamp: Stamp): void {
  view.setUint32(offset, MAGIC)
  view.setUint32(offset + 4, (stamp.publisher << 8) | (stamp.layer & 0xff))
  view.setUint32(offset + 8, stamp.frame >>> 0)
  view.setUint16(offset + 12, stamp.part)
  view.setUint16(offset + 14, (stamp.isKey ? FLAG_KEY : 0) | (stamp.isLast ? FLAG_LAST : 0))
  view.setFloat64(offset + 16, stamp.sentMs)
  view.setUint32(end - SEAL_BYTES, sealOf(stamp))
}

/** @hot Reads into `stamp`; false when there is no stamp at that place of `bytes[.., end)`. */
export function readStamp(bytes: Buffer, offset: number, end: number, stamp: Stamp): boolean {
  if (offset + STAMP_BYTES + SEAL_BYTES > end || bytes.readUInt32BE(offset) !== MAGIC) return false
  const who = bytes.readUInt32BE(offset + 4)
  stamp.publisher = who >>> 8
  stamp.layer = who & 0xff
  stamp.frame = bytes.readUInt32BE(offset + 8)
  stamp.part = bytes.readUInt16BE(offset + 12)
  const flags = bytes.readUInt16BE(offset + 14)
  stamp.isKey = (flags & FLAG_KEY) !== 0
  stamp.isLast = (flags & FLAG_LAST) !== 0
  stamp.sentMs = bytes.readDoubleBE(offset + 16)
  return true
}

/**
 * Whether the end of the payload belongs to its stamp: false when it was cut, or mixed with another
 * packet.
 */
export function isSealed(bytes: Buffer, end: number, stamp: Stamp): boolean {
  return bytes.readUInt32BE(end - SEAL_BYTES) === sealOf(stamp)
}

/** @hot */
function sealOf({ publisher, layer, frame, part }: Stamp): number {
  const mixed = Math.imul(frame ^ (part << 20) ^ (publisher << 4) ^ layer, 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) >>> 0
}
