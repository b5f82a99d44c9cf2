/**
 * SRTP and SRTCP, ours (RFC 3711, RFC 7714). The door of this folder.
 *
 *   const hmac = createHmacSha1()                          // one per thread; owns the slab
 *   const sender = createSrtpSender({ hmac, sink })        // one per thread, all transports
 *   const context = sender.addContext(masters.send, transportIndex)
 *   const stream = sender.openStream(context, ssrc)
 *   sender.seal(stream, scratch, 0, length, index); ...; sender.flush()   // sink.onSealed(transportIndex, from, to)
 *
 *   const receiver = createSrtpReceiver({ hmac, master: masters.receive })  // one per transport
 *   const end = receiver.openRtp(bytes, 0, bytes.length)   // negative: a reason of outcome.ts
 */
export type { HmacSha1 } from './hmac-sha1.ts'
export * from './outcome.ts'
export type { SrtpMaster, SrtpMasters, SrtpProfile, SrtpProfileName } from './profile.ts'
export { findSrtpProfile, SRTP_PROFILES, splitKeyingMaterial, srtpProfile } from './profile.ts'
export type { SrtpReceiver, SrtpReceiverOptions } from './receiver.ts'
export type { SealedSink, SrtpSender, SrtpSenderOptions } from './sender.ts'
