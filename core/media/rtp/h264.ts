/**
 * Where an H.264 picture that a decoder can start from begins (RFC 6184 §5.6, §5.7.1, §5.8): the
 * packet that brings the sequence parameter set, as a single NAL unit, in a STAP-A or at the start
 * of an FU-A. An IDR slice without parameter sets does not count, since we never forward
 * `sprop-parameter-sets` and a new receiver could not decode it. Not a bitstream parser.
 */
import { readUint16 } from './big-endian.ts'
import type { MediaPacket } from './packet.ts'

const NAL_SPS = 7
const NAL_STAP_A = 24
const NAL_FU_A = 28

/**
 * @hot Fills keyframe and frameStart of `out` from its payload `bytes[start, end)`. frameStart only
 * says "no continuation of a fragment": where a picture begins follows from the timestamp, which
 * the stream knows.
 */
export function describeH264(out: MediaPacket, start: number, end: number): boolean {
  if (start >= end) return false
  const type = out.bytes[start]! & 0x1f
  out.frameStart = true
  if (type === NAL_STAP_A) return describeStapA(out, start + 1, end)
  if (type === NAL_FU_A) {
    if (start + 2 >= end) return false
    const head = out.bytes[start + 1]!
    out.frameStart = (head & 0x80) !== 0
    out.keyframe = out.frameStart && (head & 0x1f) === NAL_SPS
    return true
  }
  out.keyframe = type === NAL_SPS
  return true
}

/** @hot Size-prefixed NAL units to the end of the payload. */
function describeStapA(out: MediaPacket, start: number, end: number): boolean {
  const bytes = out.bytes
  let offset = start
  if (offset >= end) return false
  while (offset < end) {
    if (offset + 2 > end) return false
    const sizeBytes = readUint16(bytes, offset)
    offset += 2
    if (sizeBytes === 0 || offset + sizeBytes > end) return false
    if ((bytes[offset]! & 0x1f) === NAL_SPS) out.keyframe = true
    offset += sizeBytes
  }
  return true
}
