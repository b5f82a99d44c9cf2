/**
 * The second door of this folder, for threads that carry packets (trunk thread, keeper thread): rings to media
 * workers, SRTP, UDP sockets. Apart from the first, so that such a thread does not load logs, metrics and the
 * handshaker.
 */
export { type Clock, systemClock } from './clock.ts'
export { parseIpOctets } from './ip-address.ts'
export { type LinkEvents, WorkerLink } from './media-worker-link.ts'
export type { LinkEnd, ToPlanePeer } from './media-worker-protocol.ts'
export {
  createHmacSha1,
  createSrtpReceiver,
  createSrtpSender,
  type HmacSha1,
  type SealedSink,
  type SrtpMaster,
  type SrtpReceiver,
  type SrtpSender,
} from './srtp/index.ts'
export { Deadline, randomUint32 } from './thread-deadline.ts'
export { HELD_PACKETS, type SendRoute, SlabSender } from './udp-mux-send.ts'
export { bindUdpSockets, type UdpSockets } from './udp-mux-sockets.ts'
export type { TupleSource } from './udp-mux-tuple.ts'
export { socketAddress } from './udp-native/index.ts'
