/**
 * The few header extensions that we read: by id, since what an id means was negotiated per section.
 * Absent or of the wrong length reads as -1, so an id of 0 (not negotiated) is simply absent.
 */
import { readUint16, readUint24 } from './big-endian.ts'
import type { RtpPacket } from './packet.ts'

/**
 * @hot RFC 6464 level: 0 (loud) .. 127 (silent) in -dBov; -1 when absent. The V bit is not
 * believed.
 */
export function readAudioLevel(packet: RtpPacket, id: number): number {
  if (packet.extensionLength[id]! < 1) return -1
  return packet.bytes[packet.extensionStart[id]!]! & 0x7f
}

/** @hot Transport-wide sequence number 0..65535 (versions 1 and 2); -1 when absent. */
export function readTransportSequence(packet: RtpPacket, id: number): number {
  if (packet.extensionLength[id]! < 2) return -1
  return readUint16(packet.bytes, packet.extensionStart[id]!)
}

/** @hot abs-send-time: 24 bits of 6.18 fixed-point seconds; -1 when absent. */
export function readAbsSendTime(packet: RtpPacket, id: number): number {
  if (packet.extensionLength[id] !== 3) return -1
  return readUint24(packet.bytes, packet.extensionStart[id]!)
}

/** @hot True when the packet carries any element with this id. */
export function hasExtension(packet: RtpPacket, id: number): boolean {
  return packet.extensionLength[id]! >= 0
}

/**
 * @hot True when the element with this id is exactly `expected`: names are compared, never made
 * into strings.
 */
export function extensionEquals(packet: RtpPacket, id: number, expected: Uint8Array): boolean {
  const length = packet.extensionLength[id]!
  if (length !== expected.length) return false
  const start = packet.extensionStart[id]!
  for (let index = 0; index < length; index++) {
    if (packet.bytes[start + index] !== expected[index]) return false
  }
  return true
}
