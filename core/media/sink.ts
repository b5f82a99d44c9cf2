/**
 * Where the engine's packets leave: implemented by core/io (seal, batch, send), recorded by tests.
 * Contract: the callee reads the bytes before it returns, so the caller may patch and reuse the same scratch
 * for the next receiver; nothing is retained.
 */
export interface PacketSink {
  /**
   * Opens an outgoing SSRC of a connected transport. Returns a small integer handle, valid until closeStream.
   * A handle owns one SRTP rollover counter; an SSRC is opened once per transport and never reopened.
   */
  openStream(transportIndex: number, ssrc: number): number
  closeStream(stream: number): void
  /**
   * @hot Seals and sends plain RTP `bytes.subarray(start, end)`. `index` is the 48-bit packet index
   * (RFC 3711 §3.3.1) whose low 16 bits stand in the header. Indexes may repeat only with identical bytes.
   */
  sendRtp(stream: number, bytes: Uint8Array, start: number, end: number, index: number): void
  /** Seals and sends one compound RTCP packet. */
  sendRtcp(transportIndex: number, bytes: Uint8Array, start: number, end: number): void
}
