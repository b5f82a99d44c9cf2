/**
 * Where an AV1 coded video sequence begins (AV1 RTP specification §4.4): the N bit of the
 * aggregation header, or a sequence header OBU as the first element. For streams forwarded whole,
 * without dependency descriptor.
 *
 *   Z Y W(2) N - - - | [leb128 length unless W is 1] | OBU: forbidden(1) type(4) extension(1) has_size(1) reserved(1)
 */
import type { MediaPacket } from './packet.ts'

const OBU_SEQUENCE_HEADER = 1
const LEB128_BYTES_MAX = 8

/**
 * @hot Fills keyframe and frameStart of `out` from its payload `bytes[start, end)`; false when cut
 * short. frameStart only says "no continuation": where a temporal unit begins follows from the
 * timestamp, which the stream knows.
 */
export function describeAv1(out: MediaPacket, start: number, end: number): boolean {
  const bytes = out.bytes
  if (start + 1 >= end) return false
  const aggregation = bytes[start]!
  const continues = (aggregation & 0x80) !== 0
  const startsSequence = (aggregation & 0x08) !== 0
  // A new coded video sequence cannot begin in the middle of an OBU.
  if (continues && startsSequence) return false
  out.frameStart = !continues
  if (continues) return true
  let offset = start + 1
  if ((aggregation & 0x30) !== 0x10) {
    offset = skipLeb128(bytes, offset, end)
    if (offset < 0 || offset >= end) return false
  }
  const type = (bytes[offset]! >>> 3) & 0x0f
  out.keyframe = startsSequence || type === OBU_SEQUENCE_HEADER
  return true
}

/** @hot Offset after the number, -1 when it does not end in time. */
function skipLeb128(bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + LEB128_BYTES_MAX)
  for (let offset = start; offset < limit; offset++) {
    if (bytes[offset]! < 0x80) return offset + 1
  }
  return -1
}
