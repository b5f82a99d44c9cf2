/**
 * Door of `forward`: which packets a slot gets, under which numbers, and where they can be found
 * again. Pure; the loop over the subscribers is the engine's.
 */
export { Forwarder } from './forwarder.ts'
export { KeyframeCache, type Replay } from './keyframe-cache.ts'
export {
  OutgoingLink,
  OutgoingStream,
  payloadTypeFor,
  planExtension,
  rtxPayloadTypeFor,
} from './outgoing-stream.ts'
export { PADDING_BYTES_MAX, PacketWriter } from './packet-writer.ts'
export { type SourceClock, SourceLayer } from './source-layer.ts'
