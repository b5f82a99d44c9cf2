/**
 * Door of `rtp`: bytes of RTP and its payloads, codec facts, sequence arithmetic, drop reasons. No
 * state of calls.
 */
export {
  readUint16,
  readUint24,
  readUint32,
  writeUint16,
  writeUint24,
  writeUint32,
} from './big-endian.ts'
export { createDropCounters, DROP_CODE, DROP_REASONS, type DropReason } from './drop-reason.ts'
export {
  extensionEquals,
  hasExtension,
  readAbsSendTime,
  readAudioLevel,
  readTransportSequence,
} from './extension.ts'
export { isOpusDtx, opusDurationTicks } from './opus.ts'
export { MediaPacket, RtpPacket } from './packet.ts'
export { parseRtp, RTP_HEADER_BYTES } from './parse.ts'
export { describePayload } from './payload.ts'
export { parseRed, RedBlocks, RedStripper } from './red.ts'
export { unwrapRtx, writeRtx } from './rtx.ts'
export {
  SequenceUnwrapper,
  sequenceDelta16,
  sequenceDelta32,
  TimestampUnwrapper,
} from './sequence.ts'
export { ExtensionWriter, writeRtpHeader } from './write.ts'
