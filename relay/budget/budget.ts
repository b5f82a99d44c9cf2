/**
 * What one trunk may spend in one direction, and how it was spent. Owned by a TrunkEnd; reused between allocations.
 */
import type { TrunkStream } from './stream.ts'

/** How audio is packed when it weighs on the link, for the sender's bundler and for the publishers (through the SDK). */
export type AudioShape = {
  /** How long audio may wait for company in a datagram, ms: 20 (as it comes), 40, 60 or 100. */
  bundleMs: number
  /** Granted of `TrunkBudget.audioRedundancyRatio`. */
  redundancyRatio: number
  /** What publishers should be asked for: Opus packet time (20, 40 or 60 ms) ... */
  packetTimeMs: number
  /** ... mean rate (`maxaveragebitrate`), 0 = as they like ... */
  bitrateBpsMax: number
  /** ... and silence that is not sent. */
  dtx: boolean
}

export type TrunkBudget = {
  // In.
  /** The estimate: bit/s of UDP payload and headers that the path takes now. */
  availableBps: number
  /** What the control flow (log, demand, pages) wants of it. */
  controlBps: number
  /** What catch-up would take. */
  catchUpBps: number
  /** From relay/repair: copies of audio (0.5 = half as much again) and parity over base layers. */
  audioRedundancyRatio: number
  baseParityRatio: number
  /** IP, UDP, RTP, bundle and tag of one datagram; and how many bytes of frames it carries at most. */
  datagramOverheadBytes: number
  mtuBytes: number

  // Out.
  /** Granted bit/s by class, in the order of TRUNK_CLASSES; control and catch-up are told here alone. */
  readonly shares: Float64Array
  spentBps: number
  /** What everything wanted would cost, without catch-up: for the estimator's prober. */
  wantedBps: number
  readonly audio: AudioShape

  // The budget's own.
  readonly hold: BudgetHold
}

/** What hysteresis and the passes keep in a budget; no meaning outside of this folder. */
export type BudgetHold = {
  order: TrunkStream[]
  ranks: Map<number, number>
  audioRung: number
  audioFitsSinceMs: number
  easedSinceMs: number
}
