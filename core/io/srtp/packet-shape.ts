/**
 * The little that SRTP must know of a packet: where encryption begins, SSRC and sequence (RFC 3550 §5.1, RFC 3711 §3.1,
 * §3.4). Not a parser; what is inside is judged after it has proved authentic.
 */

const RTP_HEADER_BYTES = 12
/** SRTCP leaves this much in clear. */
export const RTCP_CLEAR_BYTES = 8

/** @hot Bytes of header, CSRCs and extension of RTP in `start..end`; 0 when it is not RTP version 2 or does not fit. */
export function rtpClearBytes(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < RTP_HEADER_BYTES) return 0
  const first = bytes[start] as number
  if (first >> 6 !== 2) return 0
  let clear = RTP_HEADER_BYTES + 4 * (first & 15)
  if ((first & 16) !== 0) {
    const at = start + clear + 2
    if (at + 2 > end) return 0
    clear += 4 + 4 * (((bytes[at] as number) << 8) | (bytes[at + 1] as number))
  }
  return start + clear <= end ? clear : 0
}

/** @hot True for at least one whole RTCP header of version 2 with an SSRC. */
export function looksLikeRtcp(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= RTCP_CLEAR_BYTES && (bytes[start] as number) >> 6 === 2
}

/** @hot Unsigned. */
export function uint32At(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16)
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0
}

/** @hot */
export function writeUint32At(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
