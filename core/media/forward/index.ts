/**
 * Door of `forward`: which packets a slot gets, under which numbers, and where they can be found again. Pure; the
 * loop over the subscribers is the engine's.
 */
export { Forwarder, type ForwarderOptions, TEMPORAL_ALL } from './forwarder.ts'
export {
  type ExtensionPlan,
  OutgoingLink,
  OutgoingStream,
  payloadTypeFor,
  planExtension,
  rtxPayloadTypeFor,
  type SentLog,
} from './outgoing-stream.ts'
export { PacketCache } from './packet-cache.ts'
export { type OutNumbers, PADDING_BYTES_MAX, PacketWriter } from './packet-writer.ts'
export { RateMeter } from './rate-meter.ts'
export { Segments } from './segments.ts'
export { type SourceClock, SourceLayer, UNKNOWN_CLOCK } from './source-layer.ts'
