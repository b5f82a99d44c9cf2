/**
 * Door of `relay/wire`: the bytes of a trunk datagram's payload. The table is docs/RELAY-WIRE.md.
 */
export {
  FEEDBACK_ENTRY_BYTES_MAX,
  FEEDBACK_TICKS_PER_MS,
  FeedbackReader,
  writeCame,
  writeFeedbackHead,
  writeMissing,
} from './feedback.ts'
export {
  Defragmenter,
  FRAGMENT_HEAD_BYTES_MAX,
  FRAGMENT_PARTS_MAX,
  writeFragmentHead,
} from './fragment.ts'
export {
  FRAME_DEMAND,
  FRAME_FEEDBACK,
  FRAME_FRAGMENT,
  FRAME_HOLD,
  FRAME_KEYFRAME,
  FRAME_KNOWN,
  FRAME_LEVELS,
  FRAME_MEDIA,
  FRAME_NACK,
  FRAME_PADDING,
  FRAME_PARITY,
  FRAME_RESENT,
  FRAME_STATUS,
  FrameReader,
  frameBytes,
  frameKind,
  TRUNK_PAYLOAD_TYPE,
  writeFrameHead,
} from './frame.ts'
export {
  DEMAND_HEAD_BYTES_MAX,
  PAIR_BYTES_MAX,
  PairReader,
  RangeReader,
  writePair,
  writeRanges,
} from './lists.ts'
export {
  MEDIA_FLAGGED,
  MEDIA_FULL,
  MEDIA_HEAD_BYTES_MAX,
  MEDIA_NEXT,
  MEDIA_SHORT,
  MediaContext,
  MediaFrame,
  mediaForm,
  WIRE_CODECS,
  writeMediaHead,
} from './media.ts'
export { readStatus, STATUS_BYTES_MAX, StatusFrame, writeStatus } from './status.ts'
export { nearest24, WireReader, writeVarint } from './varint.ts'
