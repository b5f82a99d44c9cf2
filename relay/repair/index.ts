/**
 * Door of `relay/repair`: what heals a trunk's losses, piece by piece, for its TrunkEnd. Pure; every
 * part is bounded; hot parts allocate nothing.
 *
 * `index` is always the transport-wide sequence of a datagram (48-bit, a plain number); `sequence` a
 * frame's number within its stream layer, unwrapped. What `find`, `take` and `frame` put into the fields
 * `bytes`, `start` and `end` is valid until the next call.
 */
export { AudioCopies } from './audio-copies.ts'
export { AudioMerger, type AudioPacket, AudioSplitter } from './audio-merger.ts'
export { DuplicateFilter } from './duplicate-filter.ts'
export { LossMeter } from './loss-meter.ts'
export { type IndexRanges, NackTimer, type NackTimerOptions } from './nack-timer.ts'
export { OpusFrames } from './opus-frames.ts'
export { PARITY_OVERHEAD_BYTES_MAX } from './parity-code.ts'
export { ParityDecoder, type RecoveredOutlet } from './parity-decoder.ts'
export { ParityEncoder } from './parity-encoder.ts'
export { planRepair, type RepairFacts, type RepairPlan } from './plan.ts'
export { RepairPlanner } from './planner.ts'
export {
  ReleaseBuffer,
  type ReleaseFrame,
  type ReleaseOptions,
  type ReleaseOutlet,
} from './release-buffer.ts'
export { SentFrames } from './sent-frames.ts'
