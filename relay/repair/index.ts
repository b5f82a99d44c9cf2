/**
 * Door of `relay/repair`: what heals a trunk's losses, piece by piece, for its TrunkEnd. Pure; every
 * part is bounded; hot parts allocate nothing. These are the shapes as planned; the classes of these
 * names follow file by file and replace them here without a change of shape.
 *
 * `index` is always the transport-wide sequence of a datagram (48-bit, a plain number); `sequence` a frame's
 * number within its stream layer, unwrapped. "Finds" set the fields bytes/start/end, valid until the next call.
 */

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

/** Loss and bursts from results in order of index; used where feedback is read, or at the receiver. */
export interface LossMeterShape {
  readonly lossRatio: number
  readonly lossBurst: number
  /** @hot */
  onDatagram(isLost: boolean): void
}

/**
 * Sender. Feed it the payload (all after the RTP header) of each datagram that is worth protecting; when `isDue`,
 * `write` makes the body of a parity frame, which goes out in a datagram of its own that is not protected.
 */
export interface ParityEncoderShape {
  configure(every: number, window: number): void
  /** @hot Copies. */
  protect(index: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void
  /** @hot By count, or since the oldest unprotected datagram waits too long. */
  isDue(nowMs: number): boolean
  nextDeadlineMs(): number
  /** @hot Returns the end of the body, at most 12 bytes longer than the longest payload covered. */
  write(out: Uint8Array, at: number, nowMs: number): number
}

/** Receiver. Feed it every datagram's payload, and every parity frame's body; recovered payloads come by the callback. */
export interface ParityDecoderShape {
  /** @hot Copies. May recover others. */
  onDatagram(index: number, bytes: Uint8Array, start: number, end: number): void
  /** @hot `carrierIndex`: of the datagram that brought the parity. Malformed ones are counted and ignored. */
  onParity(carrierIndex: number, bytes: Uint8Array, start: number, end: number): void
  readonly recoveredCount: number
  readonly malformedCount: number
}
export type RecoveredOutlet = {
  /** @hot The payload of a datagram that was lost; bytes are reused after the call. */
  recovered(index: number, bytes: Uint8Array, start: number, end: number): void
}

/** Sender. */
export interface AudioCopiesShape {
  configure(distances: readonly number[]): void
  /** @hot A new audio frame as it goes out; copied. `frameMs`: how long it plays. */
  store(
    streamId: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    frameMs: number,
    nowMs: number,
  ): void
  /** @hot Next copy that is due (by later frames of its stream, or by time when it fell silent); sets streamId and bytes. */
  take(nowMs: number): boolean
  readonly streamId: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  nextDeadlineMs(): number
  forget(streamId: number): void
}

/** Receiver, per stream layer. */
export interface DuplicateFilterShape {
  /** @hot False when this one was here before, or is older than the window of 512. */
  accept(sequence: number): boolean
  reset(): void
}

/** Receiver: which datagrams are missing, what to ask for, and up to where everything is settled. */
export interface NackTimerShape {
  configure(options: { rttMs: number; holdMs: number; isAsking: boolean }): void
  /** @hot Any authenticated datagram, or one that parity or a resend brought back. */
  onDatagram(index: number, nowMs: number): void
  /** Ranges to ask for now go to `out`; returns how many. */
  collect(nowMs: number, out: IndexRanges): number
  nextDeadlineMs(): number
  /** All datagrams up to this have come, were brought back, or were given up. */
  readonly settledIndex: number
}
export type IndexRanges = { first: Float64Array; last: Float64Array }

/** Sender: which frames went in which datagram. Bounded by bytes and age. */
export interface SentFramesShape {
  /** @hot All frames added until the next `begin` went with this index. */
  begin(index: number, nowMs: number): void
  /** @hot Copies one frame as it stands in the datagram; `rank` is the caller's, 0 = most important. */
  add(rank: number, bytes: Uint8Array, start: number, end: number): void
  /** How many frames of it may be sent again now: 0 when forgotten, or sent again less than a round trip ago. */
  find(index: number, nowMs: number, rttMs: number): number
  /** Sets rank and bytes of frame 0..count-1 of what was found. */
  frame(place: number): void
  readonly rank: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/**
 * Receiver, per stream layer: frames leave in order. Video: at once while nothing is missing; after a gap when it is
 * filled, when the datagrams before it are settled, or when the hold time is over. Audio with a hold time: each at its timestamp plus a constant delay.
 */
export interface ReleaseBufferShape {
  /** `isLate` frames of video come after their successors (for packet caches); audio has none. */
  configure(holdMs: number): void
  /** @hot Already without duplicates. `index`: of its datagram. `tsTicks`: RTP timestamp. */
  push(
    frame: { sequence: number; tsTicks: number; index: number },
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
  ): void
  /** @hot Hands out what may go; call after each datagram and at the deadline. */
  release(nowMs: number, settledIndex: number): void
  nextDeadlineMs(): number
}
export type ReleaseOutlet = {
  /** @hot */
  released(bytes: Uint8Array, start: number, end: number, isLate: boolean): void
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
