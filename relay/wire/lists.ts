/**
 * Short lists of a trunk: demand, keyframe requests, levels, ranges of datagrams to send again,
 * hold times.
 *
 *   DEMAND    since varint | version varint | (stream varint, layer mask (8))*
 *   KNOWN     version varint
 *   KEYFRAME  (stream varint, layer (8))*
 *   LEVELS    (stream varint, -dBov (8))*
 *   NACK      first index (24) | count - 1 varint | (gap varint, count - 1 varint)*
 *   HOLD      audio ms varint | video ms varint | flags (8): 0 video is paced
 *   RESENT    index (16) | frames of that datagram; form 1: all that are worth it, form 0: a part of them
 */
import { writeUint24 } from '../../core/media/rtp/index.ts'
import { nearest24, type WireReader, writeVarint } from './varint.ts'

/** Longest pair of a list. */
export const PAIR_BYTES_MAX = 4
/** Longest heads. */
export const DEMAND_HEAD_BYTES_MAX = 16
export const NACK_RANGE_BYTES_MAX = 10

/** @hot A stream with a byte: layer mask, layer or level. Returns the end. */
export function writePair(
  out: Uint8Array,
  offset: number,
  streamId: number,
  value: number,
): number {
  const at = writeVarint(out, offset, streamId)
  out[at] = value
  return at + 1
}

/** Goes over pairs; reused. */
export class PairReader {
  streamId = 0
  value = 0

  /** @hot False at the end or where it is malformed. */
  next(reader: WireReader): boolean {
    if (!reader.hasMore) return false
    this.streamId = reader.varint()
    this.value = reader.uint8()
    return !reader.failed && this.streamId >= 1 && this.streamId <= 0xffff
  }
}

/**
 * Datagrams to send again, in ascending order; returns the end. Ranges that do not fit are left
 * out.
 */
export function writeRanges(
  out: Uint8Array,
  offset: number,
  ranges: { first: Float64Array; last: Float64Array; count: number; bytesMax: number },
): number {
  const { first, last, count, bytesMax } = ranges
  let at = writeUint24(out, offset, first[0]! % 0x100_0000)
  at = writeVarint(out, at, last[0]! - first[0]!)
  for (let i = 1; i < count; i++) {
    if (at + NACK_RANGE_BYTES_MAX > offset + bytesMax) break
    at = writeVarint(out, at, first[i]! - last[i - 1]! - 1)
    at = writeVarint(out, at, last[i]! - first[i]!)
  }
  return at
}

/** Goes over ranges; reused. */
export class RangeReader {
  first = 0
  last = 0
  #isBegun = false

  begin(): void {
    this.#isBegun = false
  }

  /** `near`: the newest index sent. False at the end or where it is malformed. */
  next(reader: WireReader, near: number): boolean {
    if (!reader.hasMore) return false
    if (this.#isBegun) this.first = this.last + 1 + reader.varint()
    else this.first = nearest24(near, reader.uint24())
    this.#isBegun = true
    this.last = this.first + reader.varint()
    return !reader.failed && this.first >= 0 && this.last <= near
  }
}
