/** Opening SRTP and SRTCP of one transport. Not a parser: it looks at no more of RTP than it must. */
import type { HmacSha1 } from './hmac-sha1.ts'
import type { SrtpCounters } from './outcome.ts'
import type { SrtpMaster } from './profile.ts'

export type SrtpReceiverOptions = { hmac: HmacSha1; master: SrtpMaster }

export interface SrtpReceiver {
  /** By -code of outcome.ts; place 0 counts opened packets. */
  readonly counters: SrtpCounters
  /** 48-bit index (RFC 3711 §3.3.1) of the RTP packet opened last. */
  readonly index: number
  /**
   * @hot Authenticates and decrypts `bytes.subarray(start, end)` in place. Returns the end of the plain packet, or a
   * negative code, with the bytes and all state as they were.
   */
  openRtp(bytes: Uint8Array, start: number, end: number): number
  /** The same for a compound SRTCP packet (RFC 3711 §3.4). Unencrypted but authentic ones (E = 0) are accepted. */
  openRtcp(bytes: Uint8Array, start: number, end: number): number
  /** Forgets the keys. Idempotent; later packets are refused. */
  close(): void
}
