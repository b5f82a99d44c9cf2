/**
 * The seam between the engine and bandwidth estimation: what the engine tells per transport, and
 * what it asks. Not an estimator (see estimator.ts) and not an allocator (see allocate.ts).
 */
import type { TransportFeedback } from '../rtcp/index.ts'

/**
 * One per connected transport, created with `createEstimator(nowMs)`. Must be small: with 1,000
 * viewers, all of receive, forward and bandwidth together have 150 KB each; allocate rings at the
 * first `onPacketSent`.
 */
export interface Estimator {
  /**
   * @hot A packet with this transport-wide sequence (16 bits) left; `sizeBytes` is RTP plain,
   * headers included.
   */
  onPacketSent(twccSequence: number, sizeBytes: number, nowMs: number): void
  /**
   * Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01), parsed and
   * bounded.
   */
  onFeedback(feedback: TransportFeedback, nowMs: number): void
  /**
   * A receiver report of any of our outgoing video streams: loss 0..1 since the last one, RTT 0
   * when unknown.
   */
  onReceiverReport(lossRatio: number, rttMs: number, nowMs: number): void
  /** REMB in bit/s, as the peer said it: 0 and absurd values arrive here. */
  onRemb(bitrateBps: number, nowMs: number): void
  /** What may be sent to this peer in all, bit/s; never 0 or NaN. */
  availableBps(nowMs: number): number
  /**
   * Bit/s actually sent lately and what the allocator would spend if it were free. Called before
   * `probeBytes`, so that no probe is started that nobody needs.
   */
  onDemand(sentBps: number, wantedBps: number, nowMs: number): void
  /**
   * Padding to send now, in bytes: the engine answers with padding-only RTX packets (which pass
   * `onPacketSent`) of at most 267 bytes each, and asks again at every engine tick (about 10 ms)
   * while `isProbing`. 0 most of the time, and also within a burst when media has just been sent
   * instead.
   */
  probeBytes(nowMs: number): number
  /** A burst goes on. One that is not asked for every 10 ms proves nothing. */
  isProbing(nowMs: number): boolean
}

/** What the allocator must know about one layer of the publication that a slot is to show. */
export type LayerOffer = {
  /** Measured bit/s of the whole layer; 0 when it does not flow at present. */
  bitrateBps: number
  /** Picture height in pixels, from the bitstream where known, else a guess by position. */
  heightPx: number
  /**
   * Share of `bitrateBps` up to and including temporal layer 0, 1, 2, 3; non-decreasing, last is 1.
   */
  temporalShare: readonly number[]
  /** Highest temporal layer seen, 0..3. */
  temporalMax: number
}

/** One video slot of a transport as the allocator sees it; the engine owns it and reuses it. */
export type AllocationSlot = {
  use: 'main' | 'tile'
  /** Position among the slots of the same use: lower is served first. */
  index: number
  /** Size at which the client draws it, device pixels; 0 = not shown: allocate nothing. */
  heightPx: number
  /** A screen share: prefers resolution over frame rate. */
  screen: boolean
  /** Lowest first; empty when the slot shows nothing. */
  layers: LayerOffer[]
  /** Out: -1 = paused. On entry the present state, so that hysteresis can hold it. */
  spatial: number
  /** Out: highest temporal layer to forward, 0..3 (3 = all). */
  temporal: number
  /**
   * Out: highest layer that the drawn size justifies, whatever the link; -1 when nothing is shown.
   */
  spatialWanted: number
  /**
   * Hysteresis of the allocator, kept per slot between calls; 0 at first and after a change of
   * publication.
   */
  lastChangeMs: number
  /** Time since when a higher layer would have fitted; 0 = does not fit now. */
  fitsSinceMs: number
}

/** What one allocation decided beyond the slots themselves. */
export type AllocationResult = {
  /** Sum over the chosen layers, bit/s. */
  spentBps: number
  /** What all slots at their wanted layers would cost, bit/s. */
  wantedBps: number
}
