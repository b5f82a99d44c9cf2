/** Door of `rtp`: bytes of RTP and its payloads, codec facts, sequence arithmetic, drop reasons. No state of calls. */
export { createDropCounters, DROP_CODE, DROP_REASONS, type DropReason } from './drop-reason.ts'
export { MediaPacket, RtpPacket } from './packet.ts'
