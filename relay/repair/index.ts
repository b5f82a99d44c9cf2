/**
 * Door of `relay/repair`: what heals a trunk's losses, piece by piece, for its TrunkEnd. Pure; every
 * part is bounded; hot parts allocate nothing. These are the shapes as planned; the classes of these
 * names follow file by file and replace them here without a change of shape.
 *
 * `index` is always the transport-wide sequence of a datagram (48-bit, a plain number); `sequence` a frame's
 * number within its stream layer, unwrapped. "Finds" set the fields bytes/start/end, valid until the next call.
 */

export { AudioCopies } from './audio-copies.ts'
export { DuplicateFilter } from './duplicate-filter.ts'
export { LossMeter } from './loss-meter.ts'
export { type IndexRanges, NackTimer, type NackTimerOptions } from './nack-timer.ts'
export { PARITY_OVERHEAD_BYTES_MAX } from './parity-code.ts'
export { ParityDecoder, type RecoveredOutlet } from './parity-decoder.ts'
export { ParityEncoder } from './parity-encoder.ts'
export {
  ReleaseBuffer,
  type ReleaseFrame,
  type ReleaseOptions,
  type ReleaseOutlet,
} from './release-buffer.ts'
export { SentFrames } from './sent-frames.ts'

/** What is known of one direction of a link, as its sender sees it. */
export type RepairFacts = {
  /** Of datagrams, before repair, 0..1, smoothed (LossMeter). */
  lossRatio: number
  /** Mean length of runs of lost datagrams, >= 1. */
  lossBurst: number
  rttMs: number
  /** The estimate: all that may be sent. */
  rateBps: number
  /** Sent now, without redundancy: audio; base layers of video; all. */
  audioBps: number
  baseBps: number
  sentBps: number
  /** Datagrams sent a second. */
  datagramsPerS: number
}

export type RepairPlan = {
  /** `base`: only audio and base layers; `off`: redundancy instead. */
  nack: 'off' | 'base'
  /** How many frames of its stream later a copy of an audio frame goes, ascending, 0..2 entries. */
  audioDistances: readonly number[]
  /** One parity frame after so many protected datagrams, over the last `windowCount`; 0 = no parity. */
  parityEvery: number
  parityWindow: number
  /** Protect datagrams with audio alone too. */
  parityAudio: boolean
  /** Packets of 20 ms that one audio frame shall carry: 1..3. */
  audioMerge: number
  /** How long the receiver may hold: goes to the far end in band. Audio: constant delay, 0 = none. */
  audioHoldMs: number
  videoHoldMs: number
  /** Redundant bytes to audio bytes, parity bytes to protected bytes: for the report. */
  redundancyRatio: number
  parityRatio: number
}

/** With hysteresis; `update` about once a second. The first plan is that of a clean link. */
export interface RepairPlannerShape {
  readonly plan: RepairPlan
  update(facts: RepairFacts, nowMs: number): RepairPlan
}

/** One video layer: its newest keyframe and what followed. */
export interface KeyframeCacheShape {
  /** @hot In order. `packet` says what the bytes (a handoff frame, or whatever the caller replays) are. */
  onPacket(
    packet: { sequence: number; timestamp: number; keyframe: boolean; frameStart: boolean },
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
  ): void
  /**
   * Hands out, oldest first, what a late viewer needs: `live`: keyframe and all since, so that the next packet
   * continues it; `still`: a keyframe alone, a fresh one must be asked for; `none`.
   */
  replay(
    nowMs: number,
    receive: (bytes: Uint8Array, start: number, end: number) => void,
  ): 'live' | 'still' | 'none'
}
