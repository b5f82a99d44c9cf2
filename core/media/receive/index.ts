/**
 * Door of `receive`: from a parsed RTP packet to a MediaPacket, and all feedback to its sender. No
 * clock: time comes in, deadlines go out.
 *
 *   const stream = table.resolve(packet, nowMs)              // undefined: table.dropCode
 *   const received = stream.receive(packet, nowMs, media)    // MEDIA, PADDING (close the gap), NOTHING, or -DropReason
 */
export {
  IncomingStream,
  RECEIVED_MEDIA,
  RECEIVED_NOTHING,
  RECEIVED_PADDING,
} from './incoming-stream.ts'
export { KeyframeRequester } from './keyframe-requester.ts'
export { LEVEL_SILENT_DBOV } from './level-meter.ts'
export { NackGenerator } from './nack-generator.ts'
export { StreamTable } from './stream-table.ts'
export { TransportFeedbackGenerator } from './transport-feedback-generator.ts'
