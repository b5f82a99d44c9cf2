/**
 * Redundant audio (RFC 2198): several ages of one codec's payload in a packet. Read here, and
 * stripped to its primary for receivers that did not negotiate it. Adding redundancy is not done
 * here.
 *
 *   block header × n: 1 PT(7) | timestamp offset(14) length(10)
 *   last header:      0 PT(7)                                      then the data, oldest first
 */
import { RED_BLOCKS_MAX } from '../../../config/limits.ts'
import { readUint16 } from './big-endian.ts'
import { MediaPacket } from './packet.ts'

/** The blocks of one packet, the primary last. Reused; offsets are absolute. */
export class RedBlocks {
  count = 0
  readonly payloadType = new Uint8Array(RED_BLOCKS_MAX)
  /** Ticks before the packet's timestamp, 0..16383. */
  readonly timestampOffsetTicks = new Uint16Array(RED_BLOCKS_MAX)
  readonly start = new Int32Array(RED_BLOCKS_MAX)
  readonly end = new Int32Array(RED_BLOCKS_MAX)
}

/**
 * @hot Reads all blocks of a RED payload; false when headers or lengths leave it or there are more
 * than the limit.
 */
export function parseRed(out: RedBlocks, bytes: Uint8Array, start: number, end: number): boolean {
  let offset = start
  let count = 0
  let dataBytes = 0
  out.count = 0
  for (;;) {
    if (offset >= end || count >= RED_BLOCKS_MAX) return false
    const head = bytes[offset]!
    out.payloadType[count] = head & 0x7f
    if (head < 0x80) break
    if (offset + 4 > end) return false
    const word = readUint16(bytes, offset + 2)
    out.timestampOffsetTicks[count] = (bytes[offset + 1]! << 6) | (word >>> 10)
    // Start holds the length until the headers have ended and the first block's place is known.
    out.start[count] = word & 0x3ff
    dataBytes += word & 0x3ff
    count += 1
    offset += 4
  }
  offset += 1
  if (offset + dataBytes > end) return false
  for (let index = 0; index < count; index++) {
    const length = out.start[index]!
    out.start[index] = offset
    offset += length
    out.end[index] = offset
  }
  out.timestampOffsetTicks[count] = 0
  out.start[count] = offset
  out.end[count] = end
  out.count = count + 1
  return true
}

/**
 * Makes the plain packet of a RED packet once, for all receivers that want it plain. Owns its
 * bytes.
 */
export class RedStripper {
  readonly #blocks = new RedBlocks()
  readonly #packet = new MediaPacket()
  readonly #bytes: Uint8Array

  /** `packetBytesMax`: the largest packet that can come. */
  constructor(packetBytesMax: number) {
    this.#bytes = new Uint8Array(packetBytesMax)
    this.#packet.bytes = this.#bytes
  }

  /**
   * @hot A packet with only the primary block under the primary's payload type; `source` (12-byte
   * header) is untouched. Undefined when the RED payload is malformed, has an empty primary, or is
   * too large. Valid until the next call.
   */
  strip(source: MediaPacket): MediaPacket | undefined {
    const blocks = this.#blocks
    const payloadStart = source.start + 12
    if (source.end - source.start > this.#bytes.length) return undefined
    if (!parseRed(blocks, source.bytes, payloadStart, source.end)) return undefined
    const primary = blocks.count - 1
    const primaryStart = blocks.start[primary]!
    if (primaryStart === source.end) return undefined
    const packet = this.#packet
    const bytes = this.#bytes
    for (let index = 0; index < 12; index++) bytes[index] = source.bytes[source.start + index]!
    bytes[1] = (source.marker ? 0x80 : 0) | blocks.payloadType[primary]!
    const length = source.end - primaryStart
    for (let index = 0; index < length; index++) {
      bytes[12 + index] = source.bytes[primaryStart + index]!
    }
    packet.end = 12 + length
    packet.sequence = source.sequence
    packet.epoch = source.epoch
    packet.codec = 'opus'
    packet.timestamp = source.timestamp
    packet.marker = source.marker
    packet.payloadType = blocks.payloadType[primary]!
    packet.keyframe = true
    packet.frameStart = true
    packet.late = source.late
    packet.arrivalMs = source.arrivalMs
    return packet
  }
}
