/**
 * The RTP header (RFC 3550 §5.1) and its extensions in both forms (RFC 8285 §4.2, §4.3). Every
 * length is compared with the end before it is believed. Not concerned with payloads or with which
 * id means what.
 *
 *   0: V=2 P X CC | 1: M PT | 2: sequence | 4: timestamp | 8: SSRC | 12: CSRC × CC | [profile, words, elements]
 */
import { readUint16, readUint32 } from './big-endian.ts'
import type { RtpPacket } from './packet.ts'

export const RTP_HEADER_BYTES = 12

const ONE_BYTE_PROFILE = 0xbede
/** The low four bits are "appbits" and mean nothing to us. */
const TWO_BYTE_PROFILE = 0x1000
const ONE_BYTE_STOP_ID = 15

/**
 * @hot Fills `packet` from `bytes.subarray(start, end)`, which stays the caller's. False when any
 * length lies or the version is not 2; then the fields of `packet` mean nothing, but it may be
 * reused. Of an id that occurs twice the first counts.
 */
export function parseRtp(
  packet: RtpPacket,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  clearExtensions(packet)
  if (start < 0 || end > bytes.length || end - start < RTP_HEADER_BYTES) return false
  const first = bytes[start]!
  if (first >>> 6 !== 2) return false
  const second = bytes[start + 1]!
  packet.bytes = bytes
  packet.start = start
  packet.end = end
  packet.marker = second >= 0x80
  packet.payloadType = second & 0x7f
  packet.sequenceNumber = readUint16(bytes, start + 2)
  packet.timestamp = readUint32(bytes, start + 4)
  packet.ssrc = readUint32(bytes, start + 8)
  let offset = start + RTP_HEADER_BYTES + (first & 0x0f) * 4
  if ((first & 0x10) !== 0) {
    if (offset + 4 > end) return false
    const profile = readUint16(bytes, offset)
    const extensionEnd = offset + 4 + readUint16(bytes, offset + 2) * 4
    if (extensionEnd > end) return false
    if (!readElements(packet, profile, offset + 4, extensionEnd)) return false
    offset = extensionEnd
  }
  if (offset > end) return false
  packet.payloadStart = offset
  packet.payloadEnd = end
  if ((first & 0x20) === 0) return true
  // The last byte counts the padding and itself, so 0 is a lie too.
  const paddingBytes = end > offset ? bytes[end - 1]! : 0
  if (paddingBytes === 0 || paddingBytes > end - offset) return false
  packet.payloadEnd = end - paddingBytes
  return true
}

/** @hot Forgets the extensions of the previous packet, only those that it had. */
function clearExtensions(packet: RtpPacket): void {
  const ids = packet.extensionIds
  for (let index = 0; index < packet.extensionCount; index++) {
    packet.extensionLength[ids[index]!] = -1
  }
  packet.extensionCount = 0
}

/** @hot */
function readElements(packet: RtpPacket, profile: number, start: number, end: number): boolean {
  if (profile === ONE_BYTE_PROFILE) return readOneByteElements(packet, start, end)
  if ((profile & 0xfff0) === TWO_BYTE_PROFILE) return readTwoByteElements(packet, start, end)
  // A profile of its own (RFC 3550 §5.3.1): opaque to us, and not an error.
  return true
}

/** @hot id and length-1 share a byte; 0 is padding; 15 ends the list. */
function readOneByteElements(packet: RtpPacket, start: number, end: number): boolean {
  const bytes = packet.bytes
  let offset = start
  while (offset < end) {
    const head = bytes[offset]!
    offset += 1
    if (head === 0) continue
    const id = head >>> 4
    if (id === ONE_BYTE_STOP_ID) return true
    const length = (head & 0x0f) + 1
    if (offset + length > end) return false
    // Id 0 with a length is reserved (RFC 8285 §4.2): skipped by its length.
    if (id !== 0) addElement(packet, id, offset, length)
    offset += length
  }
  return true
}

/** @hot A byte of id, a byte of length 0..255; id 0 is one byte of padding. */
function readTwoByteElements(packet: RtpPacket, start: number, end: number): boolean {
  const bytes = packet.bytes
  let offset = start
  while (offset < end) {
    const id = bytes[offset]!
    offset += 1
    if (id === 0) continue
    if (offset >= end) return false
    const length = bytes[offset]!
    offset += 1
    if (offset + length > end) return false
    addElement(packet, id, offset, length)
    offset += length
  }
  return true
}

/** @hot An id is noted once, so the list of 256 can never overflow. */
function addElement(packet: RtpPacket, id: number, offset: number, length: number): void {
  if (packet.extensionLength[id] !== -1) return
  packet.extensionStart[id] = offset
  packet.extensionLength[id] = length
  packet.extensionIds[packet.extensionCount] = id
  packet.extensionCount += 1
}
