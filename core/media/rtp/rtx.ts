/**
 * Retransmission packets (RFC 4588 §4): the original payload behind two bytes of original sequence
 * number, on an SSRC and payload type of their own. Who asks for and who caches is decided
 * elsewhere.
 */
import { readUint16, writeUint16, writeUint32 } from './big-endian.ts'
import type { RtpPacket } from './packet.ts'

/**
 * @hot Turns a parsed RTX packet into the original: sequence number from the payload's first two
 * bytes, identity from the arguments, payload two bytes further. Only `packet` changes, not the
 * bytes. False (nothing changed) when there are no two bytes: a padding probe.
 */
export function unwrapRtx(packet: RtpPacket, ssrc: number, payloadType: number): boolean {
  if (packet.payloadEnd - packet.payloadStart < 2) return false
  packet.sequenceNumber = readUint16(packet.bytes, packet.payloadStart)
  packet.payloadStart += 2
  packet.ssrc = ssrc
  packet.payloadType = payloadType
  return true
}

/** What to wrap, and as what. Reusable. */
export type RtxSource = {
  /** A well-formed RTP packet at bytes[start, end), without padding. */
  bytes: Uint8Array
  start: number
  end: number
  ssrc: number
  payloadType: number
  sequenceNumber: number
}

/**
 * @hot Writes the RTX packet for `source` (header and extensions kept); `out` may not overlap it.
 * Returns the offset after it: 2 bytes more than the original.
 */
export function writeRtx(out: Uint8Array, offset: number, source: RtxSource): number {
  const { bytes, start, end } = source
  const headerBytes = rtpHeaderBytes(bytes, start)
  const originalSequence = readUint16(bytes, start + 2)
  for (let index = 0; index < headerBytes; index++) out[offset + index] = bytes[start + index]!
  out[offset + 1] = (bytes[start + 1]! & 0x80) | source.payloadType
  writeUint16(out, offset + 2, source.sequenceNumber)
  writeUint32(out, offset + 8, source.ssrc)
  let to = writeUint16(out, offset + headerBytes, originalSequence)
  for (let from = start + headerBytes; from < end; from++) out[to++] = bytes[from]!
  return to
}

/** @hot Bytes of header, CSRCs and extension block of a packet already known to be well formed. */
function rtpHeaderBytes(bytes: Uint8Array, start: number): number {
  const first = bytes[start]!
  const fixedBytes = 12 + (first & 0x0f) * 4
  if ((first & 0x10) === 0) return fixedBytes
  return fixedBytes + 4 + readUint16(bytes, start + fixedBytes + 2) * 4
}
