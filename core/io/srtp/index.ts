/**
 * SRTP and SRTCP, ours (RFC 3711, RFC 7714; docs/adr/0005-own-srtp.md). The door of this folder.
 *
 *   const hmac = createHmacSha1()                             // one per thread; owns the slab
 *   const sender = createSrtpSender({ hmac, sink, drops })    // one per thread, all transports
 *   const context = sender.addContext(sendMaster(keys), transportIndex)
 *   const stream = sender.openStream(context, ssrc)
 *   sender.seal(stream, scratch, 0, length, index); ...; sender.flush()   // sink.onSealed(transportIndex, from, to)
 *
 *   const receiver = createSrtpReceiver({ hmac, master: receiveMaster(keys), drops })  // one per transport
 *   const end = receiver.openRtp(bytes, 0, bytes.length)      // negative: a reason of outcome.ts
 */
export { createHmacSha1, type HmacSha1 } from './hmac-sha1.ts'
export { receiveMaster, type SrtpMaster, sendMaster } from './master.ts'
export { createSrtpReceiver, type SrtpReceiver, type SrtpReceiverOptions } from './receiver.ts'
export {
  createSrtpSender,
  type SealedSink,
  type SrtpSender,
  type SrtpSenderOptions,
} from './sender.ts'
