/**
 * Sealing RTP and RTCP for many receivers on one thread. Not a socket and not a queue: sealed packets lie in the
 * slab until the sink says that nobody reads them any more.
 */
import type { HmacSha1 } from './hmac-sha1.ts'
import type { SrtpCounters } from './outcome.ts'
import type { SrtpMaster } from './profile.ts'

/** Where sealed packets go: a socket, in the worker; an array, in tests. */
export interface SealedSink {
  /**
   * @hot `slab.subarray(start, end)` (of `HmacSha1.slab`) is ready to be sent to the transport with this token.
   * Called inside seal, sealRtcp or flush, in the order of sealing. Must not call back into the sender.
   */
  onSealed(token: number, start: number, end: number): void
  /**
   * How many of the last packets given to onSealed may still be read by the kernel or libuv
   * (`socket.getSendQueueCount()`). Asked once per turn of the slab; their places are not reused.
   */
  inFlightCount(): number
}

export type SrtpSenderOptions = { hmac: HmacSha1; sink: SealedSink }

export interface SrtpSender {
  /** By -code of outcome.ts; place 0 counts sealed packets. */
  readonly counters: SrtpCounters
  /** Takes a transport's master key; `token` names the transport to the sink. Returns a handle, or a negative code. */
  addContext(master: SrtpMaster, token: number): number
  /** Ends a transport with all its streams. Packets not flushed yet are still emitted. Idempotent. */
  removeContext(context: number): void
  /** Opens an outgoing SSRC; once per context and SSRC for ever. Returns a handle, or a negative code. */
  openStream(context: number, ssrc: number): number
  closeStream(stream: number): void
  /**
   * @hot Seals plain RTP `bytes.subarray(start, end)` (12-byte header, CSRCs and extension as they stand). `index` is
   * the 48-bit packet index whose low 16 bits stand in the header. An index may repeat only with identical bytes
   * and then gives identical output; other bytes are refused (SRTP_KEYSTREAM_REUSE). `bytes` is read before
   * this returns. Returns 0, or a negative code. Fastest when start is a multiple of 4 and when packets of about
   * equal size follow one another.
   */
  seal(stream: number, bytes: Uint8Array, start: number, end: number, index: number): number
  /** Seals one compound RTCP packet under the context's next SRTCP index, and emits it in order. */
  sealRtcp(context: number, bytes: Uint8Array, start: number, end: number): number
  /** @hot Emits what waits for a full lane (at most three packets). Call at the end of each burst. */
  flush(): void
}
