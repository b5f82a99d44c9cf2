/**
 * What a protected RTP packet says in clear (RFC 3711 §3.1: header and extensions): for sites that
 * count without opening.
 */
import { readUint16 } from '../../core/media/rtp/index.ts'

const ONE_BYTE_EXTENSIONS = 0xbede

/** @hot Where the payload starts, behind CSRCs and extensions. */
export function payloadStart(datagram: Buffer): number {
  const csrcEnd = 12 + (datagram[0]! & 0x0f) * 4
  return (datagram[0]! & 0x10) === 0 ? csrcEnd : csrcEnd + 4 + readUint16(datagram, csrcEnd + 2) * 4
}

/**
 * @hot The 16-bit transport-wide number of extension `id` (RFC 8285 one-byte form); -1 when absent.
 */
export function transportNumber(datagram: Buffer, id: number): number {
  if ((datagram[0]! & 0x10) === 0) return -1
  let at = 12 + (datagram[0]! & 0x0f) * 4
  if (readUint16(datagram, at) !== ONE_BYTE_EXTENSIONS) return -1
  const end = Math.min(datagram.length, at + 4 + readUint16(datagram, at + 2) * 4)
  at += 4
  while (at < end) {
    const head = datagram[at]!
    if (head >>> 4 === id && at + 2 < end) return readUint16(datagram, at + 1)
    at += head === 0 ? 1 : 2 + (head & 0x0f)
  }
  return -1
}
